"""Runs made of plain tables: the folder that `videmo analyze` would leave, without videos or models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from videmo.emotion.labels import EMOTIONS
from videmo.output.names import SEGMENTS, STUDY
from videmo.output.parquet import write_table
from videmo.output.schema import BOX_COLUMNS, faces_schema, footer, frames_schema

_USABLE_FACE = {
    **dict(zip(BOX_COLUMNS, (0.0, 0.0, 100.0, 100.0), strict=True)),
    "track_id": 1,
    "detection_score": 0.9,
    "detected": True,
    "face_size_px": 100.0,
    "usable": True,
}


def write_video(
    out: Path, video_id: str, times_s: Sequence[float], faces: pd.DataFrame, labels: Sequence[str] = EMOTIONS
) -> None:
    """Write the tables of one video: a frame at each of `times_s`, and the faces.

    Args:
        out: the folder of the run.
        video_id: the video.
        times_s: when the frames are; their indices count from 0.
        faces: `frame_index` and any further columns of a faces table. A label without a column is 0 throughout, but
            neutral is what the others leave; the rest is that of track 1, usable, 100 px wide and high.
        labels: the labels of the preset.
    """
    frame_index = np.arange(len(times_s), dtype=np.int32)
    counts = np.bincount(faces["frame_index"], minlength=len(times_s))
    frames = pd.DataFrame({"video_id": video_id, "frame_index": frame_index, "time_s": times_s, "shot": 0})
    _write(out / "frames", video_id, frames.assign(faces=counts, file_name=None), frames_schema(), labels)
    whole = pd.DataFrame({name: faces.get(name, 0.0) for name in labels}, index=faces.index)
    if "neutral" in labels and "neutral" not in faces:
        whole["neutral"] = 1 - whole.sum(axis=1)
    fixed = {"video_id": video_id, "time_s": np.asarray(times_s)[faces["frame_index"]], **_USABLE_FACE}
    top = pd.Categorical.from_codes(whole.to_numpy().argmax(axis=1), list(labels))
    no_reason = pd.Categorical([None] * len(whole), categories=pd.Index([], dtype=object))
    rows = whole.assign(emotion=top, exclude_reason=no_reason, **fixed).assign(**faces)
    schema = faces_schema(labels)
    _write(out / "faces", video_id, rows.reindex(columns=schema.names), schema, labels)


def write_study(out: Path, study: Mapping[str, Mapping[str, object]]) -> None:
    """Write the study's columns of each video named."""
    rows = pd.DataFrame.from_dict(study, orient="index").rename_axis("video_id").reset_index()
    write_table(out / STUDY, pa.Table.from_pandas(rows, preserve_index=False), {})


def write_segments(out: Path, *segments: tuple[str, str, float, float]) -> None:
    """Write segments, each video_id, name, start and end in s of media time."""
    rows = pd.DataFrame(segments, columns=["video_id", "segment", "start_s", "end_s"])
    write_table(out / SEGMENTS, pa.Table.from_pandas(rows, preserve_index=False), {})


def _write(folder: Path, video_id: str, rows: pd.DataFrame, schema: pa.Schema, labels: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(rows, schema, preserve_index=False)
    said = footer(folder.name, {}, labels)
    pq.write_table(table.replace_schema_metadata(said), folder / f"{video_id}.parquet", compression="zstd")

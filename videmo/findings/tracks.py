"""One row per track: when it was seen, where, how much of it is usable, and with which expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa

from videmo.errors import UsageError
from videmo.findings.timeline import frame_durations
from videmo.output.schema import BOX_COLUMNS, tracks_schema


class Tables(Protocol):
    """What is needed of a run, as `videmo.findings.tables.Run` has it, which for its part gives the tracks."""

    @property
    def out(self) -> Path: ...

    def labels_of(self, video_id: str) -> tuple[str, ...]: ...

    def frames(self, video_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame: ...

    def face_groups(self, video_id: str, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]: ...


def summarize_tracks(run: Tables, video_id: str) -> pa.Table:
    """Return the rows of `tracks.parquet` for one video, by track_id, which are those that `run` gives.

    Means are over the time of the usable rows, of all rows of a track without any, as everywhere in findings: a camera
    that gives fewer frames in the dark does not make what it saw there count less. Rows of tables before schema version
    1.2 all count as usable. Faces are read row group by row group: memory grows with the number of tracks and, by 20
    bytes each, of frames.

    Raises:
        UsageError: a table is missing, damaged or of an unknown version.
    """
    frames = run.frames(video_id, ["frame_index", "time_s"])
    # How long each analysed frame stands for, by frame_index.
    durations_s = pd.Series(frame_durations(frames["time_s"].to_numpy()), index=frames["frame_index"].to_numpy())
    if not durations_s.index.is_unique:
        raise UsageError(f"{run.out}: frames of {video_id!r} are there twice: analyse it again with --overwrite")
    labels = run.labels_of(video_id)
    means = [*BOX_COLUMNS, *labels]
    pieces = run.face_groups(video_id, ["track_id", "frame_index", "time_s", *means, "usable"])
    try:
        parts = [_sum_group(piece, means, durations_s) for piece in pieces]
    except KeyError as error:
        raise UsageError(
            f"{run.out}: faces of {video_id!r} are in no frame ({error}): analyse it again with --overwrite"
        ) from error
    schema = tracks_schema(labels)
    sums = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
    if sums.empty:
        return schema.empty_table()
    tracks = _combine(sums, means, labels).assign(video_id=video_id)
    return pa.Table.from_pandas(tracks, schema=schema, preserve_index=False).replace_schema_metadata(None)


def _sum_group(faces: pd.DataFrame, means: Sequence[str], durations_s: pd.Series[float]) -> pa.Table:
    """Return sums of a row group by track and by whether its rows are usable, those of `means` times their duration."""
    rows = faces.assign(duration_s=durations_s.loc[faces["frame_index"]].to_numpy())
    if "usable" not in rows:
        rows["usable"] = True
    rows[list(means)] = rows[list(means)].mul(rows["duration_s"], axis=0)
    sums = [(name, "sum") for name in ("duration_s", *means)]
    found = [("time_s", "min"), ("time_s", "max"), ("time_s", "count"), *sums]
    return pa.Table.from_pandas(rows, preserve_index=False).group_by(["track_id", "usable"]).aggregate(found)


def _combine(sums: pd.DataFrame, means: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    by_track, usable = sums.groupby("track_id"), sums[sums["usable"]].groupby("track_id")
    tracks = pd.DataFrame(
        {
            "first_time_s": by_track["time_s_min"].min(),
            "last_time_s": by_track["time_s_max"].max(),
            "rows": by_track["time_s_count"].sum(),
        }
    )
    tracks["usable_rows"] = usable["time_s_count"].sum().reindex(tracks.index, fill_value=0)
    usable_s = usable["duration_s_sum"].sum().reindex(tracks.index, fill_value=0)
    tracks["usable_share"] = usable_s / by_track["duration_s_sum"].sum()
    counted = sums[sums["usable"] | (tracks["usable_rows"].loc[sums["track_id"]] == 0).to_numpy()].groupby("track_id")
    counted_s = counted["duration_s_sum"].sum()
    for name in means:
        tracks[f"mean_{name}"] = counted[f"{name}_sum"].sum() / counted_s
    best = tracks[[f"mean_{label}" for label in labels]].to_numpy().argmax(axis=1)
    tracks["dominant"] = pd.Categorical.from_codes(best, categories=pd.Index(labels))
    return tracks.reset_index()

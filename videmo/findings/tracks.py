"""One row per track: when it was seen, where, how much of it is usable, and with which expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from videmo.findings.tables import footer_of, labels_of, open_table
from videmo.findings.timeline import frame_durations
from videmo.output.schema import BOX_COLUMNS, tracks_schema


def summarize_tracks(frames_path: Path, faces_path: Path) -> pa.Table:
    """Return the rows of `tracks.parquet` for one video, by track_id.

    Means are over the usable rows, over all rows of a track without any; rows of tables before schema version 1.2 all
    count as usable. Faces are read row group by row group: memory grows with the number of tracks and, by 20 bytes
    each, of frames.

    Args:
        frames_path: The frames table of the video, which says how long each row stands for.
        faces_path: Its faces table.

    Raises:
        UsageError: a table is missing, damaged or of an unknown version.
    """
    durations_s = _durations(frames_path)
    with open_table(faces_path) as file:
        labels = labels_of(footer_of(file))
        means = [*BOX_COLUMNS, *labels]
        parts = [_sum_group(file, group, means, durations_s) for group in range(file.num_row_groups)]
    schema = tracks_schema(labels)
    sums = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
    if sums.empty:
        return schema.empty_table()
    tracks = _combine(sums, means, labels)
    tracks["video_id"] = faces_path.name.removesuffix(".parquet")
    return pa.Table.from_pandas(tracks, schema=schema, preserve_index=False).replace_schema_metadata(None)


def _durations(frames_path: Path) -> pd.Series[float]:
    """Return how long each analysed frame stands for, by frame_index."""
    with open_table(frames_path) as file:
        frames = file.read(columns=["frame_index", "time_s"]).to_pandas()
    return pd.Series(frame_durations(frames["time_s"].to_numpy()), index=frames["frame_index"].to_numpy())


def _sum_group(file: pq.ParquetFile, group: int, means: Sequence[str], durations_s: pd.Series[float]) -> pa.Table:
    """Return the sums of a row group by track and by whether its rows are usable."""
    says = "usable" in file.schema_arrow.names
    columns = ["track_id", "frame_index", "time_s", *means, *(["usable"] if says else [])]
    rows = file.read_row_group(group, columns=columns)
    if not says:
        rows = rows.append_column("usable", pa.array(np.ones(rows.num_rows, np.bool_)))
    rows = rows.append_column("duration_s", pa.array(durations_s.loc[rows["frame_index"].to_numpy()].to_numpy()))
    sums = [(name, "sum") for name in ("duration_s", *means)]
    found = [("time_s", "min"), ("time_s", "max"), ("time_s", "count"), *sums]
    return rows.group_by(["track_id", "usable"]).aggregate(found)


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
    counts = counted["time_s_count"].sum()
    for name in means:
        tracks[f"mean_{name}"] = counted[f"{name}_sum"].sum() / counts
    best = tracks[[f"mean_{label}" for label in labels]].to_numpy().argmax(axis=1)
    tracks["dominant"] = pd.Categorical.from_codes(best, categories=pd.Index(labels))
    return tracks.reset_index()

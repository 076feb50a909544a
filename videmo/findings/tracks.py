"""One row per track: when it was seen, where, and with which expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from videmo.findings.tables import footer_of, labels_of, open_table
from videmo.output.schema import BOX_COLUMNS, tracks_schema


def summarize_tracks(faces_path: Path) -> pa.Table:
    """Return the rows of `tracks.parquet` for one faces table, by track_id; means are over the rows.

    Reads row group by row group: memory grows with the number of tracks, not with the length of the video.

    Raises:
        UsageError: the table is missing, damaged or of an unknown version.
    """
    with open_table(faces_path) as file:
        labels = labels_of(footer_of(file))
        means = [*BOX_COLUMNS, *labels]
        parts = [_sum_group(file, group, means) for group in range(file.num_row_groups)]
    schema = tracks_schema(labels)
    sums = pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()
    if sums.empty:
        return schema.empty_table()
    tracks = _combine(sums, means, labels)
    tracks["video_id"] = faces_path.name.removesuffix(".parquet")
    return pa.Table.from_pandas(tracks, schema=schema, preserve_index=False).replace_schema_metadata(None)


def _sum_group(file: pq.ParquetFile, group: int, means: Sequence[str]) -> pa.Table:
    rows = file.read_row_group(group, columns=["track_id", "time_s", *means])
    sums = [(name, "sum") for name in means]
    return rows.group_by("track_id").aggregate([("time_s", "min"), ("time_s", "max"), ("time_s", "count"), *sums])


def _combine(sums: pd.DataFrame, means: Sequence[str], labels: Sequence[str]) -> pd.DataFrame:
    by_track = sums.groupby("track_id", sort=True)
    tracks = pd.DataFrame(
        {
            "first_time_s": by_track["time_s_min"].min(),
            "last_time_s": by_track["time_s_max"].max(),
            "rows": by_track["time_s_count"].sum(),
        }
    )
    for name in means:
        tracks[f"mean_{name}"] = by_track[f"{name}_sum"].sum() / tracks["rows"]
    best = tracks[[f"mean_{label}" for label in labels]].to_numpy().argmax(axis=1)
    tracks["dominant"] = pd.Categorical.from_codes(best, categories=pd.Index(labels))
    return tracks.reset_index()

"""The study's columns in the tables of a run: at their right, by video."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from videmo.findings.column_names import own_names
from videmo.findings.delimited import refuse
from videmo.findings.table_file import TableFile
from videmo.findings.tables import open_table
from videmo.output.files import replacing

STUDY_KEY: Final = "videmo.study"
"""In the footer of a table: a JSON list of the columns that are the study's."""

_NUMBERS = {"offset_s": pa.float64()}


def check_names(study: pd.DataFrame, labels: Sequence[str], path: Path) -> None:
    """Raise UsageError where a column of the manifest `path` has the name of a column of videmo's tables."""
    taken = own_names(labels)
    refuse(
        path,
        (
            f": column {name!r}: videmo's tables have a column of this name: rename it"
            for name in study.columns
            if name in taken
        ),
    )


def study_table(study: pd.DataFrame) -> pa.Table:
    """Return the study as it is stored: `video_id`, `offset_s` in s, all else text."""
    fields = [pa.field(name, _NUMBERS.get(name, pa.string())) for name in ("video_id", *study.columns)]
    return pa.Table.from_pandas(study.reset_index(), schema=pa.schema(fields), preserve_index=False)


def carry_study(path: Path, study: pd.DataFrame) -> bool:
    """Write the columns of a study into a table, in place of those of an earlier study.

    The table is rewritten row group by row group and replaced whole: a reader, and a crash, find the old table or the
    new one. Its footer stays. A table that carries the same already is left alone, so is any by an empty study.

    Args:
        path: a table of videmo with `video_id`.
        study: from `manifest.match_videos`; text becomes dictionary-encoded text, missing where a video has no row.

    Returns:
        Whether the table was rewritten.

    Raises:
        UsageError: the table is missing, damaged or of an unknown version.
        OutputError: the disk is full or the folder does not allow it.
    """
    if carries(path, study):
        return False
    values = study_table(study)
    with replacing(path) as partial, open_table(path) as file, partial.open("wb") as new:
        own = _own_columns(file)
        schema = pa.schema([*(file.schema.field(name) for name in own), *_fields(values)])
        footer = file.footer | {STUDY_KEY: json.dumps(study.columns.tolist())}
        with pq.ParquetWriter(new, schema.with_metadata(footer), compression="zstd") as writer:
            for group in range(file.row_groups):
                rows = file.read_row_group(group, columns=own)
                columns = [*rows.columns, *_look_up(values, rows["video_id"]).columns]
                writer.write_table(pa.table(columns, schema=schema))
    return True


def carries(path: Path, study: pd.DataFrame) -> bool:
    """Return whether a table has the columns of a study with its values, so that `carry_study` leaves it alone."""
    values = study_table(study)
    if values.num_columns == 1:
        return True
    with open_table(path) as file:
        names = file.said(STUDY_KEY, list, [])
        if names != values.column_names[1:]:
            return False
        groups = (file.read_row_group(group, ["video_id", *names]) for group in range(file.row_groups))
        plain = pa.schema([values.schema.field(name) for name in names])
        return all(
            rows.select(names).cast(plain).equals(_look_up(values, rows["video_id"]).cast(plain)) for rows in groups
        )


def _own_columns(file: TableFile) -> list[str]:
    """Return the columns of a table that are not the study's."""
    earlier = file.said(STUDY_KEY, list, [])
    return [name for name in file.schema.names if name not in earlier]


def _fields(values: pa.Table) -> list[pa.Field]:
    """Return the study's fields as the tables have them."""
    says = {"description": "of the study's manifest"}
    types = {name: _NUMBERS.get(name, pa.dictionary(pa.int32(), pa.string())) for name in values.column_names[1:]}
    return [
        pa.field(name, type_, metadata=says | ({"unit": "s"} if name in _NUMBERS else {}))
        for name, type_ in types.items()
    ]


def _look_up(values: pa.Table, video_ids: pa.ChunkedArray) -> pa.Table:
    """Return the study's columns for each row, missing where its video has no row in the study."""
    rows = values.take(pc.index_in(video_ids, value_set=values["video_id"].combine_chunks()))
    columns = [rows[name] if name in _NUMBERS else pc.dictionary_encode(rows[name]) for name in values.column_names[1:]]
    return pa.table(columns, schema=pa.schema(_fields(values)))

"""One table of a run as a file: opened, checked against what its readers rely on, read whole or in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from videmo.errors import UsageError
from videmo.output.schema import (
    BOX_COLUMNS,
    LABELS_KEY,
    LANDMARK_COLUMNS,
    faces_schema,
    frames_schema,
    segments_schema,
    tracks_schema,
    videos_schema,
)

T = TypeVar("T")

_FACE: Final = ("video_id", "frame_index", "time_s", "track_id", *BOX_COLUMNS, "detection_score", *LANDMARK_COLUMNS)
_NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "faces": (*_FACE, "emotion"),
    "frames": ("video_id", "frame_index", "time_s", "shot", "faces"),
    "tracks": ("video_id", "track_id"),
    "videos": ("video_id", "path"),
    "segments": tuple(segments_schema().names),
    "study": ("video_id",),
}
"""The columns without which a table cannot be read; every version has them."""


class TableFile:
    """A table of videmo, open for reading; to be closed, or used in a `with`.

    What is read has been checked: text is UTF-8, categories exist, and the columns that videmo writes hold what they
    always hold, without gaps where there are none. So a damaged file gives an error here and no wrong rows later.

    Args:
        path: the file; its name, or that of its folder for `faces` and `frames`, says which table it is.

    Raises:
        UsageError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            # Arrow takes no path with bytes that are not UTF-8, and closes no file that it did not open.
            self._opened = path.open("rb")
        try:
            self._read_footer()
        except BaseException:
            self._opened.close()
            raise

    def _read_footer(self) -> None:
        with self._explained():
            self._file = pq.ParquetFile(self._opened)
            metadata = self._file.metadata.metadata or {}
            self.footer = {k.decode(): v.decode() for k, v in metadata.items() if k.startswith(b"videmo.")}
            self.schema: pa.Schema = self._file.schema_arrow
            self.row_groups = int(self._file.num_row_groups)

    def check_columns(self) -> None:
        """Raise UsageError where a column that every reader relies on is missing, twice there or of another type."""
        names = self.schema.names
        needed = [*_NEEDED.get(self._table, ()), *(self.labels if self._table == "faces" else ())]
        for name in needed:
            if name not in names:
                raise self._damaged(f"no column {name!r} in it")
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise self._damaged(f"column {twice!r} is there twice")
        for field in self._expected:
            if field.name in names and _kind(self.schema.field(field.name).type) != _kind(field.type):
                found = self.schema.field(field.name).type
                raise self._damaged(f"column {field.name!r} is of type {found}, not {field.type}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the preset, in the order of their columns.

        Raises:
            UsageError: the footer names none.
        """
        labels = self.said(LABELS_KEY, list, [])
        if not labels or not all(isinstance(label, str) for label in labels) or len(set(labels)) < len(labels):
            raise self._damaged(f"{LABELS_KEY} in its footer is no list of labels")
        return tuple(labels)

    def said(self, key: str, kind: type[T], default: T) -> T:
        """Return a value that the footer says in JSON, `default` where it says nothing.

        Raises:
            UsageError: it is no JSON, or another kind of value.
        """
        try:
            value = json.loads(self.footer[key]) if key in self.footer else default
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"{key} in its footer is damaged") from error
        if not isinstance(value, kind):
            raise self._damaged(f"{key} in its footer is damaged")
        return value

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all columns or those named that are there.

        Raises:
            UsageError: the file is damaged.
        """
        with self._explained():
            return self._checked(self._file.read(columns=columns))

    def read_row_group(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return what `read` does of one row group.

        Raises:
            UsageError: the file is damaged.
        """
        with self._explained():
            return self._checked(self._file.read_row_group(group, columns=columns))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _table(self) -> str:
        return self.path.parent.name if self.path.parent.name in ("faces", "frames") else self.path.stem

    @cached_property
    def _expected(self) -> pa.Schema:
        """What videmo writes into such a table, as far as its name tells; nothing is known of a study's columns."""
        if self._table == "faces":
            return faces_schema(self.labels)
        plain = {"frames": frames_schema, "videos": videos_schema, "segments": segments_schema}
        if self._table in plain:
            return plain[self._table]()
        return tracks_schema([]) if self._table == "tracks" else pa.schema([])

    def _checked(self, table: pa.Table) -> pa.Table:
        table.validate(full=True)
        for field in self._expected:
            if field.nullable or field.name not in table.column_names:
                continue
            column = table[field.name]
            measured = self._table in ("faces", "frames") and types.is_floating(column.type)
            if column.null_count or (measured and not pc.all(pc.is_finite(column), min_count=0).as_py()):
                raise self._damaged(f"column {field.name!r} has cells without a value")
        return table

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            way_out = "the video or the run is not finished; go on with --resume"
            raise UsageError(f"{self.path}: no such table: {way_out}") from error
        # ArrowException is none of the others, though most of its kinds are ValueErrors, too.
        except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
            raise self._damaged(" ".join(str(error).split())) from error

    def _damaged(self, why: str) -> UsageError:
        return UsageError(f"{self.path}: cannot be read ({why}): analyse it again with --overwrite")


def _kind(type_: pa.DataType) -> str:
    """Return what values a column holds, however many bits they have."""
    if types.is_dictionary(type_):
        return _kind(type_.value_type)
    tests = {
        "text": (types.is_string, types.is_large_string),
        "whole numbers": (types.is_integer,),
        "numbers": (types.is_floating,),
        "lists": (types.is_list,),
    }
    return next((kind for kind, are in tests.items() if any(is_(type_) for is_ in are)), str(type_))

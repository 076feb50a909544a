"""Rows written as a table to read, or as CSV, JSON or Parquet: the same for every command that gives rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from videmo.errors import UsageError
from videmo.output.files import replacing

if TYPE_CHECKING:
    import pandas as pd


class Format(StrEnum):
    """How the rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


_MOST_ROWS = 200
"""More are for programs: a table of every observation would scroll by for minutes."""


def format_rows(rows: pd.DataFrame, *, none: str = "no face was seen") -> Iterator[str]:
    """Yield one table with all columns, two decimals; of long ones the beginning and the end, and how to get all.

    `none` is what is said where there are no rows.
    """
    if rows.empty:
        yield none
        return
    yield rows.to_string(index=False, float_format="%.2f", na_rep="-", max_rows=_MOST_ROWS)
    if len(rows) > _MOST_ROWS:
        yield f"the first and last {_MOST_ROWS // 2} of {len(rows)} rows: --format csv or parquet gives all"


def show_notes(*tables: pd.DataFrame) -> None:
    """Tell on stderr what was assumed for the tables (`attrs["notes"]`), each once."""
    for note in dict.fromkeys(note for table in tables for note in table.attrs.get("notes", ())):
        typer.echo(f"note: {note}", err=True)


def require_output(form: Format, output: Path | None) -> None:
    """Raise UsageError where Parquet has no file to go to: asked before the work, not after it."""
    if form is Format.PARQUET and output is None:
        raise UsageError("--format parquet needs --output FILE")


def write_rows(
    rows: pd.DataFrame,
    form: Format,
    output: Path | None,
    table: Callable[[pd.DataFrame], Iterable[str]] = format_rows,
) -> None:
    """Write the rows of a command to stdout or a file; a file has the old or the new content, never half of one.

    Args:
        rows: what the command found. `rows.attrs` go into the metadata of Parquet files (`PANDAS_ATTRS`, JSON).
        form: how to write them.
        output: the file; None for stdout.
        table: gives the text for people, piece by piece, where `form` is TABLE.

    Raises:
        UsageError: Parquet has no file to go to.
        OutputError: the disk is full or the folder does not allow it.
    """
    require_output(form, output)
    if form is Format.PARQUET and output is not None:
        with replacing(output) as partial:
            rows.to_parquet(partial, index=False)
        return
    from videmo.findings.export.csv_files import spell_csv

    texts: dict[Format, Callable[[], str]] = {
        Format.TABLE: lambda: "\n".join(table(rows)) + "\n",
        Format.CSV: lambda: spell_csv(rows),
        Format.JSON: lambda: rows.to_json(orient="records", indent=2) + "\n",
    }
    if output is None:
        typer.echo(texts[form](), nl=False)
        return
    with replacing(output) as partial:
        partial.write_text(texts[form](), encoding="utf-8")

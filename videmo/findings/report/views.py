"""Tables as the page shows them: chosen columns, values as text, a bounded number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd

MOST_ROWS: Final = 100

Kind = Literal["text", "id", "long", "count", "clock", "duration", "share", "probability", "number", "p"]
"""How values read: text, names and long texts that may break anywhere; 1,234; 1:15.3; 1.3 min; 50 % with a bar; 0.25
with a shade; −0.25; 0.012."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown: its `name` in the table, its `title` on the page, and how its values read."""

    name: str
    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as text; `share` (0..1) is the length of its bar, None where it has none."""

    text: str
    kind: Kind
    share: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A table on the page.

    Attributes:
        file: where all of it lies, as `name.parquet`.
        title: what it shows.
        reading: how to read it.
        columns: what is shown of it.
        rows: one list of cells for each row shown.
        total: rows of the file.
    """

    file: str
    title: str
    reading: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: int

    @property
    def id(self) -> str:
        """What the page calls it."""
        return self.title.lower().replace(" ", "-")


def view_table(
    file: str, table: pd.DataFrame, title: str, reading: str, columns: Sequence[Column], *, most: int = MOST_ROWS
) -> View:
    """Return the view of a table: its first rows, `most` of them, and of the columns those that it has."""
    there = [column for column in columns if column.name in table]
    shown = table.head(most)
    cells = [[to_cell(value, column.kind) for value in shown[column.name]] for column in there]
    return View(file, title, reading, there, list(zip(*cells, strict=True)), len(table))


def to_cell(value: Any, kind: Kind) -> Cell:
    """Return a value as text, a dash where it is missing.

    Example:
        >>> to_cell(0.5, "share").text, to_cell(75.26, "clock").text, to_cell(None, "text").text
        ('50 %', '1:15.3', '–')
    """
    if value == "" or pd.isna(value):
        return Cell("–", kind)
    if kind in ("text", "id", "long"):
        return Cell(str(value), kind)
    number = float(value)
    share = min(max(number, 0.0), 1.0) if kind in ("share", "probability") else None
    return Cell(_SPELL[kind](number), kind, share)


def spell_clock(seconds: float) -> str:
    """Return seconds as m:ss.s or h:mm:ss.

    Example:
        >>> spell_clock(5), spell_clock(-0.5), spell_clock(3725)
        ('0:05.0', '−0:00.5', '1:02:05')
    """
    tenths = round(abs(seconds) * 10)
    sign = "−" if seconds < 0 and tenths else ""
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02d}:{rest // 10:02d}" if hours else f"{sign}{minutes}:{rest / 10:04.1f}"


def spell_duration(seconds: float) -> str:
    """Return an amount of time in the unit that suits it.

    Example:
        >>> spell_duration(42.42), spell_duration(90), spell_duration(5400)
        ('42.4 s', '1.5 min', '1.50 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.2f} h"


def spell_share(share: float) -> str:
    """Return a share (0..1) in per cent; only what is all or nothing reads as 100 % or 0 %.

    Example:
        >>> spell_share(0.5), spell_share(0.996), spell_share(0.00001)
        ('50 %', '99.6 %', '< 0.1 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.01 or 0.99 < share < 1 else f"{100 * share:.0f} %"


_SPELL: Final[Mapping[Kind, Callable[[float], str]]] = {
    "count": lambda number: f"{number:,.0f}",
    "clock": spell_clock,
    "duration": spell_duration,
    "share": spell_share,
    "probability": lambda number: f"{number:.2f}",
    "number": lambda number: f"{round(number, 2) + 0:.2f}".replace("-", "−"),
    "p": lambda number: "< 0.001" if number < 0.001 else f"{number:.3f}",
}

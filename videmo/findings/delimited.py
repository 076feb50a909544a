"""Tables that people write: CSV as spreadsheets save it, whatever the separator and the encoding."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.filenames import show_name

_MOST_PROBLEMS = 20
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True, eq=False)
class TextTable:
    """The cells of a text file.

    Attributes:
        cells: text, stripped; the index holds the line numbers in the file, the columns its header.
        delimiter: what separates the cells.
        encoding: what the bytes were taken for.
        assumed: True where nothing in the file says so (Windows-1252 has no mark).
    """

    cells: pd.DataFrame
    delimiter: str
    encoding: str
    assumed: bool

    def numbers(self, column: str) -> pd.Series[float]:
        """Return a column as numbers, NaN where it holds none; a decimal comma counts where the comma separates not."""
        text = self.cells[column]
        values = pd.to_numeric(text if self.delimiter == "," else text.str.replace(",", "."), errors="coerce")
        return values.astype(float).where(np.isfinite(values))

    def notes(self, path: Path) -> list[str]:
        """Return what was assumed, in words."""
        return [f"{path}: not UTF-8, taken for Windows-1252: check letters with accents"] if self.assumed else []


def read_table(path: Path) -> TextTable:
    """Read a file of cells separated by commas, semicolons or tabs.

    The separator is the one that splits the first line into most cells; Excel's `sep=;` line is obeyed. Blank lines are
    left out. Encodings: see `read_text`.

    Raises:
        UsageError: the file cannot be read, is empty or not text, or a line has more or fewer cells than the header.

    Example:
        >>> read_table(Path("study.csv")).cells["respondent"]  # doctest: +SKIP
    """
    text, encoding, assumed = read_text(path)
    delimiter, skipped, text = _delimiter(text)
    lines = [(line + skipped, cells) for line, cells in split_lines(path, text, delimiter)]
    if not lines:
        raise UsageError(f"{path}: the file is empty")
    (_, names), *rows = lines
    while len(names) > 1 and not names[-1] and not any("".join(cells[len(names) - 1 :]) for _, cells in rows):
        names = names[:-1]  # spreadsheets leave empty columns at the right
        rows = [(line, cells[: len(names)]) for line, cells in rows]
    refuse(path, _shape_problems(names, rows))
    cells = pd.DataFrame([cells for _, cells in rows], index=[line for line, _ in rows], columns=names, dtype=str)
    return TextTable(cells, delimiter, encoding, assumed)


def split_lines(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return number and cells of each line that is not blank; raises UsageError where quotes do not match."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not a table: {error}") from error


def read_text(path: Path) -> tuple[str, str, bool]:
    """Return the text of a file, its encoding, and whether that was assumed.

    A byte order mark decides; without one, UTF-16 shows by its zero bytes, then UTF-8 is tried, and what is not UTF-8
    is taken for Windows-1252.

    Raises:
        UsageError: the file cannot be read or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    marked = [encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if data.startswith(mark)]
    wide = [encoding for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])) if _half(zeros)]
    for encoding in marked or wide or ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue  # the next encoding is tried; when all fail the file is refused below
        if "\0" not in text:
            return text, encoding, encoding == "cp1252"
    raise UsageError(f"{path}: not a text file: save it as CSV in UTF-8")


def refuse(path: Path, problems: Iterable[str]) -> None:
    """Raise UsageError with one line per problem, the file named in each; do nothing where there is none."""
    lines = [f"{path}{show_name(problem)}" for problem in problems]
    if len(lines) > _MOST_PROBLEMS:
        lines[_MOST_PROBLEMS:] = [f"{path}: and {len(lines) - _MOST_PROBLEMS} more problems of this kind"]
    if lines:
        raise UsageError("\n".join(lines))


def missing_columns(cells: pd.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """Yield a problem for each column that is not there, with what looks like it."""
    known = [str(name) for name in cells.columns]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            found = f"{near[0]!r} looks like it" if near else f"found {', '.join(known)}"
            yield f": no column {name!r} in the header ({found})"


def repeated_columns(cells: pd.DataFrame) -> Iterator[str]:
    """Yield a problem for each column that is there twice, also by another of its names."""
    for name in cells.columns[cells.columns.duplicated()].unique():
        yield f": column {name!r} is there twice, perhaps by another of its names"


def _half(zeros: bytes) -> bool:
    return bool(zeros) and zeros.count(0) > len(zeros) / 2


def _delimiter(text: str) -> tuple[str, int, str]:
    """Return the separator, how many lines come before the table, and the text from there on."""
    said = re.match(r"sep=(.)\r?\n", text)
    if said:
        return said[1], 1, text[said.end() :]
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=lambda mark: _count_cells(first, mark)), 0, text


def _count_cells(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0  # one cell too long: not by this separator; `split_lines` says so where it is by none


def _shape_problems(names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    for at, name in enumerate(names):
        if not name:
            yield f": column {at + 1} has no name"
    for line, cells in rows:
        if len(cells) != len(names):
            yield f", line {line}: {len(cells)} cells where the header has {len(names)}"

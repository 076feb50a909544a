"""Named time spans as people write them: CSV, ELAN (.eaf and tab export), WebVTT and SRT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from videmo.findings.clock import parse_clock
from videmo.findings.delimited import missing_columns, read_table, read_text, refuse, repeated_columns
from videmo.findings.elan import read_eaf
from videmo.findings.elan_export import read_export

_ALIASES: Final = {
    "start": "start", "start_s": "start", "begin": "start", "end": "end", "end_s": "end",
    "name": "name", "label": "name", "segment": "name", "file": "file", "stimulus": "stimulus",
}  # fmt: skip
_TIMING = re.compile(r"\s*([\d:.,]+)\s+-->\s+([\d:.,]+)(?:\s.*)?")
_TAGS = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_spans(path: Path, tier: str | None = None) -> pd.DataFrame:
    """Return the time spans of a file, read by its suffix (.eaf, .vtt, .srt; any other is a table).

    Args:
        path: the file.
        tier: of ELAN's annotations, the only tier to take; None takes all of them.

    Returns:
        `where` (text that names the place in the file), `start_s`, `end_s` (float, NaN where it is no time), `name`,
        and `file` and `stimulus` where a table has them.

    Raises:
        UsageError: the file cannot be read, is not what its suffix says, or lacks a column.
    """
    if path.suffix.lower() == ".eaf":
        return read_eaf(path, tier)
    if path.suffix.lower() in (".vtt", ".srt"):
        return _read_cues(path)
    exported = read_export(path, tier)
    return _read_csv(path) if exported is None else exported


def _read_csv(path: Path) -> pd.DataFrame:
    cells = read_table(path).cells
    cells.columns = pd.Index([_ALIASES.get(name.lower(), name) for name in cells.columns])
    refuse(path, [*missing_columns(cells, ("start", "end", "name")), *repeated_columns(cells)])
    times_s = {f"{edge}_s": parse_clock(cells[edge]) for edge in ("start", "end")}
    texts = {name: cells[name] for name in ("name", "file", "stimulus") if name in cells}
    where = pd.Series([f", line {line}" for line in cells.index], cells.index, dtype=str)
    return pd.DataFrame({"where": where} | times_s | texts).reset_index(drop=True)


def _read_cues(path: Path) -> pd.DataFrame:
    """Return the cues of a WebVTT or SRT file: the text of a cue is the name of the segment."""
    lines = read_text(path)[0].splitlines()
    at = [number for number, line in enumerate(lines) if "-->" in line]
    found = [_TIMING.fullmatch(lines[number]) for number in at]
    refuse(path, _cue_problems(at, found))
    edges = pd.DataFrame([match.groups() for match in found if match], columns=["start_s", "end_s"], dtype=str)
    spans = edges.apply(parse_clock)
    spans.insert(0, "where", [f", line {number + 1}" for number in at])
    return spans.assign(name=[_cue_text(lines, number + 1) for number in at])


def _cue_problems(at: Sequence[int], found: Sequence[re.Match[str] | None]) -> Iterator[str]:
    if not at:
        yield ": no cue in it: expected lines such as 00:00:01.000 --> 00:00:04.000"
    for number, match in zip(at, found, strict=True):
        if match is None:
            yield f", line {number + 1}: not the timing of a cue, such as 00:00:01.000 --> 00:00:04.000"


def _cue_text(lines: Sequence[str], start: int) -> str:
    """Return the text of a cue, which ends at the next blank line, without its mark-up."""
    end = next((number for number in range(start, len(lines)) if not lines[number].strip()), len(lines))
    return html.unescape(_TAGS.sub("", " ".join(line.strip() for line in lines[start:end]))).strip()

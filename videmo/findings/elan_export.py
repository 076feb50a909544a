"""Annotations of ELAN exported as tab-delimited text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from videmo.findings.clock import parse_clock
from videmo.findings.delimited import read_text, refuse, split_lines
from videmo.findings.elan import name_by_tier

_TIME = re.compile(r"(\d+:)?\d+:\d+\.\d+|\d+(\.\d+)?")
_BEGIN, _END, _DURATION, _TIER, _VALUE = "begin time", "end time", "duration", "tier", "annotation"
_MEDIA_LINES = re.compile(r'(?m)^"?#.*$')


def read_export(path: Path, tier: str | None = None) -> pd.DataFrame | None:
    """Return the annotations of ELAN's "tab-delimited text" as spans; None where the file is something else.

    With a header (a column per tier, or `Tier` and `Annotation`) or without (tier, participant, times, annotation), as
    the options of the export say; times as hh:mm:ss.ms, ss.msec or msec, the first of them that is there.

    Raises:
        UsageError: the file cannot be read, a line has other cells than the first, or no such tier.
    """
    # The lines that name the media are left blank, so that the others keep their numbers.
    lines = split_lines(path, _MEDIA_LINES.sub("", read_text(path)[0]), "\t")
    if not lines:
        return None
    header = [cell if _kind(cell) not in (_TIER, _VALUE) else _kind(cell) for cell in lines[0][1]]
    if any(_kind(cell) == _BEGIN for cell in header):
        lines = lines[1:]
    else:
        header = _guess_header(header)
    edges = [next((name for name in header if _kind(name) == kind), None) for kind in (_BEGIN, _END)]
    if None in edges:
        return None
    width = len(header)
    refuse(path, (f", line {line}: {len(cells)} cells, not {width}" for line, cells in lines if len(cells) != width))
    cells = pd.DataFrame([row for _, row in lines], columns=header, dtype=str)
    spans = pd.DataFrame(
        {f"{side}_s": _seconds(cells[edge]) for side, edge in zip(("start", "end"), edges, strict=True)}
    )
    spans.insert(0, "where", [f", line {line}" for line, _ in lines])
    return name_by_tier(path, pd.concat(_by_tier(cells, spans), ignore_index=True), tier)


def _by_tier(cells: pd.DataFrame, spans: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the spans of each tier; where tiers are columns, an empty cell is no annotation."""
    if _TIER in cells and _VALUE in cells:
        return [spans.assign(tier=cells[_TIER], value=cells[_VALUE])]
    tiers = [name for name in cells.columns.astype(str) if _kind(name) not in (_BEGIN, _END, _DURATION, "participant")]
    return [spans.assign(tier=name, value=cells[name])[cells[name] != ""] for name in tiers] or [
        spans[:0].assign(tier="", value="")
    ]


def _kind(name: str) -> str:
    """Return what a column holds: "Begin Time - ss.msec" is a begin time."""
    return name.split(" - ")[0].strip().lower()


def _seconds(times: pd.Series[str]) -> pd.Series[float]:
    return parse_clock(times) / (1000 if times.str.fullmatch(r"\d+").all() else 1)


def _guess_header(cells: Sequence[str]) -> list[str]:
    """Return names for the cells of a line of an export without header, none where it is no such line.

    Tier (and participant) come first, then begin, end and perhaps duration, each in as many formats as were chosen.
    """
    times = [at for at, cell in enumerate(cells) if _TIME.fullmatch(cell)]
    count = len(times)
    if (
        count < 2
        or times[0] not in (1, 2)
        or times != list(range(times[0], times[0] + count))
        or times[-1] + 1 >= len(cells)
    ):
        return []
    seconds = [float(_seconds(pd.Series([cells[at]])).iloc[0]) for at in times]
    formats = count // 3
    timed = count % 3 == 0 and abs(seconds[0] + seconds[2 * formats] - seconds[formats]) < 0.002
    if not timed and count % 2:
        return []
    kinds = (_BEGIN, _END, _DURATION) if timed else (_BEGIN, _END)
    names = [f"{kind} - {number}" for kind in kinds for number in range(count // len(kinds))]
    before = [_TIER, "participant"][: times[0]]
    after = [_VALUE, *(f"participant - {number}" for number in range(len(cells) - times[-1] - 2))]
    return [*before, *names, *after]

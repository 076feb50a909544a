"""Who a track is: decisions of people on tracks, read from a file and applied to the faces of a video.

The stored tables keep the ids that the tracker gave; decisions change what is read from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from videmo.findings.delimited import TextTable, missing_columns, read_table, refuse, repeated_columns
from videmo.findings.timeline import IntArray

IDENTITY_COLUMNS: Final = ("original_track_id", "identity")
"""What the faces of a run with decisions have beside the columns of the table."""

RANGE: Final = ("start_s", "end_s")
_REQUIRED = ("video_id", "track_id", "identity")
_UNDECIDED = -1
_MOST_DIGITS = 9  # of an id: tables hold 32 bits


def read_decisions(path: Path) -> pd.DataFrame:
    """Return the decisions of a file: which track, or which time of it, is who.

    The file is CSV (as `read_manifest` takes it) with `video_id`, `track_id`, `identity` and if need be `start_s` and
    `end_s`. A row without an identity decides nothing; further columns are left out.

    Returns:
        `video_id`, `track_id` (int, as recorded), `identity`, `start_s`, `end_s` (s, the range is [start, end); -inf
        and inf where it has no bound); the index holds the line numbers.

    Raises:
        UsageError: a column is missing, an id or a time is no number, a range ends before it starts, has no identity,
            or two ranges of one track overlap; one line for each.

    Example:
        >>> read_decisions(Path("identities.csv"))[["track_id", "identity"]]  # doctest: +SKIP
    """
    table = read_table(path)
    refuse(path, [*missing_columns(table.cells, _REQUIRED), *repeated_columns(table.cells)])
    refuse(path, _cell_problems(table))
    cells = table.cells[table.cells["identity"] != ""]
    bounds = zip(RANGE, (-np.inf, np.inf), strict=True)
    ranges = {name: table.numbers(name)[cells.index].fillna(far) if name in cells else far for name, far in bounds}
    decisions = cells[list(_REQUIRED)].assign(track_id=cells["track_id"].astype(np.int64), **ranges)
    refuse(path, _range_problems(decisions))
    return decisions


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The decisions on one video, with the track ids that follow from them.

    All that is one identity becomes one track: its id is the smallest of those it was recorded under, or the smallest
    still free where another identity has that one. What is left of a track that was split keeps its id where no
    identity took it. Where no recorded id is free, numbers after the last recorded one are used.

    Attributes:
        decisions: rows of `read_decisions` of one video, and `merged_id`.
        rests: the id of what no decision names, for tracks whose own id was taken.
    """

    decisions: pd.DataFrame
    rests: dict[int, int]

    @classmethod
    def of(cls, decisions: pd.DataFrame, recorded_ids: IntArray) -> People:
        """Number the identities of one video.

        Args:
            decisions: rows of `read_decisions`, all of this video.
            recorded_ids: the track ids of its faces, in any order, repeated or not.
        """
        ordered = decisions.sort_values(["track_id", "start_s"], kind="stable")
        unused = count(int(np.append(recorded_ids, ordered["track_id"]).max(initial=0)) + 1)
        taken: set[int] = set()
        merged: dict[str, int] = {}
        for identity, own in ordered.groupby("identity", sort=False)["track_id"]:
            free = [int(track_id) for track_id in own if track_id not in taken]
            merged[str(identity)] = free[0] if free else next(unused)
            taken.add(merged[str(identity)])
        is_split = np.isfinite(ordered[list(RANGE)].to_numpy()).any(axis=1)
        lost = [int(track_id) for track_id in ordered["track_id"][is_split].unique() if track_id in taken]
        rests = dict(zip(lost, unused, strict=False))
        return cls(decisions.assign(merged_id=decisions["identity"].map(merged).astype(np.int64)), rests)

    @property
    def names(self) -> dict[int, str]:
        """The identities by their track id."""
        return dict(zip(self.decisions["merged_id"].tolist(), self.decisions["identity"], strict=True))

    def decide(self, faces: pd.DataFrame) -> IntArray:
        """Return the position of the decision on each row (n,) of `track_id`, `time_s`; -1 where there is none."""
        track_ids, times_s = faces["track_id"].to_numpy(), faces["time_s"].to_numpy()
        chosen = np.full(len(faces), _UNDECIDED)
        for at, (track_id, start_s, end_s) in enumerate(
            self.decisions[["track_id", *RANGE]].itertuples(index=False, name=None)
        ):
            chosen[(track_ids == track_id) & (times_s >= start_s) & (times_s < end_s)] = at
        return chosen

    def apply(self, faces: pd.DataFrame) -> pd.DataFrame:
        """Return rows of a faces table with `track_id` as decided, `original_track_id` and `identity` (or missing)."""
        chosen, recorded = self.decide(faces), faces["track_id"]
        others = recorded.replace(self.rests)
        names = pd.Index(self.decisions["identity"].unique(), dtype=object)
        codes = np.append(names.get_indexer(self.decisions["identity"]), -1)
        merged = np.append(self.decisions["merged_id"].to_numpy(), 0)
        track_ids = others.where(chosen == _UNDECIDED, merged[chosen]).astype(recorded.dtype)
        identity = pd.Categorical.from_codes(codes[chosen], categories=names)
        return faces.assign(track_id=track_ids, original_track_id=recorded, identity=identity)


def _cell_problems(table: TextTable) -> Iterator[str]:
    decided = table.cells["identity"] != ""
    for line, text in table.cells["track_id"][decided].items():
        if not (text.isascii() and text.isdigit()):
            yield f", line {line}: track_id {text!r} is not a whole number"
        elif len(text.lstrip("0")) > _MOST_DIGITS:
            yield f", line {line}: track_id {text} is larger than any id of a track"
    for name in [name for name in RANGE if name in table.cells]:
        text = table.cells[name]
        for line, value in text[table.numbers(name).isna() & (text != "")].items():
            yield f", line {line}: {name} {value!r} is not a number of seconds"
        for line in text.index[(text != "") & ~decided]:
            yield f", line {line}: {name} without an identity: name whom this time belongs to"


def _range_problems(decisions: pd.DataFrame) -> Iterator[str]:
    for line, start_s, end_s in decisions[list(RANGE)].itertuples(name=None):
        if end_s <= start_s:
            yield f", line {line}: end_s {end_s:g} is not after start_s {start_s:g}"
    several = decisions[decisions.duplicated(["video_id", "track_id"], keep=False)]
    for (video_id, track_id), ranges in several.groupby(["video_id", "track_id"], sort=False):
        yield from _overlaps(f"track {track_id} of {video_id!r}", ranges.sort_values("start_s", kind="stable"))


def _overlaps(track: str, ranges: pd.DataFrame) -> Iterator[str]:
    lines: Sequence[int] = ranges.index.tolist()
    latest_s, latest = -np.inf, lines[0]
    for line, (start_s, end_s) in zip(lines, ranges[list(RANGE)].to_numpy(), strict=True):
        if start_s < latest_s:
            first, second = sorted((latest, line))
            yield f", lines {first} and {second}: {track} is named twice at {max(start_s, 0):g} s: part the times"
        if end_s > latest_s:
            latest_s, latest = end_s, line

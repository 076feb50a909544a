"""Tables of any length brought down to the columns of a chart, track by track."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from videmo.findings.timeline import INSTANT_S, Bins, Float64Array, frame_durations, timelines


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The time of a chart, cut into `columns` equal pieces."""

    start_s: float
    end_s: float
    columns: int

    @property
    def width_s(self) -> float:
        """What one column covers."""
        return (self.end_s - self.start_s) / self.columns

    @staticmethod
    def of(frames: pd.DataFrame, columns: int) -> TimeAxis:
        """Return the axis from the first analysed frame to the end of the last; one second where there is none."""
        if frames.empty:
            return TimeAxis(0.0, 1.0, columns)
        times_s = frames["time_s"].to_numpy()
        return TimeAxis(float(times_s[0]), float(times_s[-1] + frame_durations(times_s)[-1]), columns)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A track (or several pooled) on a time axis of w columns.

    Attributes:
        name: what the chart calls it.
        seen_s: seconds seen in each column (w,).
        weighted: seconds times probability in each column (w, E).
    """

    name: str
    seen_s: Float64Array
    weighted: Float64Array

    @property
    def means(self) -> Float64Array:
        """Mean probability in each column (w, E), NaN where nothing was seen."""
        seen = self.seen_s > INSTANT_S
        divisor = np.where(seen, self.seen_s, np.nan)
        return np.asarray(self.weighted / divisor[:, None])


def sum_tracks(
    frames: pd.DataFrame, faces: Iterable[pd.DataFrame], labels: Sequence[str], axis: TimeAxis
) -> dict[int, list[Bins]]:
    """Return the sums of each track over the columns of `axis`, in pieces; memory grows with columns, not with rows.

    A track that is never usable has no pieces.
    """
    pieces: dict[int, list[Bins]] = {}
    for rows in faces:
        for track_id in rows["track_id"].unique():
            pieces.setdefault(int(track_id), [])
        for line in timelines(frames, rows, labels):
            pieces[line.track_id].append(line.binned(axis.width_s))
    return pieces


def choose_bands(
    pieces: dict[int, list[Bins]], axis: TimeAxis, most: int, names: Mapping[int, str]
) -> tuple[list[Band], str]:
    """Return the bands to draw, by track_id, and a note; beyond `most` tracks the shorter ones share the last band.

    Tracks that are never usable have no band: the note counts them.

    `names` holds what tracks are called, by track_id; the others are called "track <track_id>".
    """
    seen_s = {track_id: sum(float(bins.seen_s.sum()) for bins in parts) for track_id, parts in pieces.items() if parts}
    longest = sorted(seen_s, key=lambda track_id: (-seen_s[track_id], track_id))
    shown, others = sorted(longest[:most]), longest[most:]
    called = {track_id: names.get(track_id, f"track {track_id}") for track_id in shown}
    bands = [_pool(f"{called[track_id]}\n{seen_s[track_id]:.1f} s", pieces[track_id], axis) for track_id in shown]
    notes = []
    if others:
        pooled_s = sum(seen_s[track_id] for track_id in others)
        share = pooled_s / sum(seen_s.values())
        bands.append(_pool(f"{len(others)} others\n{pooled_s:.1f} s", [b for i in others for b in pieces[i]], axis))
        notes.append(
            f"{len(seen_s)} tracks: the {most} longest have rows of their own, the last row is the mean of the other "
            f"{len(others)} ({pooled_s:.1f} s, {share:.0%} of the time that faces were seen)"
        )
    if never := len(pieces) - len(seen_s):
        notes.append(f"without a row: {never} {'track' if never == 1 else 'tracks'} never usable")
    return bands, "; ".join(notes)


def _pool(name: str, parts: Sequence[Bins], axis: TimeAxis) -> Band:
    origin = int(np.floor(axis.start_s / axis.width_s))
    # An axis that starts within an epoch reaches into one more; the last frame's rounding into another.
    columns, labels = axis.columns + 2, parts[0].weighted.shape[1]
    band = Band(name, np.zeros(columns), np.zeros((columns, labels)))
    for bins in parts:
        place = slice(bins.first - origin, bins.first - origin + len(bins.seen_s))
        band.seen_s[place] += bins.seen_s
        band.weighted[place] += bins.weighted
    return band

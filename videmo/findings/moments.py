"""Moments: the peaks of a signal, when they begin and end, and how far they stand out.

A moment is a local maximum of a person's signal. It begins and ends where the signal is half of its prominence below
the peak; the prominence is the height above the higher of the two valleys beside it (`scipy.signal.peak_prominences`
and `peak_widths`). Positions come from the samples' own times, by straight lines between them, so that variable frame
rates count right. Nothing reaches across a gap: beyond the end of a stretch the signal is taken to be at the baseline,
so that a moment that a gap cuts off ends there, and one that lasts for the whole stretch is found, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from videmo.errors import UsageError
from videmo.findings.aggregate import require_name
from videmo.findings.baseline import CHANGE
from videmo.findings.series import SMOOTHED
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray

PERSON: Final = ("video_id", "track_id")
TIMES: Final = ("start_s", "peak_s", "end_s", "duration_s")
FIGURES: Final = ("peak", "baseline", "strength", "prominence")
_TILT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is a moment.

    Attributes:
        min_strength: least height above the baseline, in the unit of the signal.
        min_prominence: least height above the valleys beside the peak: a shallower dip does not part two moments.
        min_duration_s: least time from start to end, s.
        top: how many to keep of each signal and person; None keeps all.

    Raises:
        UsageError: a limit is below 0, or the prominence not above it.
    """

    min_strength: float = 0.2
    min_prominence: float = 0.1
    min_duration_s: float = 0.3
    top: int | None = None

    def __post_init__(self) -> None:
        if not self.min_prominence > 0:
            raise UsageError(f"prominence of {self.min_prominence}: expected a number above 0")
        for name, value in (("strength", self.min_strength), ("duration", self.min_duration_s)):
            if value < 0:
                raise UsageError(f"{name} of {value}: expected a number from 0")


def find_moments(
    rows: pd.DataFrame, signals: Sequence[str], limits: Limits | None = None, *, key: Sequence[str] = PERSON
) -> pd.DataFrame:
    """Return the moments of each signal and person, the strongest first.

    Args:
        rows: observations or epochs of `build_timelines`; of observations the smoothed signal is taken.
        signals: names of signals, without a suffix.
        limits: what is a moment; None takes the usual ones.
        key: the columns that make a person.

    Returns:
        One row per moment, by signal, person and rank:
        video_id, track_id (the columns of `key`), signal
        rank: 1 is the strongest of the person's moments of this signal
        start_s, peak_s, end_s, duration_s: on media time (stimulus time where the rows have no `offset_s`); the peak of
            an epoch is at its middle, that of a plateau where it begins; the first of equal peaks counts
        peak: the value of the (smoothed) signal at the peak
        baseline: what the person is compared with: the baseline of the timelines where they have one
            (`<signal>_change`), else the median of the signal over time; a person without baseline time has no moments
        strength: peak - baseline
        prominence: peak - the higher of the two valleys beside it

    Raises:
        UsageError: the rows have no such signal.

    Example:
        >>> rows = pd.DataFrame({"video_id": "v", "track_id": 1, "time_s": range(9), "duration_s": 1.0})
        >>> rows["happiness_smoothed"] = [0, 0, 0, 0.4, 0.8, 0.4, 0, 0, 0]
        >>> find_moments(rows, ["happiness"])[["start_s", "peak_s", "end_s", "strength"]].values.tolist()
        [[3.0, 4.0, 5.0, 0.8]]
    """
    limits, tables = limits or Limits(), []
    for signal in signals:
        moments = _peaks(_samples(rows, signal, key), key, limits)
        moments = moments[moments["duration_s"] >= limits.min_duration_s - INSTANT_S].assign(signal=signal)
        moments = moments.sort_values([*key, "strength", "start_s"], ascending=[*(True for _ in key), False, True])
        moments["rank"] = moments.groupby(list(key)).cumcount() + 1
        tables.append(moments if limits.top is None else moments[moments["rank"] <= limits.top])
    columns = [*key, "signal", "rank", *TIMES, *FIGURES]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _samples(rows: pd.DataFrame, signal: str, key: Sequence[str]) -> pd.DataFrame:
    """Return the known values by person and time: `start_s` to `end_s` they hold, `at_s` they are drawn."""
    if "epoch_start_s" in rows:
        column, offset_s = signal, rows["offset_s"].fillna(0.0) if "offset_s" in rows else 0.0
        start_s, end_s = rows["epoch_start_s"] + offset_s, rows["epoch_end_s"] + offset_s
        at_s = (start_s + end_s) / 2
    else:
        column, start_s, at_s = f"{signal}{SMOOTHED}", rows["time_s"], rows["time_s"]
        end_s = start_s + rows["duration_s"]
    require_name("signal", column, rows.columns)
    samples = rows[list(key)].assign(start_s=start_s, at_s=at_s, end_s=end_s, value=rows[column].astype(float))
    if f"{signal}{CHANGE}" in rows:
        samples["baseline"] = samples["value"] - rows[f"{signal}{CHANGE}"]
    samples = samples.dropna().sort_values([*key, "start_s"], ignore_index=True)
    samples["person"] = samples.groupby(list(key)).ngroup()
    if "baseline" not in samples:
        samples["baseline"] = _medians(samples)
    return samples


def _medians(samples: pd.DataFrame) -> Float64Array:
    """Return the median over time of each sample's person."""
    values, lengths_s = samples["value"].to_numpy(), (samples["end_s"] - samples["start_s"]).to_numpy()
    counts = np.bincount(samples["person"])
    edges = counts.cumsum()[:-1]
    parts = zip(np.split(values, edges), np.split(lengths_s, edges), strict=True)
    medians = [np.quantile(v, 0.5, weights=w, method="inverted_cdf") for v, w in parts if len(v)]
    return np.repeat(np.array(medians, np.float64), counts)


def _peaks(samples: pd.DataFrame, key: Sequence[str], limits: Limits) -> pd.DataFrame:
    """Return the peaks of all stretches of all persons, found at once on one line."""
    if samples.empty:
        return pd.DataFrame(columns=[*key, *TIMES, *FIGURES])
    index, level, times_s = _one_line(samples)
    # Of equal peaks only the first is to count in full: each point is lower than those before it by next to nothing.
    tilt = np.arange(len(level)) * _TILT
    least = samples["baseline"].to_numpy()[index] + limits.min_strength - tilt
    peaks, found = find_peaks(level - tilt, height=(least, samples["value"].max()), prominence=0)
    prominences = level[peaks] - np.maximum(level[found["left_bases"]], level[found["right_bases"]])
    stands_out = prominences >= limits.min_prominence
    peaks, prominences = peaks[stands_out], prominences[stands_out]
    bases = (prominences, found["left_bases"][stands_out], found["right_bases"][stands_out])
    _, _, left, right = peak_widths(level, peaks, rel_height=0.5, prominence_data=bases)
    start_s, end_s = (np.interp(edge, np.arange(len(level)), times_s) for edge in (left, right))
    at: pd.DataFrame = samples.iloc[index[peaks]].reset_index(drop=True)
    times = {"start_s": start_s, "peak_s": at["at_s"], "end_s": end_s, "duration_s": end_s - start_s}
    figures = {"peak": at["value"], "strength": at["value"] - at["baseline"], "prominence": prominences}
    return at[[*key, "baseline"]].assign(**times, **figures)


def _one_line(samples: pd.DataFrame) -> tuple[IntArray, Float64Array, Float64Array]:
    """Return the stretches one after the other: the sample, the value and the time of each point of the line.

    Before each stretch stand a wall, which no search for a valley gets over, a point at the baseline, and the first
    value when it begins to hold; after it the last value when it ceases to, and a point at the baseline.
    """
    first = ~_follows(samples)
    last = np.append(first[1:], True)
    counts = 1 + 3 * first + 2 * last
    index = np.repeat(np.arange(len(samples)), counts)
    place = np.arange(len(index)) - np.repeat(counts.cumsum() - counts + 3 * first, counts)  # 0: the sample itself
    columns = {
        name: samples[name].to_numpy(np.float64)[index] for name in ("value", "baseline", "start_s", "at_s", "end_s")
    }
    outside = np.isin(place, (-2, 2))
    level = np.select([place == -3, outside], [np.inf, columns["baseline"]], columns["value"])
    times_s = np.select([place < 0, place > 0], [columns["start_s"], columns["end_s"]], columns["at_s"])
    return index, level, times_s


def _follows(samples: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether each sample goes on from the one before it without a gap."""
    person, start_s, end_s = (samples[name].to_numpy() for name in ("person", "start_s", "end_s"))
    near = (person[1:] == person[:-1]) & (start_s[1:] - end_s[:-1] <= INSTANT_S)
    return np.concatenate([[False], near])

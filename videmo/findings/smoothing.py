"""Filters that know the time of every value: windows are seconds, never numbers of rows.

Each works on runs: stretches of a track without a longer gap, so that nothing is mixed across one. Values are smoothed
column by column; smoothed probabilities need not sum to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.interpolate import make_interp_spline
from scipy.signal import savgol_filter

from videmo.errors import UsageError
from videmo.findings.running_median import running_median
from videmo.findings.timeline import Float64Array, IntArray

_NS = 1e9
_HALF_LIVES_APART = 100.0  # leaves 2^-100 of the run before: nothing in double precision
_TIE_NS = 1000  # rounding of times must not keep two halves from being as heavy
_MOST_POINTS_PER_VALUE = 4  # of the even grid, so that one tiny step cannot make it endless


class Smoother(Protocol):
    """A filter over time."""

    @property
    def lag_s(self) -> float:
        """How far the smoothed values trail behind the raw ones, s."""
        ...

    def smooth(self, times_s: Float64Array, values: Float64Array, runs: IntArray) -> Float64Array:
        """Return the smoothed values (t, c).

        Args:
            times_s: (t,) increasing within each run.
            values: (t, c), without NaN.
            runs: (t,) number of the run of each row, from 0, not decreasing, none left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class MedianFilter:
    """Median of the values within half of `window_s` before and after, ends included; removes outliers, keeps steps.

    A value weighs the time that is nearer to it than to its neighbours, so that a spike stays short where the frames
    are dense; half of the weight lies on either side of the median. No lag: it looks ahead by half a window.
    Tukey, Exploratory Data Analysis (1977).

    Example:
        >>> line = np.array([[0.0], [1.0], [0.0]])
        >>> MedianFilter(2.0).smooth(np.arange(3.0), line, np.zeros(3, int)).ravel().tolist()
        [0.5, 0.0, 0.5]
    """

    window_s: float

    def __post_init__(self) -> None:
        _require_positive(self.window_s, "window")

    @property
    def lag_s(self) -> float:
        """Always 0 s."""
        return 0.0

    def smooth(self, times_s: Float64Array, values: Float64Array, runs: IntArray) -> Float64Array:
        """Return the running median (t, c); see `Smoother.smooth`."""
        line = _as_one_line(times_s, runs, 2 * self.window_s)
        half = round(self.window_s * _NS) // 2
        first, end = np.searchsorted(line, line - half, "left"), np.searchsorted(line, line + half, "right")
        held = np.add(*_steps(line, runs))
        columns = [running_median(column, held, first, end, tie=_TIE_NS) for column in values.T]
        return np.stack(columns, axis=1) if columns else values


@dataclass(frozen=True, slots=True)
class ExponentialAverage:
    """Mean over the time so far, which weighs half as much with every `half_life_s` it is older.

    A value stands for the time since the one before it, the first for as long as the second. Looks back only, hence
    the lag: the mean age of what the value is made of, in a long and dense run.
    """

    half_life_s: float

    def __post_init__(self) -> None:
        _require_positive(self.half_life_s, "half-life")

    @property
    def lag_s(self) -> float:
        """Mean age of the values averaged, `half_life_s` / ln 2."""
        return float(self.half_life_s / np.log(2))

    def smooth(self, times_s: Float64Array, values: Float64Array, runs: IntArray) -> Float64Array:
        """Return the exponentially weighted mean (t, c); see `Smoother.smooth`."""
        line = _as_one_line(times_s, runs, _HALF_LIVES_APART * self.half_life_s)
        half_life = pd.Timedelta(seconds=self.half_life_s)
        since = _steps(line, runs)[0]
        weights = -np.expm1(-np.log(2) * since / half_life.value)[:, None]  # 2^-age over that time, but for a factor
        sums = pd.DataFrame(np.concatenate([weights * values, weights], axis=1))
        means = sums.ewm(halflife=half_life, times=line.astype("datetime64[ns]")).mean().to_numpy()
        return np.asarray(means[:, :-1] / means[:, -1:])


@dataclass(frozen=True, slots=True)
class SavitzkyGolay:
    """Least-squares polynomial of `order` over `window_s`; keeps the height of peaks better than a mean does.

    The values are put on an even grid (their median step) by straight lines, filtered and read back at their own times.
    A run shorter than the window is filtered over its own length, one too short for the order stays as it is. May leave
    the range of the values. No lag: it looks ahead by half a window. Savitzky, Golay, Analytical Chemistry 36 (1964).
    """

    window_s: float
    order: int = 2

    def __post_init__(self) -> None:
        _require_positive(self.window_s, "window")
        if self.order < 0:
            raise UsageError(f"order of {self.order}: expected a whole number from 0")

    @property
    def lag_s(self) -> float:
        """Always 0 s."""
        return 0.0

    def smooth(self, times_s: Float64Array, values: Float64Array, runs: IntArray) -> Float64Array:
        """Return the filtered values (t, c); see `Smoother.smooth`."""
        edges = np.flatnonzero(np.diff(runs)) + 1
        parts = zip(np.split(times_s, edges), np.split(values, edges), strict=True)
        return np.concatenate([self._smooth_run(*part) for part in parts]) if len(values) else values

    def _smooth_run(self, times_s: Float64Array, values: Float64Array) -> Float64Array:
        length_s = times_s[-1] - times_s[0]
        steps = round(length_s / np.median(np.diff(times_s))) if len(times_s) > 1 else 0
        points = min(steps, _MOST_POINTS_PER_VALUE * len(times_s)) + 1
        width = min(
            2 * round(self.window_s / length_s * (points - 1) / 2) + 1 if length_s else 1, points - 1 + points % 2
        )
        if width <= self.order:
            return values
        grid_s = np.linspace(times_s[0], times_s[-1], points)
        even = make_interp_spline(times_s, values, k=1)(grid_s)
        filtered = savgol_filter(even, width, self.order, axis=0)
        return np.asarray(make_interp_spline(grid_s, filtered, k=1)(times_s))


def _require_positive(seconds: float, what: str) -> None:
    if not seconds > 0:
        raise UsageError(f"{what} of {seconds} s: expected a length above 0")


def _as_one_line(times_s: Float64Array, runs: IntArray, apart_s: float) -> IntArray:
    """Return times in ns at which all runs follow one another, `apart_s` between them: one filter does for all."""
    if not len(times_s):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(runs, prepend=runs[0] - 1))
    ends = np.append(starts[1:], len(runs)) - 1
    lengths_s = times_s[ends] - times_s[starts] + apart_s
    offsets_s = np.cumsum(lengths_s) - lengths_s - times_s[starts]
    line_s = times_s + np.repeat(offsets_s, ends - starts + 1)
    return np.asarray(np.rint(line_s * _NS), np.int64)


def _steps(line: IntArray, runs: IntArray) -> tuple[IntArray, IntArray]:
    """Return how long before each row (t,) the last one was, and after it the next, ns; at the ends of runs the other.

    Both are 1 ns in a run of one row.
    """
    within = np.where(np.diff(runs) == 0, np.diff(line), 0)
    before, after = np.append(0, within)[: len(line)], np.append(within, 0)[: len(line)]
    return np.maximum(np.where(before, before, after), 1), np.maximum(np.where(after, after, before), 1)

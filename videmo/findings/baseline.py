"""Each person measured against themselves: how signals differ from that person's baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray

CHANGE = "_change"


def seconds_in_window(rows: pd.DataFrame, start_s: float, end_s: float) -> pd.Series[float]:
    """Return how much of each row's time lies in [start_s, end_s), on stimulus time where the study gives `offset_s`.

    Args:
        rows: `time_s`, `duration_s` and perhaps `offset_s`; an observation holds from `time_s` for `duration_s`.
        start_s: the window's start.
        end_s: its end.

    Raises:
        UsageError: the window has no length.
    """
    if not end_s > start_s:
        raise UsageError(f"baseline from {start_s} to {end_s} s: expected an end after the start")
    offset_s = rows["offset_s"].fillna(0) if "offset_s" in rows else 0.0
    return _seconds_in(rows, start_s + offset_s, end_s + offset_s)


def choose_segments(segments: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the segments of a run that have a name; raises UsageError, naming those there are, where none has it."""
    chosen = segments[segments["segment"] == name]
    if chosen.empty:
        there = ", ".join(segments["segment"].unique()) or "none: give them with `videmo analyze --segments`"
        raise UsageError(f"baseline {name!r}: no segment of this name in the run; it has {there}")
    return chosen


def seconds_in_segments(rows: pd.DataFrame, segments: pd.DataFrame) -> pd.Series[float]:
    """Return how much of each row's time (`time_s`, `duration_s`) lies in any of the segments; both of one video."""
    spans = segments.sort_values("start_s")
    ends_s = spans["end_s"].cummax()
    # Each segment from where those before it have ended: what overlaps counts once.
    starts_s = np.maximum(spans["start_s"], ends_s.shift(fill_value=-np.inf))
    parts = [_seconds_in(rows, *span) for span in zip(starts_s, ends_s, strict=True)]
    return sum(parts, pd.Series(0.0, rows.index))


def _seconds_in(
    rows: pd.DataFrame, start_s: pd.Series[float] | float, end_s: pd.Series[float] | float
) -> pd.Series[float]:
    ends_s = rows["time_s"] + rows["duration_s"]
    shared_s = np.minimum(ends_s, end_s) - np.maximum(rows["time_s"], start_s)
    return pd.Series(np.maximum(shared_s, 0.0), rows.index)


def subtract_baseline(
    rows: pd.DataFrame,
    signals: Sequence[str],
    within_s: pd.Series[float],
    *,
    by: Sequence[str] = ("video_id", "track_id"),
) -> pd.DataFrame:
    """Return the rows with each signal's difference from the person's mean over the baseline.

    The mean is weighted by the time that a row is within the baseline: one that reaches beyond it counts by its share,
    so that a baseline which ends with a stimulus' start holds nothing of the answer. A row without a value of a signal
    has no weight for that signal.

    Args:
        rows: series of one or more videos (`build_series`), the study's columns carried where `by` needs them.
        signals: the columns to correct.
        within_s: how much of each row's time is baseline, s: `seconds_in_window(rows, 0, 5)` or `seconds_in_segments`.
        by: what makes a person; `["respondent"]` takes one baseline from all files of a respondent.

    Returns:
        `rows` with `baseline_s` (how much time with any value the person's baseline has) and `<signal>_change`; the
        change is NaN for a person without any baseline time or without a name.

    Raises:
        UsageError: a column of `by` is not in the table.

    Example:
        >>> subtract_baseline(series, ["happiness"], seconds_in_window(series, 0, 5))  # doctest: +SKIP
    """
    missing = [name for name in by if name not in rows]
    if missing:
        raise UsageError(f"no column {', '.join(missing)} in the table: give a manifest, or another key for a person")
    keys = rows.groupby(list(by), sort=False)
    person, people = np.asarray(keys.ngroup().fillna(-1), np.int64), keys.ngroups
    values = rows[list(signals)].to_numpy(np.float64)
    known, weights_s = ~np.isnan(values), np.where(person >= 0, within_s, 0.0)
    total_s = np.stack([_sum_by(person, weights_s * column, people) for column in known.T], axis=1)
    sums = np.stack([_sum_by(person, weights_s * column, people) for column in np.nan_to_num(values).T], axis=1)
    means = sums / np.where(total_s > INSTANT_S, total_s, np.nan)
    baseline_s = _sum_by(person, weights_s * known.any(axis=1), people)[person]
    changes = pd.DataFrame(values - means[person], rows.index, [f"{name}{CHANGE}" for name in signals])
    return pd.concat([rows.assign(baseline_s=baseline_s), changes], axis=1)


def _sum_by(person: IntArray, values: Float64Array, people: int) -> Float64Array:
    """Return the sum of each person, and NaN at the end: what rows of nobody (-1) are given."""
    named = person >= 0
    return np.append(np.bincount(person[named], values[named], minlength=people), np.nan)

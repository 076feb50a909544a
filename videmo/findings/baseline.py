"""Each person measured against themselves: how signals differ from that person's baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.segment_summary import label_rows
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray

CHANGE = "_change"


def in_window(rows: pd.DataFrame, start_s: float, end_s: float) -> pd.Series[bool]:
    """Return which rows lie in [start_s, end_s), on stimulus time where the study gives `offset_s`.

    Raises:
        UsageError: the window has no length.
    """
    if not end_s > start_s:
        raise UsageError(f"baseline from {start_s} to {end_s} s: expected an end after the start")
    times_s = rows["time_s"] - rows["offset_s"].fillna(0) if "offset_s" in rows else rows["time_s"]
    return (times_s >= start_s) & (times_s < end_s)


def choose_segments(segments: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the segments of a run that have a name; raises UsageError, naming those there are, where none has it."""
    chosen = segments[segments["segment"] == name]
    if chosen.empty:
        there = ", ".join(segments["segment"].unique()) or "none: give them with `videmo analyze --segments`"
        raise UsageError(f"baseline {name!r}: no segment of this name in the run; it has {there}")
    return chosen


def in_segments(rows: pd.DataFrame, segments: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows (`video_id`, `time_s`) lie in any of the segments, on media time; see `label_rows`."""
    labelled = label_rows(rows[["video_id", "time_s"]].reset_index(drop=True), segments)["segment"].dropna()
    return pd.Series(np.isin(np.arange(len(rows)), labelled.index), rows.index)


def subtract_baseline(
    rows: pd.DataFrame, signals: Sequence[str], within: pd.Series[bool], *, by: Sequence[str] = ("video_id", "track_id")
) -> pd.DataFrame:
    """Return the rows with each signal's difference from the person's mean over the baseline.

    The mean is weighted by `duration_s`; a row without a value of a signal has no weight for that signal.

    Args:
        rows: series of one or more videos (`build_series`), the study's columns carried where `by` needs them.
        signals: the columns to correct.
        within: which rows are baseline: `in_window(rows, 0, 5)`, or `label_rows(...)["segment"] == "rest"`.
        by: what makes a person; `["respondent"]` takes one baseline from all files of a respondent.

    Returns:
        `rows` with `baseline_s` (how much time with any value the person's baseline has) and `<signal>_change`; the
        change is NaN for a person without any baseline time or without a name.

    Raises:
        UsageError: a column of `by` is not in the table.

    Example:
        >>> subtract_baseline(series, ["happiness"], in_window(series, 0, 5), by=["respondent"])  # doctest: +SKIP
    """
    missing = [name for name in by if name not in rows]
    if missing:
        raise UsageError(f"no column {', '.join(missing)} in the table: give a manifest, or another key for a person")
    keys = rows.groupby(list(by), sort=False)
    person, people = np.asarray(keys.ngroup().fillna(-1), np.int64), keys.ngroups
    values = rows[list(signals)].to_numpy(np.float64)
    known, weights_s = ~np.isnan(values), np.where(within.to_numpy(bool) & (person >= 0), rows["duration_s"], 0.0)
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

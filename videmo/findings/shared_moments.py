"""Moments that many respondents have: the peaks of the mean curve of a stimulus, and how many share each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from videmo.findings.aggregate import ALL, Stimulus, stimuli
from videmo.findings.baseline import CHANGE
from videmo.findings.moments import FIGURES, TIMES, Limits, find_moments

_SHARED: Final = ("respondents", "with_moment", "share")
_LEAST_SHARE: Final = 0.5
"""Of the largest number of respondents seen in an epoch: where fewer are, their mean is not that of the stimulus."""


def shared_moments(epochs: pd.DataFrame, signals: Sequence[str], limits: Limits | None = None) -> pd.DataFrame:
    """Return the moments of each stimulus: those of the mean curve over respondents, and how many share each.

    The curve is the mean over the respondents seen and usable in an epoch, each counting once whatever their number of
    videos and tracks; it pauses where fewer than half as many are as at most, so that the last face left at the end of
    a stimulus is no moment of all. The same limits hold for it and for the moments of the respondents. What is before
    the stimulus is left out.

    Args:
        epochs: epochs on stimulus time (`build_timelines` with `epoch_s`).
        signals: names of signals.
        limits: what is a moment, of the curve and of a respondent; `top` holds for each stimulus and signal.

    Returns:
        One row per moment, by stimulus, signal and rank: `stimulus` ("all" where the study names none) and the columns
        of `find_moments`, times on stimulus time, figures of the mean curve, and
        respondents: how many were seen and usable at some time between start and end
        with_moment: how many of these have a moment of this signal of their own that overlaps with it
        share: `with_moment` / `respondents`, 0..1

    Raises:
        UsageError: the epochs have no such signal.
    """
    limits = limits or Limits()
    tables = []
    for stimulus in stimuli(epochs, from_s=0.0):
        for signal in signals:
            people = _people(stimulus, signal)
            mean = _mean_curve(people)
            shared = find_moments(mean.assign(stimulus=stimulus.name), [signal], limits, key=["stimulus"])
            own = find_moments(people, [signal], replace(limits, top=None), key=["respondent"])
            tables.append(pd.concat([shared, _count(shared, people, own)], axis=1))
    columns = ["stimulus", "signal", "rank", *TIMES, *FIGURES, *_SHARED]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _people(stimulus: Stimulus, signal: str) -> pd.DataFrame:
    """Return a row for each respondent and epoch with a value: the signal, and its change where there is a baseline."""
    names = [signal, *(name for name in [f"{signal}{CHANGE}"] if name in stimulus.groups[ALL])]
    tables = [stimulus.matrix(ALL, name).melt(ignore_index=False, value_name=name).reset_index() for name in names]
    people = tables[0].assign(**{name: table[name] for name, table in zip(names, tables, strict=True)}).dropna()
    starts_s = people["epoch_start_s"].astype(float)
    return people.assign(epoch_start_s=starts_s, epoch_end_s=starts_s + stimulus.epoch_s)


def _mean_curve(people: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over respondents of each epoch in which enough of them were seen."""
    epochs = people.drop(columns="respondent").groupby(["epoch_start_s", "epoch_end_s"])
    counts = epochs.size()
    return epochs.mean()[counts >= _LEAST_SHARE * counts.max()].reset_index()


def _count(shared: pd.DataFrame, people: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return for each shared moment how many respondents were seen, and how many of them have one of their own."""
    rows = []
    for start_s, end_s in zip(shared["start_s"], shared["end_s"], strict=True):
        seen = people[(people["epoch_start_s"] < end_s) & (people["epoch_end_s"] > start_s)]["respondent"].nunique()
        with_moment = own[(own["start_s"] < end_s) & (own["end_s"] > start_s)]["respondent"].nunique()
        rows.append((seen, with_moment, with_moment / seen))
    return pd.DataFrame(rows, columns=list(_SHARED))

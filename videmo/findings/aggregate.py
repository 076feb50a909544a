"""Many respondents become one curve: means over respondents on stimulus time, and how many show an expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.findings.affect import AFFECT
from videmo.findings.baseline import CHANGE
from videmo.findings.bootstrap import mean_bands
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray

ALL: Final = "all"
"""What stands for the stimulus or the group where the study names none."""

SHOWN: Final = 0.5
"""Mean probability from which a respondent shows an expression in an epoch: likelier than all others together.

Unlike "the highest of all", it does not depend on which other labels the preset knows.
"""

_KEYS = ("stimulus", "group", "signal", "epoch_start_s", "epoch_end_s")
_FIGURES = ("respondents", "mean", "low", "high", "showing")
_NOT_SHOWN = AFFECT[1:]  # valence and arousal are no probabilities
_DIGITS = 9  # of seconds: equal epochs of two videos must be equal numbers


@dataclass(frozen=True, slots=True, eq=False)
class Stimulus:
    """What all respondents watched.

    Attributes:
        name: the study's name, "all" where it gives none.
        groups: the epochs of each group of respondents, by its name; one group "all" where nothing makes groups.
        grid_s: starts of the epochs from the first to the last of all groups, s of stimulus time.
        epoch_s: their length, s.
    """

    name: str
    groups: Mapping[str, pd.DataFrame]
    grid_s: pd.Index[float]
    epoch_s: float

    @staticmethod
    def of(name: str, groups: Mapping[str, pd.DataFrame]) -> Stimulus:
        """Return a stimulus on the epochs of its groups."""
        rows = pd.concat(groups.values())
        return Stimulus(name, groups, epoch_grid(rows), _width(rows))

    @property
    def ends_s(self) -> pd.Index[float]:
        """The ends of the epochs, s."""
        return pd.Index(np.round(self.grid_s.to_numpy() + self.epoch_s, _DIGITS), dtype=np.float64)

    def matrix(self, group: str, signal: str) -> pd.DataFrame:
        """Return the `respondent_matrix` of a group, on the epochs of all groups."""
        return respondent_matrix(self.groups[group], signal, grid_s=self.grid_s)


def stimuli(epochs: pd.DataFrame, by: str | None = None, *, from_s: float | None = None) -> Iterator[Stimulus]:
    """Yield each stimulus of a study with the epochs of its groups, both sorted by name.

    Without a column `stimulus`, and where the stimuli are the groups themselves, all epochs are of one stimulus. Rows
    without a stimulus or a group are left out.

    Args:
        epochs: epochs on stimulus time (`build_timelines`).
        by: the study's column that makes the groups.
        from_s: leave out the epochs that start before this stimulus time, s.

    Raises:
        UsageError: the table has no column `by`.
    """
    if by is not None:
        require_name("column", by, epochs.columns)
    if from_s is not None:
        epochs = epochs[epochs["epoch_start_s"] >= from_s - INSTANT_S]
    split = "stimulus" in epochs and by != "stimulus"
    for name, rows in epochs.groupby("stimulus", sort=True) if split else [(ALL, epochs)]:
        groups = {str(group): part for group, part in rows.groupby(by, sort=True)} if by else {ALL: rows}
        if any(map(len, groups.values())):
            yield Stimulus.of(str(name), groups)


def respondent_matrix(
    epochs: pd.DataFrame, signal: str, key: str = "respondent", *, grid_s: pd.Index[float] | None = None
) -> pd.DataFrame:
    """Return a signal as a row for each respondent and a column for each epoch.

    Several videos (or tracks) of a respondent are averaged, weighted by `seen_s`. An epoch in which a respondent was
    not seen is NaN, also where it is bridged. A video without a respondent in the study is a respondent of its own.

    Args:
        epochs: epochs on stimulus time (`build_timelines`), of one stimulus and one condition.
        signal: the column to take.
        key: the column that names the respondents.
        grid_s: starts of the epochs to give, which hold those of `epochs`; None gives `epoch_grid(epochs)`.

    Returns:
        Respondents, sorted, by `epoch_start_s`.

    Raises:
        UsageError: the table has no such signal.

    Example:
        >>> rows = {"video_id": ["a", "b"], "respondent": ["r", "s"], "seen_s": [1.0, 1.0], "happiness": [0.2, 0.6]}
        >>> epochs = pd.DataFrame(rows).assign(epoch_start_s=0.0, epoch_end_s=1.0)
        >>> respondent_matrix(epochs, "happiness")[0.0].to_dict()
        {'r': 0.2, 's': 0.6}
    """
    require_name("signal", signal, epochs.columns)
    grid_s = epoch_grid(epochs) if grid_s is None else grid_s
    codes, names = pd.factorize(respondents_of(epochs, key), sort=True)
    values = epochs[signal].to_numpy(np.float64)
    weights_s = np.where(np.isnan(values), 0.0, epochs["seen_s"].to_numpy(np.float64))
    columns = grid_s.get_indexer(_starts(_numbers(epochs), epochs))
    place, size = codes * len(grid_s) + columns, len(names) * len(grid_s)
    total_s = np.bincount(place, weights_s, minlength=size)
    sums = np.bincount(place, weights_s * np.nan_to_num(values), minlength=size)
    means = sums / np.where(total_s > INSTANT_S, total_s, np.nan)
    return pd.DataFrame(means.reshape(len(names), len(grid_s)), pd.Index(names, name=key), grid_s)


def respondents_of(epochs: pd.DataFrame, key: str = "respondent") -> pd.Series[str]:
    """Return who each row is of: the study's name, the video where it gives none."""
    return epochs[key].fillna(epochs["video_id"]) if key in epochs else epochs["video_id"]


def epoch_grid(epochs: pd.DataFrame) -> pd.Index[float]:
    """Return the starts of all epochs from the first to the last of the table, also of those without a row."""
    numbers = _numbers(epochs)
    first, end = (int(numbers.min()), int(numbers.max()) + 1) if len(numbers) else (0, 0)
    return _starts(np.arange(first, end), epochs)


def mean_curves(
    epochs: pd.DataFrame,
    signals: Sequence[str],
    *,
    by: str | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the mean of each signal over respondents, with its band, by stimulus, group and epoch.

    Args:
        epochs: epochs on stimulus time: `build_timelines(run, TimelineOptions(epoch_s=1, person="largest"))`.
        signals: the columns to average.
        by: the study's column that makes the groups; None pools all respondents.
        confidence: of the bands, see `videmo.findings.bootstrap`.
        resamples: how many samples of respondents the bands come from.
        seed: of the resampling.

    Returns:
        One row per stimulus, group, signal and epoch from the stimulus's first to its last:
        stimulus, group: "all" where the study names none
        signal, epoch_start_s, epoch_end_s
        respondents: how many were seen and usable in the epoch
        mean: over these respondents, each counting once
        low, high: the band around it; NaN for fewer than 3 respondents, whose spread says next to nothing
        showing: share of these respondents, 0..1, whose mean probability in the epoch is 0.5 or more; for
            `<signal>_change` that of the signal itself; NaN for valence and arousal
        `attrs` holds the `confidence`.

    Raises:
        UsageError: the table lacks a signal or the column `by`.

    Example:
        >>> mean_curves(epochs, ["happiness"], by="condition")  # doctest: +SKIP
    """
    tables = [pd.DataFrame(columns=[*_KEYS, *_FIGURES])]
    for stimulus in stimuli(epochs, by):
        start_s = {"epoch_start_s": stimulus.grid_s, "epoch_end_s": stimulus.ends_s}
        for group in stimulus.groups:
            for signal in signals:
                values = stimulus.matrix(group, signal).to_numpy()
                low, high = mean_bands(values, confidence=confidence, resamples=resamples, seed=seed)
                showing = _showing(stimulus, group, signal, ~np.isnan(values))
                figures = {**_average(values), "low": low, "high": high, "showing": showing}
                keys = {"stimulus": stimulus.name, "group": group, "signal": signal, **start_s}
                tables.append(pd.DataFrame({**keys, **figures}))
    curves = pd.concat(tables[1:] or tables, ignore_index=True)
    curves.attrs["confidence"] = confidence
    return curves


def highest_means(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the curves in short: a row for each stimulus, group and signal.

    Columns:
        stimulus, group, signal
        respondents: the most that were usable in an epoch
        mean: over the epochs
        highest, low, high, at_s: the highest mean of an epoch with a band (of any, if none has one), the band, and
            when the epoch starts, s
        most_showing: the largest share of respondents who show it in one epoch
    """
    ranked = curves.dropna(subset="mean").assign(banded=lambda rows: rows["low"].notna())
    keys = list(_KEYS[:3])
    best = ranked.sort_values(["banded", "mean"], kind="stable").groupby(keys, sort=False).tail(1).set_index(keys)
    over = ranked.groupby(keys)
    figures = {"highest": best["mean"], "low": best["low"], "high": best["high"], "at_s": best["epoch_start_s"]}
    averages = {"respondents": over["respondents"].max(), "mean": over["mean"].mean()}
    return pd.DataFrame({**averages, **figures, "most_showing": over["showing"].max()}).reset_index()


def is_signed(signal: str) -> bool:
    """Return whether values of a signal may lie below 0: changes, valence, arousal."""
    return signal.endswith(CHANGE) or signal in _NOT_SHOWN


def require_name(what: str, name: str, there: Iterable[str]) -> None:
    """Raise UsageError, naming the nearest that is there, where `name` is not `there`."""
    names = [str(one) for one in there]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        way_out = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(names) or 'none'}"
        raise UsageError(f"no {what} {name!r}: {way_out}")


def _average(values: Float64Array) -> dict[str, Float64Array | IntArray]:
    usable = (~np.isnan(values)).sum(axis=0)
    return {"respondents": usable, "mean": np.nansum(values, axis=0) / np.where(usable, usable, np.nan)}


def _showing(stimulus: Stimulus, group: str, signal: str, counted: NDArray[np.bool_]) -> Float64Array:
    """Return the share of those who count for the signal (n, e): a change needs a baseline too."""
    label = signal.removesuffix(CHANGE)
    if label in _NOT_SHOWN or label not in stimulus.groups[group]:
        return np.full(len(stimulus.grid_s), np.nan)
    values = stimulus.matrix(group, label).to_numpy()
    return np.asarray(_average(np.where(counted, values >= SHOWN, np.nan))["mean"])


def _width(epochs: pd.DataFrame) -> float:
    width_s = (epochs["epoch_end_s"] - epochs["epoch_start_s"]).iloc[0] if len(epochs) else 1.0
    return round(float(width_s), _DIGITS)


def _starts(numbers: IntArray, epochs: pd.DataFrame) -> pd.Index[float]:
    return pd.Index(np.round(numbers * _width(epochs), _DIGITS), dtype=np.float64, name="epoch_start_s")


def _numbers(epochs: pd.DataFrame) -> IntArray:
    """Return which epoch each row is, 0 being the one that starts with the stimulus."""
    return np.rint(epochs["epoch_start_s"].to_numpy(np.float64) / _width(epochs)).astype(np.int64)

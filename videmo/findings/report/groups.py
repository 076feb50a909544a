"""Respondents together: mean curves, who shows what, where groups differ, how alike people go through a stimulus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from videmo.errors import UsageError
from videmo.findings.aggregate import ALL, mean_curves
from videmo.findings.comparison import compare_groups
from videmo.findings.shared_moments import shared_moments
from videmo.findings.synchrony import synchrony
from videmo.findings.tables import Run
from videmo.findings.timelines import TimelineOptions, build_timelines

EXPRESSIVENESS: Final = "expressiveness"
MOST_STIMULI, MOST_GROUPS = 6, 6
"""That are drawn; the tables have all."""

_EPOCHS_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_NUMBERS: Final = 30_000  # of all charts of groups: about 0.3 MB of the page


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What respondents have in common and where groups of them differ.

    Attributes:
        epoch_s: length of the epochs, s of stimulus time.
        signals: the expressions but neutral, and expressiveness (1 - neutral).
        curves: `videmo.findings.aggregate.mean_curves`.
        comparison: `videmo.findings.comparison.compare_groups`, empty where nothing could be compared.
        synchrony: `videmo.findings.synchrony.synchrony`, its first table.
        moments: `videmo.findings.shared_moments.shared_moments`.
        notes: what a reader must know of the comparison, or why there is none.
    """

    epoch_s: float
    signals: tuple[str, ...]
    curves: pd.DataFrame
    comparison: pd.DataFrame
    synchrony: pd.DataFrame
    moments: pd.DataFrame
    notes: tuple[str, ...]


def compare_respondents(run: Run, by: str | None) -> Groups | None:
    """Return what the respondents of a study share; None for a run without study or finished video.

    In each frame the largest usable face stands for the respondent (`TimelineOptions.person`).

    Args:
        run: the run.
        by: the study's column that makes the groups; None takes all respondents together.
    """
    study = run.study()
    if not run.video_ids or study.empty:
        return None
    signals = (
        *(label for label in run.labels if label != "neutral"),
        *([EXPRESSIVENESS] if "neutral" in run.labels else []),
    )
    epoch_s = _choose_epoch(run, study, by, len(signals))
    epochs = build_timelines(run, TimelineOptions(epoch_s=epoch_s, person="largest", signals=signals))
    comparison, notes = _compare(epochs, signals, by)
    alike, _ = synchrony(epochs, signals, by=by)
    shared = shared_moments(epochs, signals)
    return Groups(epoch_s, signals, mean_curves(epochs, signals, by=by), comparison, alike, shared, notes)


def _compare(epochs: pd.DataFrame, signals: tuple[str, ...], by: str | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if by is None:
        return pd.DataFrame(), ()
    try:
        table = compare_groups(epochs, signals, by=by)
    except UsageError as error:  # too few respondents: the page says so
        return pd.DataFrame(), (f"Not compared: {error}.",)
    return table, tuple(table.attrs["notes"])


def _choose_epoch(run: Run, study: pd.DataFrame, by: str | None, signals: int) -> float:
    """Return the shortest epoch with which the charts keep their size: 4 numbers for each signal, group and epoch."""
    drawn_s = _sum_drawn_time(run, study, by)
    most = _NUMBERS / max(4 * signals, 1)
    return next((epoch_s for epoch_s in _EPOCHS_S if drawn_s / epoch_s <= most), _EPOCHS_S[-1])


def _sum_drawn_time(run: Run, study: pd.DataFrame, by: str | None) -> float:
    """Return the time that the curves of one signal cover, s: each group's is as long as the stimulus's longest video.

    One long stimulus beside short ones must not lengthen the epochs as if all were as long.
    """
    videos = pd.DataFrame({"duration_s": run.videos().set_index("video_id")["duration_s"].reindex(run.video_ids)})
    videos["stimulus"] = study["stimulus"] if "stimulus" in study and by != "stimulus" else ALL
    videos["group"] = study[by] if by else ALL
    stimuli = videos.dropna(subset=["stimulus", "group"]).groupby("stimulus", sort=True)
    curves_s = stimuli["duration_s"].max() * stimuli["group"].nunique().clip(upper=MOST_GROUPS)
    return float(curves_s.head(MOST_STIMULI).sum())

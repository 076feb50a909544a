"""The charts of a study, written: of its groups and of its respondents, on stimulus time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from videmo.filenames import cut_name
from videmo.findings.aggregate import ALL, respondents_of, stimuli
from videmo.findings.chart_layout import ChartForm, save_chart
from videmo.findings.curve_charts import draw_curves
from videmo.findings.respondent_charts import draw_heat_map, draw_respondent, draw_ribbons

_FILE_NAME_BYTES = 120


def write_group_charts(
    epochs: pd.DataFrame,
    labels: Sequence[str],
    curves: pd.DataFrame,
    folder: Path,
    *,
    by: str | None = None,
    comparison: pd.DataFrame | None = None,
    form: ChartForm = "png",
) -> list[Path]:
    """Draw the charts of each stimulus and return their paths.

    For each stimulus: `curves_<stimulus>`, the mean curves of the groups; `heat_<stimulus>_<signal>` for each signal of
    the curves, the respondents one by one; `ribbons_<stimulus>`, the likeliest expression of each respondent.

    Args:
        epochs: epochs on stimulus time (`build_timelines` with `epoch_s` and `person="largest"`).
        labels: the columns of the probabilities, for the ribbons.
        curves: `mean_curves` of the same epochs and groups.
        folder: where the charts go.
        by: the study's column that makes the groups.
        comparison: `compare_groups` of the same epochs; None marks nothing.
        form: of the files.

    Raises:
        UsageError: the table lacks a label, a signal of the curves, or the column `by`.
        OutputError: the disk is full or the folder does not allow it.
    """
    paths, names = [], _FileNames(folder, form)
    all_groups = sorted(curves["group"].unique())
    for stimulus in stimuli(epochs, by):
        title = "" if stimulus.name == ALL else f" · {stimulus.name}"
        of_stimulus = curves[curves["stimulus"] == stimulus.name]
        compared = None if comparison is None else comparison[comparison["stimulus"] == stimulus.name]
        figure = draw_curves(of_stimulus, compared, f"Mean over respondents{title}", all_groups=all_groups)
        paths.append(save_chart(figure, names.new("curves", stimulus.name)))
        for signal in of_stimulus["signal"].unique():
            figure = draw_heat_map(stimulus, signal, f"Respondents{title}")
            paths.append(save_chart(figure, names.new("heat", stimulus.name, signal)))
        figure = draw_ribbons(stimulus, labels, f"Likeliest expression{title}")
        paths.append(save_chart(figure, names.new("ribbons", stimulus.name)))
    return paths


def write_respondent_charts(
    epochs: pd.DataFrame, labels: Sequence[str], folder: Path, *, form: ChartForm = "png"
) -> list[Path]:
    """Draw a chart for each respondent, `respondent_<name>`: a row for each of their videos; return the paths.

    Raises:
        UsageError: the table lacks a label.
        OutputError: the disk is full or the folder does not allow it.
    """
    names = _FileNames(folder, form)
    who = respondents_of(epochs)
    return [
        save_chart(draw_respondent(rows, labels, f"Respondent {name}"), names.new("respondent", str(name)))
        for name, rows in epochs.groupby(who, sort=True)
    ]


class _FileNames:
    """Names of charts made of the study's own words: safe as files, and each given once."""

    def __init__(self, folder: Path, form: ChartForm) -> None:
        self._folder, self._form = folder, form
        self._given: set[str] = set()

    def new(self, *words: str) -> Path:
        """Return the path of a chart; words that differ only in what a file name cannot hold get a number."""
        plain = cut_name(re.sub(r"[^\w.-]+", "-", "_".join(words)), _FILE_NAME_BYTES)
        names = (plain, *(f"{plain}-{number}" for number in range(2, len(self._given) + 3)))
        name = next(name for name in names if name.casefold() not in self._given)
        self._given.add(name.casefold())
        return self._folder / f"{name}.{self._form}"

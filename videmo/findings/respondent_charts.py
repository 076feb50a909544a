"""Respondents side by side on stimulus time: heat maps, and ribbons and stacks of their expressions.

Where nobody was seen or usable the ground is hatched: missing time is never drawn as a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from videmo.datatypes import UInt8Array
from videmo.findings.aggregate import ALL, Stimulus, is_signed
from videmo.findings.baseline import CHANGE
from videmo.findings.chart_layout import add_footnote, add_legend, hatch, lay_out, printable, shorten
from videmo.findings.charts import colour_keys, draw_band, lay_out_stacks
from videmo.findings.grid import Band, TimeAxis
from videmo.findings.timeline import Float64Array
from videmo.palette import expression_colours

_LABELLED_IN = 0.125  # least height of a row with a name


def draw_heat_map(stimulus: Stimulus, signal: str, title: str) -> Figure:
    """Draw a signal of each respondent over stimulus time, group by group; hatched where not seen or not usable."""
    matrices = {group: stimulus.matrix(group, signal) for group in stimulus.groups}
    figure, axes = lay_out([_rows_height(len(matrix)) for matrix in matrices.values()], title, gap_in=0.35)
    scale = _scale(signal, np.concatenate([matrix.to_numpy().ravel() for matrix in matrices.values()]))
    for ax, (group, matrix) in zip(axes, matrices.items(), strict=True):
        image = _draw_rows(ax, np.ma.masked_invalid(matrix.to_numpy()), stimulus, **scale)
        _name_rows(ax, list(matrix.index))
        _name_group(ax, group, stimulus, len(matrix))
    _finish_time(axes, stimulus)
    height_in = figure.get_figheight()
    bar = figure.add_axes((0.72, 1 - 0.62 / height_in, 0.2, 0.12 / height_in))
    figure.colorbar(image, cax=bar, orientation="horizontal").ax.tick_params(labelsize=8)
    bar.set_title(signal, fontsize=9, loc="left", pad=3)
    missing = "not seen, not usable, or without a baseline" if signal.endswith(CHANGE) else "not seen, or not usable"
    add_footnote(figure, f"each row: a respondent; hatched: {missing}")
    return figure


def draw_ribbons(stimulus: Stimulus, labels: Sequence[str], title: str) -> Figure:
    """Draw the likeliest expression of each respondent over stimulus time, and above them the shares in each group."""
    people = {group: _probabilities(stimulus, group, labels) for group in stimulus.groups}
    heights_in = [height for names, _ in people.values() for height in (0.9, _rows_height(len(names)))]
    figure, axes = lay_out(heights_in, title, gap_in=0.3)
    for (group, (names, probabilities)), top, below in zip(people.items(), axes[::2], axes[1::2], strict=True):
        _draw_ribbons(top, below, probabilities, expression_colours(labels), stimulus)
        _name_rows(below, names)
        _name_group(top, group, stimulus, len(names))
    _finish_time(axes, stimulus)
    add_legend(figure, colour_keys(labels))
    says = "the expression with the highest mean probability in each epoch: of each respondent, and the shares above"
    add_footnote(figure, f"{says}; hatched: nobody seen, or not usable")
    return figure


def draw_respondent(epochs: pd.DataFrame, labels: Sequence[str], title: str) -> Figure:
    """Draw the probabilities of one respondent, stacked, on stimulus time: a row for each recording.

    Args:
        epochs: the epochs of one respondent; a row is named by its stimulus, where there is one, and its video.
        labels: the columns of the probabilities.
        title: shown above the chart.
    """
    recordings = [
        Stimulus.of("\n".join(shorten(str(name)) for name in _keys(rows)), {ALL: rows})
        for _, rows in epochs.groupby("video_id", sort=True)
    ]
    figure, axes = lay_out_stacks(len(recordings), title)
    for ax, recording in zip(axes, recordings, strict=True):
        _, probabilities = _probabilities(recording, ALL, labels)
        seen = ~np.isnan(probabilities[0]).any(axis=1)
        band = Band(recording.name, seen.astype(np.float64), np.nan_to_num(probabilities[0]))
        hatch(ax)
        draw_band(ax, band, expression_colours(labels), _axis(recording))
    starts_s, ends_s = zip(*map(_span, recordings), strict=True)
    axes[-1].set_xlim(min(starts_s), max(ends_s))
    axes[-1].set_xlabel("stimulus time (s)")
    add_legend(figure, colour_keys(labels))
    add_footnote(
        figure, "each row: probability of each expression, stacked from 0 to 1; hatched: not seen, or not usable"
    )
    return figure


def _draw_ribbons(top: Axes, below: Axes, probabilities: Float64Array, colours: UInt8Array, stimulus: Stimulus) -> None:
    """Draw a ribbon for each respondent into `below` and the shares of the expressions among them into `top`."""
    seen = ~np.isnan(probabilities).any(axis=2)
    likeliest = np.where(seen, np.nan_to_num(probabilities).argmax(axis=2), -1)
    counts = np.stack([(likeliest == i).sum(axis=0) for i in range(len(colours))], axis=1)
    hatch(top)
    draw_band(top, Band("share of\nrespondents", seen.sum(axis=0), counts), colours, _axis(stimulus))
    top.set_ylim(0, 1)
    top.set_yticks([0, 0.5, 1], ["0", "", "1"])
    pixels = np.dstack([colours[likeliest], np.where(seen, 255, 0).astype(np.uint8)])
    _draw_rows(below, pixels, stimulus)


def _draw_rows(ax: Axes, rows: np.ndarray[Any, Any], stimulus: Stimulus, **options: Any) -> AxesImage:
    """Draw a picture with a row of px for each respondent, the first on top."""
    hatch(ax)
    extent = (*_span(stimulus), len(rows) - 0.5, -0.5)
    return ax.imshow(rows, extent=extent, aspect="auto", interpolation="nearest", **options)


def _scale(signal: str, values: Float64Array) -> dict[str, Any]:
    """Return the range of a heat map and its colours: from nearly white to the expression's own, grey below 0."""
    known = np.abs(values[~np.isnan(values)])
    most = float(np.ceil(known.max() * 10) / 10) if len(known) and known.max() > 0 else 1.0
    own = expression_colours([signal.removesuffix(CHANGE)])[0] / 255
    rising = [(0.97, 0.97, 0.97), tuple(own), tuple(0.35 * own)]
    falling = [(0.15, 0.15, 0.15), (0.6, 0.6, 0.6)] if is_signed(signal) else []
    colours = LinearSegmentedColormap.from_list(signal, [*falling, *rising])
    return {"vmin": -most if falling else 0.0, "vmax": most, "cmap": colours}


def _probabilities(stimulus: Stimulus, group: str, labels: Sequence[str]) -> tuple[Sequence[str], Float64Array]:
    """Return the respondents of a group and their probabilities (n, e, E)."""
    matrices = [stimulus.matrix(group, label) for label in labels]
    return list(matrices[0].index), np.stack([matrix.to_numpy() for matrix in matrices], axis=2)


def _rows_height(rows: int) -> float:
    return min(max(rows * _LABELLED_IN, 0.22 * min(rows, 6), 0.3), 9.0)


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name every row where there is room, every second, third, ... where there is not."""
    step = int(np.ceil(len(names) * _LABELLED_IN / _rows_height(len(names)) - 1e-9))
    shown = range(0, len(names), step)
    ax.set_yticks(list(shown), [shorten(str(names[i])) for i in shown], fontsize=7, parse_math=False)


def _name_group(ax: Axes, group: str, stimulus: Stimulus, respondents: int) -> None:
    count = f"{respondents} respondents"
    text = count if list(stimulus.groups) == [ALL] else f"{printable(group)}: {count}"
    ax.set_title(text, fontsize=10, loc="left", pad=3, parse_math=False)


def _keys(rows: pd.DataFrame) -> list[object]:
    """Return what a recording is called by: its stimulus, if any, and its video."""
    return [rows[name].iloc[0] for name in ("stimulus", "video_id") if name in rows and rows[name].notna().all()]


def _finish_time(axes: Sequence[Axes], stimulus: Stimulus) -> None:
    axes[-1].set_xlim(*_span(stimulus))
    axes[-1].set_xlabel("stimulus time (s)")


def _span(stimulus: Stimulus) -> tuple[float, float]:
    return float(stimulus.grid_s[0]), float(stimulus.ends_s[-1])


def _axis(stimulus: Stimulus) -> TimeAxis:
    start_s, end_s = _span(stimulus)
    # A hair later: the axis looks for the epoch that holds its start.
    return TimeAxis(start_s + 1e-6 * stimulus.epoch_s, end_s + 1e-6 * stimulus.epoch_s, len(stimulus.grid_s))

"""Mean curves over respondents with their bands, and when groups differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from videmo.findings.aggregate import ALL, is_signed
from videmo.findings.chart_layout import add_footnote, add_legend, lay_out, shorten
from videmo.findings.timeline import Float64Array
from videmo.palette import expression_colours

SIGNIFICANT: Final = 0.05
"""Corrected p below which a cluster is marked."""

_LINE_STYLES = ("-", "--", ":", "-.")
_APART = (0, 6, 3, 8, 4, 2, 7, 5, 1)  # the palette's further colours, unlike and dark ones first
_CURVE_IN, _MARK_IN = 1.4, 0.16  # height of a curve, and of a line of marks above it
_LEAST_SPAN: Final = 0.2
"""Of a value axis: smaller changes are drawn small, so that noise does not look like an effect."""
_MARK_STYLE: dict[str, Any] = {"color": "black", "linewidth": 3.0, "solid_capstyle": "butt"}


def draw_curves(
    curves: pd.DataFrame, comparison: pd.DataFrame | None, title: str, *, all_groups: Sequence[str] | None = None
) -> Figure:
    """Draw mean curves with their bands, a plot for each signal and a line for each group; below, how many were usable.

    Where nobody was usable the ground is hatched: missing time is never drawn as a value.

    Args:
        curves: `mean_curves` of one stimulus.
        comparison: `compare_groups` of the same stimulus: clusters of corrected p below 0.05 are marked.
        title: shown above the chart.
        all_groups: the groups of all stimuli, so that each has the same colour in every chart; None knows no others.
    """
    signals, groups = list(curves["signal"].unique()), list(curves["group"].unique())
    marks = [_marks(comparison, signal) for signal in signals]
    heights_in = [_CURVE_IN + _MARK_IN * len(of_signal) for of_signal in marks]
    figure, axes = lay_out([*heights_in, 0.7], title)
    looks = _styles(all_groups or groups)
    styles = {group: looks[group] for group in groups}
    for ax, signal, of_signal in zip(axes, signals, marks, strict=False):
        rows = curves[curves["signal"] == signal]
        for group, style in styles.items():
            _draw_curve(ax, rows[rows["group"] == group], style)
        _hatch_missing(ax, rows)
        _finish_curves(ax, signal, rows)
        _draw_marks(ax, of_signal)
    first = curves[curves["signal"] == signals[0]]
    _draw_usable(axes[-1], {group: first[first["group"] == group] for group in groups}, styles)
    named = [] if list(looks) == [ALL] else groups
    add_legend(figure, [Line2D([], [], label=shorten(group), **styles[group]) for group in named])
    band = f"band: {100 * curves.attrs.get('confidence', 0.95):.4g} % confidence, from 3 respondents"
    marked = "; bar: groups differ, p corrected for all signals and pairs" if any(marks) else ""
    add_footnote(figure, f"line: mean over respondents; {band}; hatched: nobody seen and usable{marked}")
    return figure


def _draw_curve(ax: Axes, rows: pd.DataFrame, style: dict[str, Any]) -> None:
    """Draw the mean of each epoch over its whole length: an epoch has one value."""
    edges_s = _edges(rows)
    low, high, mean = (np.repeat(rows[name].to_numpy(np.float64), 2) for name in ("low", "high", "mean"))
    ax.fill_between(edges_s, low, high, color=style["color"], alpha=0.22, linewidth=0)
    ax.plot(edges_s, mean, **style)


def _hatch_missing(ax: Axes, rows: pd.DataFrame) -> None:
    usable = rows.groupby("epoch_start_s", sort=True)["respondents"].sum().to_numpy()
    one = rows[rows["group"] == rows["group"].iloc[0]]
    missing = np.repeat(usable == 0, 2)
    ground: dict[str, Any] = {"facecolor": "white", "edgecolor": "0.82", "hatch": "////", "linewidth": 0, "zorder": 0}
    ax.fill_between(_edges(one), 0, 1, where=missing, transform=ax.get_xaxis_transform(), **ground)


def _edges(rows: pd.DataFrame) -> Float64Array:
    """Return start and end of each epoch, one after the other."""
    return rows[["epoch_start_s", "epoch_end_s"]].to_numpy(np.float64).ravel()


def _finish_curves(ax: Axes, signal: str, rows: pd.DataFrame) -> None:
    ends = rows[["mean", "low", "high"]].to_numpy(np.float64)
    known = ends[~np.isnan(ends)]
    least = (-_LEAST_SPAN / 2, _LEAST_SPAN / 2) if is_signed(signal) else (0.0, _LEAST_SPAN)
    low, high = float(known.min(initial=least[0])), float(known.max(initial=least[1]))
    if is_signed(signal):
        ax.axhline(0, color="dimgray", linewidth=0.8)
    room = (high - low) * 0.08
    ax.set_ylim(low - room * (low < 0), high + room)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    _name(ax, "\n".join(shorten(word) for word in signal.split("_")))


def _draw_usable(ax: Axes, curves: Mapping[str, pd.DataFrame], styles: Mapping[str, dict[str, Any]]) -> None:
    """Draw how many respondents are behind each mean."""
    for group, rows in curves.items():
        edges_s, counts = _edges(rows), np.repeat(rows["respondents"].to_numpy(), 2)
        ax.plot(edges_s, counts, **styles[group])
        ax.set_xlim(edges_s[0], edges_s[-1])
    ax.set_ylim(0, 1.1 * max([1, *(int(rows["respondents"].max()) for rows in curves.values())]))
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.set_xlabel("stimulus time (s)")
    _name(ax, "usable\nrespondents")


def _name(ax: Axes, name: str) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8, parse_math=False)
    ax.yaxis.set_label_coords(-0.035, 0.5)


def _marks(comparison: pd.DataFrame | None, signal: str) -> list[pd.DataFrame]:
    """Return the clusters to mark of each pair of groups that has any."""
    if comparison is None:
        return []
    found = comparison[(comparison["signal"] == signal) & (comparison["cluster"] > 0)]
    found = found[found["p_corrected"] < SIGNIFICANT]
    return [rows for _, rows in found.groupby(["first", "second"], sort=False)]


def _draw_marks(ax: Axes, marks: Sequence[pd.DataFrame]) -> None:
    """Draw a line of bars above the curves for each pair of groups that differs somewhere."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (high - low) * _MARK_IN * len(marks) / _CURVE_IN)
    start_s, end_s = ax.get_xlim()
    for i, rows in enumerate(marks):
        y = 1 - (i + 0.5) * _MARK_IN / (_CURVE_IN + _MARK_IN * len(marks))
        for row in rows.to_dict("records"):
            ax.plot([row["start_s"], row["end_s"]], [y, y], transform=ax.get_xaxis_transform(), **_MARK_STYLE)
            sign = ">" if row["difference"] > 0 else "<"
            text = f" {shorten(row['first'])} {sign} {shorten(row['second'])}, p {_p_text(row['p_corrected'])} "
            late = row["end_s"] > start_s + 0.75 * (end_s - start_s)
            place = (row["start_s"], "right") if late else (row["end_s"], "left")
            options: dict[str, Any] = {"ha": place[1], "va": "center", "fontsize": 7, "parse_math": False}
            ax.text(place[0], y, text, transform=ax.get_xaxis_transform(), **options)


def _p_text(p: float) -> str:
    return f"= {p:.3f}" if p >= 0.0005 else "< 0.001"


def _styles(groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return how the line of each group is drawn: in no expression's colour; all respondents together in dark grey."""
    if list(groups) == [ALL]:
        return {ALL: {"color": (0.2, 0.2, 0.2), "linewidth": 1.6}}
    # Never by the group's own name: it may be "neutral".
    colours = expression_colours([f"group {i}" for i in range(len(_APART))])[list(_APART)] / 255
    return {
        group: {"color": tuple(colours[i % len(colours)]), "linestyle": _LINE_STYLES[i % 4], "linewidth": 1.6}
        for i, group in enumerate(groups)
    }

"""The charts of groups as Plotly draws them: numbers of the tables, to the thousandth.

Colours of text and axes are left to the page, which knows whether it is dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Final

import numpy as np
import pandas as pd

from videmo.findings.report.embed import spell_in_chart
from videmo.findings.report.groups import MOST_GROUPS, MOST_STIMULI, Groups
from videmo.findings.timeline import Float64Array

Json = dict[str, Any]

CERTAIN_P: Final = 0.05
"""Corrected p below which a cluster is shaded."""

# Paul Tol, "Colour Schemes" (2021), the bright scheme; dashes tell the groups apart without colour.
_COLOURS: Final = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#ccbb44", "#66ccee")
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one signal under one stimulus: its `id` in the page, what it shows, and what Plotly draws."""

    id: str
    stimulus: str
    signal: str
    figure: Json


def draw_groups(groups: Groups) -> Iterator[Chart]:
    """Yield a chart for each stimulus and signal.

    Above the mean curves with their bands, below the share of respondents showing it, clusters shaded in both.
    """
    numbers = count(1)
    # Over all stimuli: a group keeps its colour where another one is missing.
    places = {group: at for at, group in enumerate(sorted(groups.curves["group"].unique()))}
    for stimulus in groups.curves["stimulus"].unique()[:MOST_STIMULI]:
        rows = groups.curves[groups.curves["stimulus"] == stimulus]
        highest = float(np.nanmax(rows[["mean", "high"]].to_numpy(float), initial=0.1))
        for signal in groups.signals:
            own = rows[rows["signal"] == signal].groupby("group", sort=True)
            data = [trace for group, curve in islice(own, MOST_GROUPS) for trace in _draw(places[group], group, curve)]
            layout = _lay_out(min(1.0, 1.05 * highest), _find_clusters(groups.comparison, stimulus, signal))
            yield Chart(f"chart-{next(numbers)}", str(stimulus), signal, {"data": data, "layout": layout})


def tell_left_out(groups: Groups) -> Iterator[str]:
    """Yield a sentence for the stimuli, and one for the groups, where not all of them are drawn."""
    stimuli = groups.curves["stimulus"].nunique()
    most_groups = groups.curves.groupby("stimulus")["group"].nunique().max()
    for what, drawn, there in (("stimuli", MOST_STIMULI, stimuli), ("groups", MOST_GROUPS, most_groups)):
        if there > drawn:
            yield f"Drawn are the first {drawn} of {there} {what}; the table has all."


def _draw(at: int, group: object, curve: pd.DataFrame) -> list[Json]:
    """Return band, mean and share of one group, and its dots; `at` is its place among the groups of all stimuli."""
    middles_s = curve[["epoch_start_s", "epoch_end_s"]].mean(axis=1).to_numpy(float)
    colour, name = _COLOURS[at % len(_COLOURS)], spell_in_chart(str(group))
    # Stimuli may have groups of their own: the seventh has the first one's colour, but another dash.
    line = {"color": colour, "width": 2.2, "dash": _DASHES[(at + at // len(_COLOURS)) % len(_DASHES)]}
    usable = curve["respondents"].tolist()
    shared: Json = {"x": _plain(middles_s), "mode": "lines", "line": line, "legendgroup": name, "customdata": usable}
    x, y = _outline(middles_s, curve["low"].to_numpy(float), curve["high"].to_numpy(float))
    band = {
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": _fade(colour),
        "mode": "none",
        "hoverinfo": "skip",
    }
    says = "<extra>%{fullData.name} (n = %{customdata})</extra>"
    return [
        {**band, "name": name, "legendgroup": name, "showlegend": False},
        {**shared, "y": _plain(curve["mean"]), "name": name, "hovertemplate": f"%{{y:.2f}}{says}"},
        {
            **shared,
            "y": _plain(curve["showing"]),
            "yaxis": "y2",
            "name": name,
            "showlegend": False,
            "hovertemplate": f"%{{y:.0%}}{says}",
        },
        *_dot_lone(curve, middles_s, colour, name),
    ]


def _dot_lone(curve: pd.DataFrame, middles_s: Float64Array, colour: str, name: str) -> Iterator[Json]:
    """Yield dots, the mean's with its band, at epochs that are alone between two gaps: a line needs two points."""
    for column, axis in (("mean", "y"), ("showing", "y2")):
        known = np.pad(curve[column].notna().to_numpy(), 1)
        alone = known[1:-1] & ~known[:-2] & ~known[2:]
        if alone.any():
            lone = curve[alone]
            ends = {"array": _plain(lone["high"] - lone["mean"]), "arrayminus": _plain(lone["mean"] - lone["low"])}
            band = {"type": "data", "symmetric": False, "width": 0, "thickness": 5, **ends}
            yield {
                "x": _plain(middles_s[alone]),
                "y": _plain(lone[column]),
                "yaxis": axis,
                "mode": "markers",
                "marker": {"color": colour, "size": 6},
                **({"error_y": {**band, "color": _fade(colour)}} if column == "mean" else {}),
                "name": name,
                "legendgroup": name,
                "showlegend": False,
                "hoverinfo": "skip",
            }


def _fade(colour: str) -> str:
    """Return a colour (#rrggbb) as the ground of a band."""
    return f"rgba{(*bytes.fromhex(colour[1:]), 0.2)}"


def _outline(x: Float64Array, low: Float64Array, high: Float64Array) -> tuple[list[float | None], list[float | None]]:
    """Return the outlines of the stretches of a band that has values, None between them."""
    known = np.flatnonzero(~np.isnan(low))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    xs, ys = [], []
    for stretch in stretches:
        back = stretch[::-1]
        xs += [*_plain(x[stretch]), *_plain(x[back]), None]
        ys += [*_plain(high[stretch]), *_plain(low[back]), None]
    return xs, ys


def _lay_out(top: float, clusters: pd.DataFrame) -> Json:
    return {
        "margin": {"l": 60, "r": 8, "t": 8, "b": 34},
        "hovermode": "x unified",
        "dragmode": False,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "showlegend": True,
        "xaxis": {"ticksuffix": " s", "anchor": "y2", "hoverformat": ".1f"},
        "yaxis": {
            "domain": [0.4, 1],
            "range": [0, top],
            "fixedrange": True,
            "title": _title("mean"),
        },
        "yaxis2": {
            "domain": [0, 0.28],
            "range": [0, 1.02],
            "tickvals": [0, 0.5, 1],
            "tickformat": ".0%",
            "fixedrange": True,
            "title": _title("showing"),
        },
        "shapes": [_shade(cluster) for cluster in clusters.to_dict("records")],
    }


def _title(text: str) -> Json:
    return {"text": text, "standoff": 6, "font": {"size": 12}}


def _find_clusters(comparison: pd.DataFrame, stimulus: object, signal: str) -> pd.DataFrame:
    if comparison.empty:
        return comparison
    ours = (comparison["stimulus"] == stimulus) & (comparison["signal"] == signal) & (comparison["cluster"] > 0)
    return comparison[ours & (comparison["p_corrected"] < CERTAIN_P)]


def _shade(cluster: Mapping[Any, Any]) -> Json:
    return {
        "type": "rect",
        "yref": "paper",
        "x0": cluster["start_s"],
        "x1": cluster["end_s"],
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": "rgba(128, 128, 128, 0.22)",
    }


def _plain(values: Sequence[float] | Float64Array | pd.Series[float]) -> list[float | None]:
    numbers = np.asarray(values, np.float64).round(3)
    return [None if np.isnan(number) else number for number in numbers.tolist()]

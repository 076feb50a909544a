"""What all charts share: size and margins, legend and footnote, the text a font can show, and how they are saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from videmo.output.files import replacing

ChartForm = Literal["png", "svg"]

_DPI = 100
_WIDTH_IN = 14.0
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN = 1.75, 0.3, 0.95, 0.75  # around the rows of plots
_GAP_IN = 0.1
_LEGEND_IN, _LINE_IN = 0.35, 0.35  # from the top to the legend, and the height that a line of it may have
_LONGEST_NAME = 18


def lay_out(heights_in: Sequence[float], title: str, *, gap_in: float = _GAP_IN) -> tuple[Figure, list[Axes]]:
    """Return a figure of plots that share the time axis, one beneath the other, each of its height in inches.

    Margins are the same in inches whatever the height; `gap_in` lies between two plots.
    """
    height_in = sum(heights_in) + gap_in * (len(heights_in) - 1) + _TOP_IN + _BOTTOM_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(heights_in), 1, sharex=True, squeeze=False, height_ratios=heights_in)[:, 0]
    figure.subplots_adjust(
        left=_LEFT_IN / _WIDTH_IN,
        right=1 - _RIGHT_IN / _WIDTH_IN,
        top=1 - _TOP_IN / height_in,
        bottom=_BOTTOM_IN / height_in,
        hspace=gap_in * len(heights_in) / sum(heights_in),
    )
    figure.text(0.5, 1 - 0.3 / height_in, printable(title), ha="center", fontsize=13, parse_math=False)
    for ax in axes:
        ax.tick_params(labelsize=8)
    return figure, list(axes)


def add_legend(figure: Figure, handles: Sequence[Any]) -> None:
    """Draw the legend between the title and the plots, in as many lines as it needs: more make the figure taller."""
    for lines in range(1, len(handles) + 1):
        place = (0.5, 1 - _LEGEND_IN / float(figure.get_figheight()))
        options: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": place, "frameon": False}
        legend = figure.legend(handles=handles, ncols=math.ceil(len(handles) / lines), **options)
        box = legend.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
        if box.width <= _WIDTH_IN - 2 * _RIGHT_IN:
            _raise_top(figure, box.height - _LINE_IN)
            legend.set_bbox_to_anchor((0.5, 1 - _LEGEND_IN / float(figure.get_figheight())))
            return
        legend.remove()


def _raise_top(figure: Figure, more_in: float) -> None:
    """Make a figure taller above its plots; the title stays at its distance from the top."""
    if more_in > 0:
        height_in = float(figure.get_figheight())
        margins, share = figure.subplotpars, height_in / (height_in + more_in)
        figure.set_figheight(height_in + more_in)
        figure.subplots_adjust(top=margins.top * share, bottom=margins.bottom * share)
        for text in figure.texts:
            text.set_y(1 - (1 - text.get_position()[1]) * share)


def add_footnote(figure: Figure, text: str) -> None:
    """Draw the line beneath the plots that says what they are."""
    place_y = 0.12 / float(figure.get_figheight())
    figure.text(_LEFT_IN / _WIDTH_IN, place_y, text, fontsize=8, color="dimgray", parse_math=False)


def printable(text: str) -> str:
    """Return the text with a box for each character that the chart's font lacks."""
    font = get_font(findfont("DejaVu Sans"))
    return "".join(letter if font.get_char_index(ord(letter)) else "\u25a1" for letter in text)


def shorten(text: str) -> str:
    """Return the text as `printable`, cut where it is too long to name a row."""
    text = printable(text)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def hatch(ax: Axes) -> None:
    """Hatch the ground of a plot: what nothing is drawn on is missing."""
    ax.set_facecolor("white")
    ax.patch.set(hatch="////", edgecolor="0.82", linewidth=0)


def save_chart(figure: Figure, path: Path) -> Path:
    """Write a figure in the form that the ending of `path` says, png or svg, and return the path.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    form = path.suffix.removeprefix(".")
    with replacing(path) as partial:
        figure.savefig(partial, format=form, dpi=_DPI, metadata={"Date": None} if form == "svg" else None)
    return path

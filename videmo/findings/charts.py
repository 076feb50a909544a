"""One picture per video: the expressions of each track over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from videmo.datatypes import UInt8Array
from videmo.findings.grid import Band, TimeAxis, choose_bands, sum_tracks
from videmo.findings.tables import Run
from videmo.output.files import replacing
from videmo.palette import expression_colours

MOST_TRACKS = 20
"""Tracks with a row of their own; the others share one."""

_COLUMNS = 1200  # of the time axis: about one per px of the chart, whatever the length of the video
_LEVELS = np.linspace(0, 1, 120, endpoint=False) + 1 / 240  # rows of px in a track's stack of probabilities
_WIDTH_IN, _DPI = 14.0, 100
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN = 1.3, 0.3, 0.95, 0.75  # around the rows of tracks
_ROOMY = 8  # rows that leave room for the numbers of their axes
_MOST_CUTS = 40  # drawn over the whole height of a row; more would hide it and are marked at its top
_CUT_STYLE: dict[str, Any] = {"color": "black", "linewidth": 1.0, "linestyle": (0, (3, 2))}


def write_chart(out: Path, video_id: str) -> Path:
    """Draw the chart of one video of the run in `out` and return its path, `out/charts/<video_id>.png`.

    Raises:
        UsageError: the video is not finished or its tables cannot be read.
        OutputError: the disk is full or the folder does not allow it.
    """
    run = Run(out)
    path = out / "charts" / f"{video_id}.png"
    frames = run.frames(video_id)
    faces = (piece for _, piece in run.row_groups(video_id))
    figure = draw_timeline(frames, faces, run.labels, video_id)
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=_DPI)
    return path


def draw_timeline(frames: pd.DataFrame, faces: Iterable[pd.DataFrame], labels: Sequence[str], title: str) -> Figure:
    """Draw the probabilities of each track over time, stacked; white where it was not seen or not usable, cuts dashed.

    A video of more frames than the chart has columns is averaged over time. With more than `MOST_TRACKS` tracks the
    longest have rows of their own and the last row is the mean of the others, which the chart says.

    Args:
        frames: the frames table of one video.
        faces: its faces table, in one piece or several.
        labels: the columns of the probabilities.
        title: shown above the chart.
    """
    axis = TimeAxis.of(frames, _COLUMNS)
    bands, note = choose_bands(sum_tracks(frames, faces, labels, axis), axis, MOST_TRACKS)
    figure, axes = _lay_out(max(len(bands), 1), title)
    for ax, band in zip(axes, bands, strict=False):
        _draw_band(ax, band, expression_colours(labels), axis)
    if not bands:
        text = f"no usable face was found in the {len(frames)} frames analysed"
        ground = {"facecolor": "white", "edgecolor": "none"}
        axes[0].text(0.5, 0.5, text, ha="center", va="center", fontsize=14, transform=axes[0].transAxes, bbox=ground)
        axes[0].set_yticks([])
    cuts_s = frames["time_s"].to_numpy()[1:][np.diff(frames["shot"].to_numpy()) != 0]
    for ax in axes:
        ax.vlines(cuts_s, 0 if len(cuts_s) <= _MOST_CUTS else 0.85, 1, **_CUT_STYLE)
    axes[-1].set_xlim(axis.start_s, axis.end_s)
    axes[-1].set_xlabel("time (s)")
    _explain(figure, labels if bands else [], note, has_cuts=len(cuts_s) > 0)
    return figure


def _lay_out(rows: int, title: str) -> tuple[Figure, list[Axes]]:
    """Return a figure of `rows` plots that share the time axis; margins are the same in inches whatever the height."""
    height_in = rows * min(max(9.0 / rows, 0.45), 1.8) + _TOP_IN + _BOTTOM_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    figure.subplots_adjust(
        left=_LEFT_IN / _WIDTH_IN,
        right=1 - _RIGHT_IN / _WIDTH_IN,
        top=1 - _TOP_IN / height_in,
        bottom=_BOTTOM_IN / height_in,
        hspace=0.12,
    )
    figure.text(0.5, 1 - 0.3 / height_in, _printable(title), ha="center", fontsize=13, parse_math=False)
    for ax in axes:
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 0.5, 1], ["0", "", "1"] if rows <= _ROOMY else [""] * 3)
        ax.tick_params(labelsize=8)
    return figure, list(axes)


def _draw_band(ax: Axes, band: Band, colours: UInt8Array, axis: TimeAxis) -> None:
    """Draw a band as a picture: an artist per probability would take seconds where this takes milliseconds."""
    means = band.means
    seen = ~np.isnan(means[:, 0])
    tops = np.nan_to_num(means).cumsum(axis=1)
    pixels = np.zeros((len(_LEVELS), len(means), 4), np.uint8)
    which = (tops[None] <= _LEVELS[:, None, None]).sum(axis=-1).clip(max=len(colours) - 1)
    pixels[..., :3] = colours[which]
    pixels[..., 3] = 255 * seen
    start_s = np.floor(axis.start_s / axis.width_s) * axis.width_s
    extent = (start_s, start_s + len(means) * axis.width_s, 0.0, 1.0)
    ax.imshow(pixels, extent=extent, origin="lower", aspect="auto", interpolation="nearest")
    ax.set_ylabel(band.name, rotation=0, ha="right", va="center", fontsize=9, labelpad=8)


def _explain(figure: Figure, labels: Sequence[str], note: str, *, has_cuts: bool) -> None:
    """Draw the legend above the rows, and beneath them what the rows are."""
    handles: list[Patch | Line2D] = [
        Patch(color=colour / 255, label=_printable(label))
        for label, colour in zip(labels, expression_colours(labels), strict=True)
    ]
    if has_cuts:
        handles.append(Line2D([], [], label="cut", **_CUT_STYLE))
    height_in = float(figure.get_figheight())
    if handles:
        place = (0.5, 1 - 0.35 / height_in)
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=place, ncols=len(handles), frameon=False)
    if labels:
        says = "each row: probability of each expression, stacked from 0 to 1; white: not seen, or not usable"
        figure.text(_LEFT_IN / _WIDTH_IN, 0.12 / height_in, f"{says}. {note}", fontsize=8, color="dimgray")


def _printable(text: str) -> str:
    """Return the text with a box for each character that the chart's font lacks."""
    font = get_font(findfont("DejaVu Sans"))
    return "".join(letter if font.get_char_index(ord(letter)) else "\u25a1" for letter in text)

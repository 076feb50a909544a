"""One picture per video: the expressions of each track over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from videmo.datatypes import UInt8Array
from videmo.findings.chart_layout import ChartForm, add_footnote, add_legend, lay_out, printable, save_chart, shorten
from videmo.findings.grid import Band, TimeAxis, choose_bands, sum_tracks
from videmo.findings.tables import Run
from videmo.palette import expression_colours

MOST_TRACKS = 20
"""Tracks with a row of their own; the others share one."""

_COLUMNS = 1200  # of the time axis: about one per px of the chart, whatever the length of the video
_LEVELS = np.linspace(0, 1, 120, endpoint=False) + 1 / 240  # rows of px in a track's stack of probabilities
_ROOMY = 8  # rows that leave room for the numbers of their axes
_MOST_CUTS = 40  # drawn over the whole height of a row; more would hide it and are marked at its top
_CUT_STYLE: dict[str, Any] = {"color": "black", "linewidth": 1.0, "linestyle": (0, (3, 2))}


def write_chart(out: Path, video_id: str, *, folder: Path | None = None, form: ChartForm = "png") -> Path:
    """Draw the chart of one video of the run in `out` and return its path, `<folder>/<video_id>.<form>`.

    Args:
        out: the folder of the run.
        video_id: which of its videos.
        folder: where the chart goes; `out/charts` where it is None.
        form: of the file: "png" of pixels, "svg" of lines and text.

    Raises:
        UsageError: the video is not finished or its tables cannot be read.
        OutputError: the disk is full or the folder does not allow it.
    """
    run = Run(out)
    frames = run.frames(video_id)
    faces = (piece for _, piece in run.row_groups(video_id))
    figure = draw_timeline(frames, faces, run.labels, video_id, names=run.names(video_id))
    return save_chart(figure, (folder or out / "charts") / f"{video_id}.{form}")


def draw_timeline(
    frames: pd.DataFrame,
    faces: Iterable[pd.DataFrame],
    labels: Sequence[str],
    title: str,
    *,
    names: Mapping[int, str] | None = None,
) -> Figure:
    """Draw the probabilities of each track over time, stacked; white where it was not seen or not usable, cuts dashed.

    A video of more frames than the chart has columns is averaged over time. With more than `MOST_TRACKS` tracks the
    longest have rows of their own and the last row is the mean of the others, which the chart says.

    Args:
        frames: the frames table of one video.
        faces: its faces table, in one piece or several.
        labels: the columns of the probabilities.
        title: shown above the chart.
        names: who tracks are, by track_id (`Run.names`); the others are called by their number.
    """
    called = {track_id: shorten(name) for track_id, name in (names or {}).items()}
    axis = TimeAxis.of(frames, _COLUMNS)
    bands, note = choose_bands(sum_tracks(frames, faces, labels, axis), axis, MOST_TRACKS, called)
    figure, axes = lay_out_stacks(max(len(bands), 1), title)
    for ax, band in zip(axes, bands, strict=False):
        draw_band(ax, band, expression_colours(labels), axis)
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
    cut = [Line2D([], [], label="cut", **_CUT_STYLE)] if len(cuts_s) else []
    add_legend(figure, [*(colour_keys(labels) if bands else []), *cut])
    says = "each row: probability of each expression, stacked from 0 to 1; white: not seen, or not usable"
    add_footnote(figure, f"{says}. {note}" if bands else "")
    return figure


def lay_out_stacks(rows: int, title: str) -> tuple[Figure, list[Axes]]:
    """Return a figure of `rows` plots for bands: probabilities from 0 to 1 over time."""
    figure, axes = lay_out([min(max(9.0 / rows, 0.45), 1.8)] * rows, title)
    for ax in axes:
        ax.set_ylim(0, 1)
        ax.set_yticks([0, 0.5, 1], ["0", "", "1"] if rows <= _ROOMY else [""] * 3)
    return figure, axes


def draw_band(ax: Axes, band: Band, colours: UInt8Array, axis: TimeAxis) -> None:
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
    ax.set_ylabel(band.name, rotation=0, ha="right", va="center", fontsize=9, labelpad=8, parse_math=False)


def colour_keys(labels: Sequence[str]) -> list[Patch | Line2D]:
    """Return a legend entry for each label."""
    colours = expression_colours(labels) / 255
    return [Patch(color=tuple(colour), label=printable(name)) for name, colour in zip(labels, colours, strict=True)]

"""The chart of a benchmark: frames per second of everybody, clip by clip."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(table: pd.DataFrame, path: Path, note: str) -> None:
    """Draw horizontal bars on a logarithmic scale, for decoding alone would flatten all others."""
    labels = table["clip"] + table["files"].map(lambda files: f", {files} files" if files > 1 else "")
    speeds = table.assign(label=labels).pivot_table(index="label", columns="who", values="frames/s", sort=False)
    figure = Figure(figsize=(9, 1.5 + 0.28 * speeds.size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    height = 0.8 / len(speeds.columns)
    for at, name in enumerate(speeds.columns):
        places = [row + at * height for row in range(len(speeds))]
        bars = axes.barh(places, speeds[name], height, label=name)
        axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=8)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(speeds))], speeds.index)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel(f"frames per second, whole process ({note})")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)

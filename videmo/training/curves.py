"""Draws the history of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure


def draw_history(history: Sequence[Mapping[str, float]], path: Path, panels: Mapping[str, Sequence[str]]) -> None:
    """Writes a PNG with one panel for each entry of `panels` over the epochs; values that are NaN are left out.

    Args:
        history: One row for each epoch, with the columns of history.csv.
        path: The PNG to write.
        panels: Columns of the history by the title of the panel that shows them.
    """
    figure = Figure(figsize=(14, 3.8), layout="constrained")
    for axes, (title, columns) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for column in columns:
            points = [(row["epoch"], row[column]) for row in history if row[column] == row[column]]
            axes.plot(*zip(*points, strict=True), label=column.replace("_", " "), marker=".")
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        if len(columns) > 1:
            # Below the panel: within it there is no corner that no curve ever crosses.
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=len(columns), fontsize="x-small")
    figure.savefig(path, dpi=100)

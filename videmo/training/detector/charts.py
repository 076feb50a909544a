"""Draws how precise a detector is at each recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from videmo.output.files import replacing


def draw_precision_recall(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes a PNG with one panel for each input size and one curve for each detector, at IoU 0.5.

    Args:
        results: Measurements of `evaluate.measure`, one for each detector.
        path: The PNG to write; its folder is made.

    Raises:
        OutputError: The disk is full or the folder does not allow it.
    """
    sizes = results[0]["sizes"]
    figure = Figure(figsize=(5.5 * len(sizes), 4.5), layout="constrained")
    for at, axes in enumerate(figure.subplots(1, len(sizes), squeeze=False)[0]):
        for result in results:
            size = result["sizes"][at]
            precision = np.array(size["precision50"])
            recalls = np.linspace(0, 1, len(precision))
            ap50 = "–" if size["ap50"] is None else f"{size['ap50']:.3f}"
            axes.plot(recalls, precision, label=f"{result['detector']}: AP50 {ap50}")
        axes.set(title=f"Long side {sizes[at]['long_side_px']} px", xlabel="recall", ylabel="precision", ylim=(0, 1.02))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left")
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=100)

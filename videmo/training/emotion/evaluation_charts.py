"""Pictures of one case of an evaluation: confusion, curves, calibration, scores of each label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from videmo.output.files import replacing
from videmo.palette import expression_colours
from videmo.training.emotion.evaluate import Measured
from videmo.training.emotion.metrics import BINS

_DPI: Final = 110
# Yellow and light gray lines would fade on white.
_OUTLINE: Final = [withStroke(linewidth=2.8, foreground="0.25")]
# Not those of any expression, in three steps of lightness.
_SCORES: Final = {"precision": "#c6dbef", "recall": "#6baed6", "f1": "#08519c"}
_BLUE, _SKY, _PALE = "#08519c", "#9ecae1", "#e3eef7"
_FEW: Final = 10  # faces in a bin below which its accuracy says little


def draw_confusion(measured: Measured) -> Figure:
    """Draws how often each answer was taken for each label: counts, and shares of the answers."""
    figure, axes = _lay_out(measured, 2, size_in=(12.6, 6.2))
    counts, shares = (np.array(measured.figures[name]) for name in ("confusion", "confusion_shares"))
    labels = measured.case.labels
    _draw_matrix(axes[0], shares, [[f"{count:,}" if count else "" for count in row] for row in counts], labels)
    _draw_matrix(axes[1], shares, [[_percent(share) for share in row] for row in shares], labels)
    axes[0].set_title("faces")
    axes[1].set_title("share of the faces with this answer")
    return figure


def draw_roc(measured: Measured) -> Figure:
    """Draws the ROC curve of each label against the rest."""
    return _draw_curves(
        measured, "roc_auc", _roc_points, ("false positive rate", "true positive rate"), "AUC", "default"
    )


def draw_precision_recall(measured: Measured) -> Figure:
    """Draws precision over recall of each label against the rest."""
    return _draw_curves(
        measured, "average_precision", _precision_points, ("recall", "precision"), "average precision", "steps-post"
    )


def draw_reliability(measured: Measured) -> Figure:
    """Draws how often the top label is right at each confidence, and how many faces have that confidence."""
    figure, (upper, lower) = _lay_out(measured, 2, size_in=(6.5, 6.9), ratios=(3, 1))
    bins = measured.figures["reliability"]
    places = (np.arange(BINS) + 0.5) / BINS
    colours = [_SKY if row["n"] >= _FEW else _PALE for row in bins]
    upper.bar(places, [row["accuracy"] or 0.0 for row in bins], 1 / BINS, color=colours, edgecolor="white")
    known = [(row["confidence"], row["accuracy"]) for row in bins if row["n"] >= _FEW]
    upper.plot(*np.reshape(known, (-1, 2)).T, "o-", color=_BLUE, markersize=4, label="accuracy at the mean confidence")
    upper.plot([0, 1], [0, 1], "--", color="0.4", label="perfectly calibrated")
    upper.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=f"ECE {measured.figures['ece']:.3f}")
    lower.bar(places, [row["n"] for row in bins], 1 / BINS, color=_SKY, edgecolor="white")
    lower.set(xlabel="confidence: probability of the top label", ylabel="faces", xlim=(0, 1))
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def draw_classes(measured: Measured) -> Figure:
    """Draws precision, recall and F1 of each label as bars."""
    figure, (axes,) = _lay_out(measured, 1, size_in=(9.5, 4.8))
    per_class = measured.figures["per_class"]
    places = np.arange(len(per_class))
    for at, (score, colour) in enumerate(_SCORES.items()):
        heights = [scores[score] for scores in per_class.values()]
        bars = axes.bar(places + (at - 1) * 0.27, heights, 0.27, color=colour, label=score.replace("f1", "F1"))
        axes.bar_label(bars, fmt="%.2f", fontsize=7.5, rotation=90, padding=2)
    axes.set_xticks(places, [f"{label}\nn = {scores['n']:,}" for label, scores in per_class.items()])
    axes.set(ylim=(0, 1.12), ylabel="share")
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    return figure


CHARTS: Final[dict[str, Callable[[Measured], Figure]]] = {
    "confusion": draw_confusion,
    "classes": draw_classes,
    "roc": draw_roc,
    "precision-recall": draw_precision_recall,
    "reliability": draw_reliability,
}
"""Every picture of a case, by the end of its file's name, in the order of the page."""


def write_charts(measured: Measured, folder: Path) -> dict[str, Path]:
    """Writes every picture of a case as `<protocol>-<split>-<name>.png`; returns the paths by name.

    Raises:
        OutputError: The disk is full or the folder does not allow it.
    """
    paths = {}
    for name, draw in CHARTS.items():
        paths[name] = folder / f"{measured.case.protocol}-{measured.case.split}-{name}.png"
        with replacing(paths[name]) as partial:
            draw(measured).savefig(partial, format="png", dpi=_DPI)
    return paths


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "<1%" if share else ""


def _lay_out(
    measured: Measured, count: int, *, size_in: tuple[float, float], ratios: tuple[int, int] | None = None
) -> tuple[Figure, Any]:
    """Returns a titled figure and its axes: beside each other, or beneath each other in given ratios of height."""
    figure = Figure(figsize=size_in, layout="constrained")
    FigureCanvasAgg(figure)
    case = measured.case
    figure.suptitle(f"{case.protocol}, {case.split}, {case.kind}, n = {measured.figures['n']:,}", fontsize=11)
    rows, columns = (count, 1) if ratios else (1, count)
    return figure, figure.subplots(rows, columns, squeeze=False, height_ratios=ratios).ravel()


def _draw_matrix(axes: Axes, shares: NDArray[np.float64], texts: list[list[str]], labels: tuple[str, ...]) -> None:
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, texts_of_row in enumerate(texts):
        for column, text in enumerate(texts_of_row):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=10, color=colour)
    axes.set_xticks(range(len(labels)), labels, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="top label", ylabel="answer")


def _draw_curves(
    measured: Measured,
    area: str,
    points: Callable[[NDArray[np.bool_], NDArray[np.float32]], tuple[Any, Any]],
    names: tuple[str, str],
    area_name: str,
    style: str,
) -> Figure:
    """Draws the points of each label against the rest; a label without faces has no curve."""
    figure, (axes,) = _lay_out(measured, 1, size_in=(8.4, 5.6))
    areas, labels = measured.figures[area], measured.case.labels
    for i, (label, colour) in enumerate(zip(labels, expression_colours(labels) / 255, strict=True)):
        if areas["per_class"][label] is None:
            continue
        x, y = points(measured.case.answers == i, measured.probabilities[:, i])
        text = f"{label}  {areas['per_class'][label]:.3f}"
        axes.plot(x, y, color=colour, linewidth=1.8, path_effects=_OUTLINE, label=text, drawstyle=style)
    axes.set(xlabel=names[0], ylabel=names[1], xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_box_aspect(1)
    axes.grid(alpha=0.3)
    mean = "" if areas["macro"] is None else f" (mean {areas['macro']:.3f})"
    figure.legend(loc="outside right center", title=f"{area_name}{mean}", frameon=False)
    return figure


def _roc_points(hits: NDArray[np.bool_], scores: NDArray[np.float32]) -> tuple[Any, Any]:
    false_positives, true_positives, _ = roc_curve(hits, scores)
    return false_positives, true_positives


def _precision_points(hits: NDArray[np.bool_], scores: NDArray[np.float32]) -> tuple[Any, Any]:
    precisions, recalls, _ = precision_recall_curve(hits, scores)
    return recalls, precisions

"""How sure the figures are: bootstrap intervals over the pictures, also of the difference of two models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from videmo.emotion.labels import FER2013_EMOTIONS
from videmo.training.emotion.metrics import BINS, balanced_accuracy, confidence_gaps, round_share

RESAMPLES: Final = 1000
LEVEL: Final = 0.95
_SEED: Final = 0
_BLOCK: Final = 50  # resamples drawn at once: bounds the memory to 50 numbers for each picture

Probabilities = NDArray[np.float32]
Answers = NDArray[np.intp]


def measure_intervals(
    probabilities: Probabilities, answers: Answers, figures: dict[str, Any]
) -> dict[str, list[float]]:
    """Returns the 95 % interval, [low, high], of accuracy, balanced accuracies, macro_f1 and ece.

    Args:
        probabilities: (n, E).
        answers: (n,), indices into the E labels.
        figures: The figures themselves, as from `metrics.measure`.
    """
    resampled = resample(probabilities, answers)
    return {name: interval(values, figures[name], lowest=0) for name, values in resampled.items()}


def compare(first: Probabilities, second: Probabilities, answers: Answers) -> dict[str, Any]:
    """Compares two models on the same pictures: second minus first.

    Returns:
        accuracy and balanced_accuracy, each with difference and its paired 95 % bootstrap interval; mcnemar with the
        pictures that only the first or only the second got right and the exact two-sided p (McNemar, 1947).
    """
    before, after = resample(first, answers), resample(second, answers)  # the same draws: paired
    differences: dict[str, Any] = {}
    for name, points in (("accuracy", _accuracy), ("balanced_accuracy", _balanced_accuracy)):
        difference = points(second, answers) - points(first, answers)
        low_high = interval(after[name] - before[name], difference, lowest=-1)
        differences[name] = {"difference": round_share(difference), "interval": low_high}
    rights = [model.argmax(axis=1) == answers for model in (first, second)]
    return differences | {"mcnemar": _mcnemar(*rights)}


def resample(probabilities: Probabilities, answers: Answers) -> dict[str, NDArray[np.float64]]:
    """Returns each figure of `RESAMPLES` draws of n pictures with replacement, (RESAMPLES,) by name.

    The draws depend on n alone, so the values of two models on the same pictures are paired.
    """
    labels = probabilities.shape[1]
    bins, gaps = confidence_gaps(probabilities, answers)
    rows, cells = np.arange(len(answers)), labels * labels
    table = np.zeros((len(answers), cells + BINS))
    table[rows, answers * labels + probabilities.argmax(axis=1)] = 1
    table[rows, cells + bins] = gaps
    sums = np.concatenate([counts @ table for counts in _draw(len(answers))])
    confusions = sums[:, :cells].reshape(-1, labels, labels)
    eces = np.abs(sums[:, cells:]).sum(axis=1) / len(answers)
    return _figures(confusions) | {"ece": eces}


def interval(values: NDArray[np.float64], figure: float, *, lowest: float) -> list[float]:
    """Returns the percentile interval of resampled values, shifted so that their median is the figure, cut to range.

    Resampling repeats pictures, which alone makes calibration look worse: without the shift the interval of a small ece
    lies above it (median bias: Efron and Tibshirani, 1993, chapter 14).
    """
    tail = (1 - LEVEL) / 2
    ends = np.quantile(values, [tail, 1 - tail]) - np.median(values) + figure
    return [round_share(end) for end in ends.clip(lowest, 1)]


def _draw(count: int) -> Iterator[NDArray[np.float64]]:
    """Yields how often each picture is drawn: blocks (≤ _BLOCK, count) whose rows sum to count."""
    random = np.random.default_rng(_SEED)
    for start in range(0, RESAMPLES, _BLOCK):
        size = min(_BLOCK, RESAMPLES - start)
        drawn = random.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def _figures(confusions: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Returns the figures of confusions (B, E, E), each (B,), as `metrics.measure` defines them."""
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    answered, predicted = confusions.sum(axis=2), confusions.sum(axis=1)
    recalls = hits / np.maximum(answered, 1)
    f1 = 2 * hits / np.maximum(answered + predicted, 1)
    shared = slice(len(FER2013_EMOTIONS))
    return {
        "accuracy": hits.sum(axis=1) / confusions.sum(axis=(1, 2)),
        "balanced_accuracy": _mean_present(recalls, answered),
        "balanced_accuracy_shared": _mean_present(recalls[:, shared], answered[:, shared]),
        "macro_f1": _mean_present(f1, answered),
    }


def _mean_present(values: NDArray[np.float64], answered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean (B,) over the labels that have answers."""
    present = answered > 0
    return np.asarray((values * present).sum(axis=1) / np.maximum(present.sum(axis=1), 1))


def _accuracy(probabilities: Probabilities, answers: Answers) -> float:
    return float(np.mean(probabilities.argmax(axis=1) == answers))


def _balanced_accuracy(probabilities: Probabilities, answers: Answers) -> float:
    return balanced_accuracy(answers, probabilities.argmax(axis=1), probabilities.shape[1])


def _mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> dict[str, Any]:
    first, second = int((first_right & ~second_right).sum()), int((second_right & ~first_right).sum())
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return {"only_first_right": first, "only_second_right": second, "p": float(f"{p:.3g}")}

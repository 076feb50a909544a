"""What is measured of an expression classifier under one protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_fscore_support,
    recall_score,
    roc_auc_score,
)

from videmo.emotion.labels import FER2013_EMOTIONS

BINS: Final = 15
DIGITS: Final = 4


def measure(probabilities: NDArray[np.float32], answers: NDArray[np.intp], labels: tuple[str, ...]) -> dict[str, Any]:
    """Measures probabilities (n, E) against answers (n,), indices into the E labels.

    Returns:
        Plain values: n, accuracy, balanced_accuracy (mean recall of all labels), balanced_accuracy_shared (of the seven
        labels that FER2013 and FER+ share), macro_f1, ece, roc_auc and average_precision (each label against the
        rest: macro, the mean, and per_class, None where that cannot be asked), per_class (precision, recall, f1, n by
        label), confusion (rows are answers, columns predictions; confusion_shares of each answer) and reliability (the
        bins of the ece). Shares are 0..1, rounded to four digits.
    """
    predicted = probabilities.argmax(axis=1)
    indices = np.arange(len(labels))
    precision, recall, f1, counts = precision_recall_fscore_support(answers, predicted, labels=indices, zero_division=0)
    per_class = {
        label: {
            "precision": round_share(precision[i]),
            "recall": round_share(recall[i]),
            "f1": round_share(f1[i]),
            "n": int(counts[i]),
        }
        for i, label in enumerate(labels)
    }
    confusion = confusion_matrix(answers, predicted, labels=indices)
    return {
        "n": len(answers),
        "accuracy": round_share(np.mean(predicted == answers)),
        "balanced_accuracy": round_share(balanced_accuracy(answers, predicted, len(labels))),
        "balanced_accuracy_shared": round_share(balanced_accuracy(answers, predicted, len(FER2013_EMOTIONS))),
        "macro_f1": round_share(f1[counts > 0].mean()),
        "ece": round_share(expected_calibration_error(probabilities, answers)),
        "roc_auc": _against_the_rest(roc_auc_score, probabilities, answers, labels),
        "average_precision": _against_the_rest(average_precision_score, probabilities, answers, labels),
        "per_class": per_class,
        "confusion": confusion.tolist(),
        "confusion_shares": (confusion / np.maximum(counts, 1)[:, None]).round(DIGITS).tolist(),
        "reliability": reliability(probabilities, answers),
    }


def balanced_accuracy(answers: NDArray[np.intp], predicted: NDArray[np.intp], labels: int) -> float:
    """Mean recall of those of the first `labels` labels that occur among the answers.

    Example:
        >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), 2)
        0.5
    """
    present = np.unique(answers[answers < labels])
    return float(recall_score(answers, predicted, labels=present, average="macro", zero_division=0))


def expected_calibration_error(probabilities: NDArray[np.float32], answers: NDArray[np.intp]) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width (Guo et al., 2017), 0..1.

    Example:
        >>> expected_calibration_error(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32), np.array([0, 1]))
        0.5
    """
    bins, gaps = confidence_gaps(probabilities, answers)
    return float(np.abs(np.bincount(bins, gaps, BINS)).sum() / len(answers))


def confidence_gaps(
    probabilities: NDArray[np.float32], answers: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Returns the bin of confidence of each answer (n,), 0..14, and right (1) or wrong (0) minus confidence (n,)."""
    confidences = probabilities.max(axis=1).astype(np.float64)
    bins = np.minimum((confidences * BINS).astype(np.intp), BINS - 1)
    return bins, (probabilities.argmax(axis=1) == answers) - confidences


def reliability(probabilities: NDArray[np.float32], answers: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Returns n, mean confidence and accuracy of each of the 15 bins; None where a bin is empty."""
    bins, gaps = confidence_gaps(probabilities, answers)
    right = probabilities.argmax(axis=1) == answers
    rows = []
    for counted in (bins == i for i in range(BINS)):
        accuracy = round_share(right[counted].mean()) if counted.any() else None
        confidence = round_share((right - gaps)[counted].mean()) if counted.any() else None
        rows.append({"n": int(counted.sum()), "confidence": confidence, "accuracy": accuracy})
    return rows


def fit_temperature(logits: NDArray[np.float32], answers: NDArray[np.intp]) -> float:
    """Returns the temperature that makes logits (n, E) divided by it likeliest (Guo et al., 2017)."""
    rows = np.arange(len(answers))

    def cost(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, answers].mean())

    return float(np.exp(minimize_scalar(cost, bounds=(-2.0, 2.0), method="bounded").x))


def round_share(value: float) -> float:
    """Returns a share as it is written down, with four digits."""
    return round(float(value), DIGITS)


def _against_the_rest(
    score: Callable[..., float], probabilities: NDArray[np.float32], answers: NDArray[np.intp], labels: tuple[str, ...]
) -> dict[str, Any]:
    """Scores each label against the rest; None where all or none of the answers are of that label."""
    per_class: dict[str, float | None] = {}
    for i, label in enumerate(labels):
        hits = answers == i
        per_class[label] = round_share(score(hits, probabilities[:, i])) if 0 < hits.sum() < len(hits) else None
    known = [value for value in per_class.values() if value is not None]
    return {"macro": round_share(sum(known) / len(known)) if known else None, "per_class": per_class}

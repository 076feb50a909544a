"""What is measured of an expression classifier under one protocol."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, recall_score

from videmo.emotion.labels import FER2013_EMOTIONS

BINS: Final = 15
_DIGITS: Final = 4


def measure(probabilities: NDArray[np.float32], answers: NDArray[np.intp], labels: tuple[str, ...]) -> dict[str, Any]:
    """Measures probabilities (n, E) against answers (n,), indices into the E labels.

    Returns:
        Plain values: n, accuracy, balanced_accuracy (mean recall of all labels), balanced_accuracy_shared (of the seven
        labels that FER2013 and FER+ share), macro_f1, ece, per_class (precision, recall, f1, n by label) and
        confusion (rows are answers, columns predictions). Shares are 0..1, rounded to four digits.
    """
    predicted = probabilities.argmax(axis=1)
    indices = np.arange(len(labels))
    precision, recall, f1, counts = precision_recall_fscore_support(answers, predicted, labels=indices, zero_division=0)
    per_class = {
        label: {
            "precision": _round(precision[i]),
            "recall": _round(recall[i]),
            "f1": _round(f1[i]),
            "n": int(counts[i]),
        }
        for i, label in enumerate(labels)
    }
    return {
        "n": len(answers),
        "accuracy": _round(np.mean(predicted == answers)),
        "balanced_accuracy": _round(balanced_accuracy(answers, predicted, len(labels))),
        "balanced_accuracy_shared": _round(balanced_accuracy(answers, predicted, len(FER2013_EMOTIONS))),
        "macro_f1": _round(f1[counts > 0].mean()),
        "ece": _round(expected_calibration_error(probabilities, answers)),
        "per_class": per_class,
        "confusion": confusion_matrix(answers, predicted, labels=indices).tolist(),
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
    confidences = probabilities.max(axis=1).astype(np.float64)
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = (probabilities.argmax(axis=1) == answers) - confidences
    return float(np.abs(np.bincount(bins, gaps, BINS)).sum() / len(answers))


def fit_temperature(logits: NDArray[np.float32], answers: NDArray[np.intp]) -> float:
    """Returns the temperature that makes logits (n, E) divided by it likeliest (Guo et al., 2017)."""
    rows = np.arange(len(answers))

    def cost(log_temperature: float) -> float:
        return float(-log_softmax(logits / np.exp(log_temperature), axis=1)[rows, answers].mean())

    return float(np.exp(minimize_scalar(cost, bounds=(-2.0, 2.0), method="bounded").x))


def _round(value: float) -> float:
    return round(float(value), _DIGITS)

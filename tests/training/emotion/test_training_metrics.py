from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from videmo.emotion.labels import EMOTIONS
from videmo.training.emotion.metrics import (
    balanced_accuracy,
    expected_calibration_error,
    fit_temperature,
    measure,
    reliability,
)


def test_measures_of_a_worked_example() -> None:
    answers = np.array([0, 0, 0, 1, 7])
    probabilities = np.eye(8, dtype=np.float32)[[0, 0, 1, 1, 0]]

    measured = measure(probabilities, answers, EMOTIONS)

    assert measured["n"] == 5
    assert measured["accuracy"] == 0.6
    assert measured["balanced_accuracy"] == round((2 / 3 + 1 + 0) / 3, 4)
    assert measured["balanced_accuracy_shared"] == round((2 / 3 + 1) / 2, 4)
    assert measured["per_class"]["neutral"] == {"precision": 0.6667, "recall": 0.6667, "f1": 0.6667, "n": 3}
    assert measured["per_class"]["fear"]["n"] == 0
    assert measured["confusion"][0][:2] == [2, 1]
    assert measured["ece"] == 0.4


def test_areas_are_those_of_each_label_against_the_rest() -> None:
    answers = np.array([0, 0, 1, 1])
    probabilities = np.zeros((4, 8), np.float32)
    probabilities[:, 0], probabilities[:, 1] = (0.9, 0.4, 0.6, 0.1), (0.1, 0.6, 0.4, 0.9)

    measured = measure(probabilities, answers, EMOTIONS)

    assert measured["roc_auc"]["per_class"]["neutral"] == 0.75  # three of four pairs are in order
    assert measured["average_precision"]["per_class"]["neutral"] == round((1 + 2 / 3) / 2, 4)
    assert measured["roc_auc"]["per_class"]["fear"] is None
    assert measured["roc_auc"]["macro"] == 0.75
    assert measured["confusion_shares"][0][:2] == [0.5, 0.5]
    assert measured["confusion_shares"][6] == [0.0] * 8


def test_reliability_bins_hold_every_answer() -> None:
    probabilities = np.array([[1.0, 0.0], [0.75, 0.25], [0.75, 0.25]], np.float32)

    bins = reliability(probabilities, np.array([0, 0, 1]))

    assert bins[14] == {"n": 1, "confidence": 1.0, "accuracy": 1.0}
    assert bins[11] == {"n": 2, "confidence": 0.75, "accuracy": 0.5}
    assert bins[0] == {"n": 0, "confidence": None, "accuracy": None}
    assert len(bins) == 15


def test_balanced_accuracy_skips_labels_without_answers() -> None:
    assert balanced_accuracy(np.array([0, 2, 2]), np.array([0, 2, 0]), 7) == 0.75


def test_calibration_error_is_the_gap_weighted_by_bin() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]], np.float32)

    error = expected_calibration_error(probabilities, np.array([0, 0, 0, 1]))

    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.1, abs=1e-6)


def test_the_temperature_undoes_a_known_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5)).astype(np.float32)
    answers = np.array([rng.choice(5, p=row) for row in softmax(logits.astype(float), axis=1)])

    assert fit_temperature(logits * 3, answers) == pytest.approx(3, rel=0.05)

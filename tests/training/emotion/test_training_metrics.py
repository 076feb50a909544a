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

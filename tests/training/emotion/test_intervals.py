from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from videmo.emotion.labels import EMOTIONS
from videmo.training.emotion.intervals import compare, interval, measure_intervals, resample
from videmo.training.emotion.metrics import measure

FIGURES = ("accuracy", "balanced_accuracy", "balanced_accuracy_shared", "macro_f1", "ece")


def draw_answers(seed: int, count: int, *, skill: float, labels: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Answers of uneven frequency, and probabilities that lean to the right ones by `skill`."""
    rng = np.random.default_rng(seed)
    answers = np.minimum(rng.geometric(0.4, count) - 1, labels - 2)
    logits = rng.normal(0, 1.5, (count, labels))
    logits[np.arange(count), answers] += skill
    return softmax(logits, axis=1).astype(np.float32), answers


@settings(max_examples=20)  # scikit-learn takes its time over each
@given(seed=st.integers(0, 10_000), count=st.integers(30, 300), skill=st.floats(-2, 5))
def test_intervals_hold_the_figure_and_the_measures_their_bounds(seed: int, count: int, skill: float) -> None:
    probabilities, answers = draw_answers(seed, count, skill=skill)
    figures = measure(probabilities, answers, EMOTIONS)
    for name, (low, high) in measure_intervals(probabilities, answers, figures).items():
        assert 0 <= low <= figures[name] <= high <= 1
    assert np.sum(figures["confusion"]) == sum(row["n"] for row in figures["reliability"]) == count
    assert 0 <= figures["ece"] <= 1


def test_resampled_figures_are_those_of_the_resampled_faces() -> None:
    probabilities, answers = draw_answers(1, 200, skill=1.0)
    drawn = np.random.default_rng(0).integers(200, size=(50, 200))[0]  # the first of the documented draws

    first = {name: values[0] for name, values in resample(probabilities, answers).items()}

    expected = measure(probabilities[drawn], answers[drawn], EMOTIONS)
    assert {name: round(float(value), 4) for name, value in first.items()} == {name: expected[name] for name in FIGURES}


def test_the_interval_of_the_accuracy_is_the_binomial_one() -> None:
    probabilities, answers = draw_answers(2, 3000, skill=1.0)
    figures = measure(probabilities, answers, EMOTIONS)

    low, high = measure_intervals(probabilities, answers, figures)["accuracy"]

    error = np.sqrt(figures["accuracy"] * (1 - figures["accuracy"]) / 3000)
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.1)


def test_an_interval_is_moved_to_its_figure_and_cut_to_its_range() -> None:
    values = np.linspace(0.4, 0.6, 1001)

    assert interval(values, 0.5, lowest=0) == [0.405, 0.595]
    assert interval(values, 0.05, lowest=0) == [0.0, 0.145]
    assert interval(values, 0.95, lowest=0) == [0.855, 1.0]


def test_a_model_compared_with_itself_differs_in_nothing() -> None:
    probabilities, answers = draw_answers(3, 100, skill=1.0)

    compared = compare(probabilities, probabilities, answers)

    assert compared["accuracy"] == {"difference": 0.0, "interval": [0.0, 0.0]}
    assert compared["mcnemar"] == {"only_first_right": 0, "only_second_right": 0, "p": 1.0}


def test_mcnemar_counts_the_faces_that_only_one_got_right() -> None:
    answers = np.zeros(20, int)
    first, second = (
        np.eye(2, dtype=np.float32)[rows] for rows in ([0] * 10 + [1] * 10, [0] * 9 + [1] + [0] * 8 + [1] * 2)
    )

    compared = compare(first, second, answers)

    assert compared["accuracy"]["difference"] == 0.35
    assert compared["mcnemar"] == {"only_first_right": 1, "only_second_right": 8, "p": 0.0391}


def test_a_clear_difference_has_an_interval_without_zero_though_both_intervals_overlap() -> None:
    weak, answers = draw_answers(4, 600, skill=1.0)
    better = weak.copy()
    wrong = np.flatnonzero(weak.argmax(axis=1) != answers)[:25]
    better[wrong] = np.eye(8, dtype=np.float32)[answers[wrong]]

    low, high = compare(weak, better, answers)["accuracy"]["interval"]

    assert 0 < low < 25 / 600 < high

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from videmo.training.emotion.votes import (
    argmax_protocol,
    clean_votes,
    label_targets,
    majority_protocol,
    vote_targets,
)

VOTES = arrays(np.uint8, st.tuples(st.integers(1, 8), st.just(10)), elements=st.integers(0, 10))


def votes(**counts: int) -> np.ndarray:
    order = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf"]
    return np.array([[counts.get(name, 0) for name in order]], np.uint8)


@given(VOTES)
def test_targets_are_probabilities_or_nothing(counts: np.ndarray) -> None:
    targets = vote_targets(counts)

    emotions_left = (clean_votes(counts)[:, :8] > 0).any(axis=1)
    np.testing.assert_allclose(targets.sum(axis=1), emotions_left.astype(float), atol=1e-6)
    assert (targets >= 0).all()


@given(VOTES)
def test_a_majority_among_cleaned_votes_is_an_emotion_with_more_than_half(counts: np.ndarray) -> None:
    counted, top = majority_protocol(counts)

    for row, label in zip(clean_votes(counts)[counted].astype(int), top[counted], strict=True):
        assert label < 8
        assert row[label] * 2 > row.sum()


def test_a_single_vote_counts_nothing_and_unknown_votes_leave_the_target() -> None:
    assert vote_targets(votes(neutral=6, sadness=2, fear=1, unknown=2))[0].tolist() == [0.75, 0, 0, 0.25, 0, 0, 0, 0]


def test_half_of_the_votes_is_no_majority() -> None:
    assert not majority_protocol(votes(neutral=5, sadness=5))[0][0]
    assert majority_protocol(votes(neutral=5, sadness=4, fear=1))[0][0]


def test_unknown_on_top_counts_under_no_protocol() -> None:
    unclear = votes(neutral=3, unknown=7)

    assert not majority_protocol(unclear)[0][0]
    assert not argmax_protocol(unclear)[0][0]


def test_argmax_counts_raw_votes_without_a_majority() -> None:
    counted, top = argmax_protocol(votes(neutral=4, sadness=3, anger=3))

    assert counted[0]
    assert top[0] == 0


def test_label_smoothing_keeps_the_sum() -> None:
    targets = label_targets(np.array([2, 6], np.int8), 0.14)

    np.testing.assert_allclose(targets[0], [0.02, 0.02, 0.88, 0.02, 0.02, 0.02, 0.02], rtol=1e-5)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)

"""Turns votes and labels into training targets, and into the answers that evaluation counts.

Sources: FER+ cleaning and protocols (Barsoum et al., 2016).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS


def clean_votes(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drops single votes, as the FER+ paper does: a label that only one of ten people chose counts as noise.

    Example:
        >>> clean_votes(np.array([[6, 1, 3]], np.uint8)).tolist()
        [[6, 0, 3]]
    """
    return np.where(votes == 1, 0, votes).astype(np.uint8)


def vote_targets(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turns votes (n, 10) into target probabilities (n, 8); a face whose remaining votes name no emotion gets zeros."""
    counts = clean_votes(votes)[:, : len(EMOTIONS)].astype(np.float32)
    totals: NDArray[np.float32] = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.divide(counts, totals)


def emotion_targets(votes: NDArray[np.uint8], labels: NDArray[np.int8], smoothing: float) -> NDArray[np.float32]:
    """Turns votes (n, 10), or the one label (n,) of faces that nobody voted on, into target probabilities (n, 8)."""
    voted = votes.any(axis=1, keepdims=True)
    return np.where(voted, vote_targets(votes), _smooth(labels, len(EMOTIONS), smoothing))


def label_targets(labels: NDArray[np.int8], smoothing: float) -> NDArray[np.float32]:
    """Turns labels (n,) into target probabilities (n, 7); a face without a label of FER2013 gets zeros.

    Example:
        >>> label_targets(np.array([-1], np.int8), 0.1).any()
        np.False_
    """
    return _smooth(labels, len(FER2013_EMOTIONS), smoothing)


def _smooth(labels: NDArray[np.int8], count: int, smoothing: float) -> NDArray[np.float32]:
    """Returns smoothed targets (n, count) (Szegedy et al., 2016), zeros where a label is not one of 0 to count - 1."""
    wanted = labels[:, None] == np.arange(count)
    smoothed = wanted * np.float32(1 - smoothing) + np.float32(smoothing / count)
    return np.asarray(smoothed * wanted.any(axis=1, keepdims=True), np.float32)


def majority_protocol(votes: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """FER+ majority protocol: a face counts if one emotion has more than half of the votes that remain after cleaning.

    Returns:
        Which faces count (n,) bool, and the top column of each (n,), an index into `VOTES`.
    """
    counts = clean_votes(votes).astype(int)
    top = counts.argmax(axis=1)
    return (2 * counts.max(axis=1) > counts.sum(axis=1)) & (top < len(EMOTIONS)), top


def argmax_protocol(votes: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """FER+ argmax protocol: a face counts if the column with most raw votes is an emotion.

    Returns:
        As `majority_protocol`.
    """
    top = votes.argmax(axis=1)
    return top < len(EMOTIONS), top

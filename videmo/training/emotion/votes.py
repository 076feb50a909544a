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


def label_targets(labels: NDArray[np.int8], smoothing: float) -> NDArray[np.float32]:
    """Turns FER2013 labels (n,) into smoothed target probabilities (n, 7) (Szegedy et al., 2016)."""
    count = len(FER2013_EMOTIONS)
    return np.eye(count, dtype=np.float32)[labels] * np.float32(1 - smoothing) + np.float32(smoothing / count)


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

"""Mixes the faces of a batch with one another, and their targets by the same shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mixed = tuple[Floats, list[Floats]]
"""Faces (n, S, S, 1) and arrays of targets (n, labels)."""


def mixup(faces: Floats, targets: list[Floats], alpha: float, rng: np.random.Generator) -> Mixed:
    """Blends each face with another one (Zhang et al., 2018); its own share is the larger one.

    Args:
        faces: (n, side_px, side_px, 1).
        targets: Arrays (n, labels).
        alpha: Both parameters of the beta distribution that the shares come from.
        rng: Source of randomness.

    Returns:
        Faces and targets of the same shapes.
    """
    shares = rng.beta(alpha, alpha, len(faces)).astype(np.float32)
    shares = np.maximum(shares, 1 - shares)
    others = rng.permutation(len(faces))
    weights = shares[:, None, None, None]
    return faces * weights + faces[others] * (1 - weights), _blend(targets, others, shares)


def cutmix(faces: Floats, targets: list[Floats], rng: np.random.Generator) -> Mixed:
    """Pastes a square of another face into each (Yun et al., 2019); at most half of a face is covered.

    Args:
        faces: (n, side_px, side_px, 1).
        targets: Arrays (n, labels).
        rng: Source of randomness.

    Returns:
        Faces and targets of the same shapes.

    Example:
        >>> faces = np.repeat(np.array([0, 1], np.float32), 64).reshape(2, 8, 8, 1)
        >>> cut, (soft,) = cutmix(faces, [np.eye(2, dtype=np.float32)], np.random.default_rng(0))
        >>> bool((cut.mean(axis=(1, 2, 3)) == soft[:, 1]).all())
        True
    """
    n, side_px = faces.shape[:2]
    sides_px = (side_px * np.sqrt(rng.uniform(0, 0.5, n))).astype(int)
    starts_px = rng.integers(0, side_px - sides_px + 1, (2, n))
    pixels = np.arange(side_px)
    inside = (pixels >= starts_px[..., None]) & (pixels < (starts_px + sides_px)[..., None])
    pasted = inside[0][:, :, None] & inside[1][:, None, :]
    others = rng.permutation(n)
    shares = 1 - pasted.mean(axis=(1, 2)).astype(np.float32)
    return np.where(pasted[..., None], faces[others], faces), _blend(targets, others, shares)


def _blend(targets: list[Floats], others: NDArray[np.intp], shares: Floats) -> list[Floats]:
    weights = shares[:, None]
    return [target * weights + target[others] * (1 - weights) for target in targets]

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.data import astronaut

from videmo.training.emotion.augment import Augmentation

NONE = Augmentation(flip=0, rotation_deg=0, scale=0, aspect=0, shift=0, light=0, gamma=0, soften=0, erase=0, mixup=0)


@pytest.fixture
def faces() -> np.ndarray:
    picture = astronaut()[40:184:3, 150:294:3, 1]
    return np.repeat(picture[None], 6, axis=0)


def test_without_strength_nothing_changes(faces: np.ndarray) -> None:
    changed = NONE.apply(faces, 48, np.random.default_rng(0))

    assert changed.shape == (6, 48, 48, 1)
    np.testing.assert_allclose(changed[..., 0], faces, atol=0.01)


def test_a_certain_flip_mirrors_about_the_middle_column(faces: np.ndarray) -> None:
    changed = replace(NONE, flip=1.0).apply(faces, 48, np.random.default_rng(0))

    np.testing.assert_allclose(changed[..., 0], faces[:, :, ::-1], atol=0.01)


@pytest.mark.parametrize("side_px", [36, 48])
def test_faces_come_in_the_size_asked_for_within_the_range(faces: np.ndarray, side_px: int) -> None:
    changed = Augmentation(erase=1, soften=1).apply(faces, side_px, np.random.default_rng(1))

    assert changed.shape == (6, side_px, side_px, 1)
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert len({face.tobytes() for face in changed}) == 6


def test_the_seed_decides(faces: np.ndarray) -> None:
    first, again, other = (Augmentation().apply(faces, 36, np.random.default_rng(seed)) for seed in (5, 5, 6))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_erasing_fills_a_rectangle_of_every_face(faces: np.ndarray) -> None:
    changed = replace(NONE, erase=1.0).apply(faces, 48, np.random.default_rng(2))[..., 0]

    shares = (np.abs(changed - faces) > 1).mean(axis=(1, 2))
    assert (shares > 0.01).all()
    assert (shares < 0.17).all()


def test_mixup_blends_faces_and_targets_by_the_same_share() -> None:
    values = np.arange(8, dtype=np.float32)
    faces = np.broadcast_to(values[:, None, None, None], (8, 4, 4, 1))
    targets = [np.eye(8, dtype=np.float32), np.eye(8, dtype=np.float32)[:, :5]]

    mixed, (soft, short) = Augmentation(mixup=0.4).mix(faces, targets, np.random.default_rng(3))

    np.testing.assert_allclose(mixed[:, 0, 0, 0], soft @ values, rtol=1e-5)
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(short, soft[:, :5])
    assert (soft.diagonal() >= 0.5).all()
    assert (soft.diagonal() < 1).any()

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.data import astronaut

from videmo.training.emotion.augment import Augmentation

NONE = replace(Augmentation().scaled(0), flip=0)


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


@pytest.mark.parametrize("name", ["brightness", "contrast", "gamma", "light", "noise"])
def test_every_change_of_light_changes_faces_and_keeps_them_in_range(faces: np.ndarray, name: str) -> None:
    strength = {"noise": 20.0}.get(name, 0.5)

    changed = replace(NONE, **{name: strength}).apply(faces, 48, np.random.default_rng(4))[..., 0]

    differences = np.abs(changed - faces).mean(axis=(1, 2))
    assert differences.mean() > 3
    assert len(set(differences)) == len(faces)
    assert changed.min() >= 0
    assert changed.max() <= 255


@pytest.mark.parametrize("name", ["blur", "soften"])
def test_lost_detail_lowers_the_contrast_between_neighbours(faces: np.ndarray, name: str) -> None:
    changed = replace(NONE, **{name: 1.0}).apply(faces, 48, np.random.default_rng(5))[..., 0]

    before, after = (np.abs(np.diff(pixels.astype(np.float32), axis=2)).mean() for pixels in (faces, changed))
    assert after < 0.9 * before


def test_scaling_keeps_shares_within_one_and_leaves_mirroring_alone() -> None:
    stronger = Augmentation(erase=0.8, rotation_deg=10, flip=0.5).scaled(1.5)

    assert (stronger.erase, stronger.rotation_deg, stronger.flip) == (1.0, 15.0, 0.5)
    assert Augmentation().scaled(1) == Augmentation()


def test_cutmix_pastes_pixels_and_mixes_targets_by_the_area() -> None:
    values = np.arange(8, dtype=np.float32)
    faces = np.repeat(values, 16 * 16).reshape(8, 16, 16, 1)

    cut, (soft,) = Augmentation(cutmix=1.0).mix(faces, [np.eye(8, dtype=np.float32)], np.random.default_rng(3))

    assert set(np.unique(cut)) <= set(values)
    np.testing.assert_allclose(cut.mean(axis=(1, 2, 3)), soft @ values, rtol=1e-5)
    assert (soft.diagonal() >= 0.5).all()
    assert (soft.diagonal() < 1).any()


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

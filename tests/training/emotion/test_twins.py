from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.training.emotion.twins import (
    MOST_BITS,
    digest,
    find_near,
    first_across,
    hash_perceptually,
    is_blank,
    near_across,
)


@st.composite
def hashes(draw: st.DrawFn) -> np.ndarray:
    """Random hashes and some that differ from them in a few bits."""
    seeds = draw(st.lists(st.integers(0, 2**64 - 1), max_size=8))
    flips = draw(st.lists(st.tuples(st.integers(0, 7), st.sets(st.integers(0, 63), max_size=13)), max_size=12))
    near = [seeds[at % len(seeds)] ^ sum(1 << bit for bit in bits) for at, bits in flips if seeds]
    return np.array(seeds + near, np.uint64)


def distances(values: np.ndarray) -> np.ndarray:
    return np.bitwise_count(values[:, None] ^ values[None, :])


@given(hashes(), st.sampled_from([0, 3, 4, 6, MOST_BITS]))
def test_the_index_finds_what_comparing_all_with_all_finds(values: np.ndarray, most_bits: int) -> None:
    expected = np.argwhere(np.triu(distances(values) <= most_bits, 1))

    np.testing.assert_array_equal(find_near(values, most_bits), expected)


@given(hashes(), st.randoms(use_true_random=False))
def test_near_pictures_across_a_line_are_near_and_across(values: np.ndarray, random) -> None:
    side = np.array([random.random() < 0.5 for _ in values], bool)
    near = (distances(values) <= 6) & (side[:, None] != side[None, :])

    partners, _ = near_across(values, side, 6)

    np.testing.assert_array_equal(partners >= 0, near.any(axis=1))
    rows = np.flatnonzero(partners >= 0)
    assert near[rows, partners[rows]].all()


def test_neighbours_are_other_hashes_nearby() -> None:
    values = np.array([0, 0, 0b11, 2**64 - 1], np.uint64)

    _, neighbours = near_across(values, np.zeros(4, bool), 2)

    assert neighbours.tolist() == [1, 1, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12))
def test_first_across_is_the_first_row_of_the_group_on_the_other_side(rows: list[tuple[int, bool]]) -> None:
    expected = [next((at for at, other in enumerate(rows) if other == (group, not side)), -1) for group, side in rows]
    groups, sides = np.array([row[0] for row in rows], int), np.array([row[1] for row in rows], bool)

    assert first_across(groups, sides).tolist() == expected


@pytest.fixture
def face() -> np.ndarray:
    """A drawn face with shading, so that all frequencies are there."""
    image = np.add.outer(np.arange(48), np.arange(48)).astype(np.uint8)
    cv2.circle(image, (24, 24), 18, 200, -1)
    cv2.circle(image, (17, 20), 3, 30, -1)
    cv2.ellipse(image, (26, 33), (9, 4), 0, 0, 180, 60, 2)
    return image


def test_small_changes_keep_the_perceptual_hash_and_another_picture_has_another(face: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(face + rng.normal(0, 4, face.shape), 0, 255)
    darker = 0.8 * face + 10
    copied = cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA), (48, 48))
    images = np.stack([face, noisy, darker, copied, small, face[:, ::-1]]).astype(np.uint8)

    found = distances(hash_perceptually(images))[0]

    assert (found[1:5] <= 6).all(), found
    assert found[5] > 16


def test_perceptual_hashes_do_not_depend_on_the_other_pictures() -> None:
    images = np.random.default_rng(1).integers(0, 256, (5000, 16, 16), np.uint8)

    np.testing.assert_array_equal(hash_perceptually(images)[4090:4100], hash_perceptually(images[4090:4100]))


def test_one_gray_level_makes_another_digest(face: np.ndarray) -> None:
    other = face.copy()
    other[47, 47] ^= 1
    first, same, different = digest(np.stack([face, face, other]))

    assert first == same
    assert first != different


def test_flat_pictures_are_blank(face: np.ndarray) -> None:
    nearly = np.full((48, 48), 7, np.uint8)
    nearly[:3, :3] = 12

    assert is_blank(np.stack([nearly, face])).tolist() == [True, False]

"""The hint of a cover: higher for a covered face than for the same face bare, and what its features are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from covers import COVERS, cut_face, paint_cover
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from skimage import data

from videmo.datatypes import UInt8Array
from videmo.detection import neural
from videmo.emotion.align import FRAMINGS, cut_squares, place_squares
from videmo.occlusion import measure_occlusion, occlusion_features
from videmo.settings import Settings

FACE_SQUARE = np.array([[164, 56], [285, 56], [285, 176], [164, 176]])
"""Where the astronaut's face lies, framed as for the classifier (by the neural detector): corners (4, 2) px."""
EASY = ("mask", "bar over the eyes", "microphone or cup", "hair over an eye")


def hint(picture: UInt8Array, corners: np.ndarray = FACE_SQUARE) -> float:
    """Return the hint for the face in the square of an RGB picture."""
    gray = cv2.cvtColor(cut_face(picture, corners), cv2.COLOR_RGB2GRAY)
    crop = cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA)
    return float(measure_occlusion(np.asarray(crop, np.uint8)[None, ..., None])[0])


@pytest.mark.parametrize("kind", EASY)
def test_a_covered_astronaut_scores_higher(kind: str) -> None:
    picture = data.astronaut()
    other = cut_face(picture, FACE_SQUARE)
    bare = hint(picture)
    covered = [hint(paint_cover(picture, FACE_SQUARE, kind, other, seed)) for seed in range(10)]
    assert bare < 0.2
    assert min(covered) > bare + 0.2
    assert np.median(covered) > 0.8


def test_covers_hide_the_share_they_promise_and_nothing_outside() -> None:
    picture = data.astronaut()
    for kind in COVERS:
        painted = paint_cover(picture, FACE_SQUARE, kind, cut_face(picture, FACE_SQUARE), 1)
        changed = (painted != picture).any(axis=2)
        assert 800 < changed.sum() < 121 * 120
        changed[52:180, 160:289] = False
        assert not changed.any()


def test_a_bright_half_shows_in_the_luma_and_in_the_difference_of_the_sides() -> None:
    crop = np.full((1, 48, 48, 1), 100, np.uint8)
    crop[:, :, 24:] = 200
    both, squared, apart = occlusion_features(crop).reshape(3, 2, 4, 2)
    spread = 50 / np.sqrt(50**2 + 1)
    np.testing.assert_allclose(both[0], 0, atol=1e-12)
    np.testing.assert_allclose(apart[0], 2 * spread)
    np.testing.assert_allclose(both[1], np.log(0.02))
    np.testing.assert_allclose(squared, both**2)
    np.testing.assert_allclose(apart[1], 0, atol=1e-12)


def test_a_level_edge_shows_in_its_row_of_cells() -> None:
    crop = np.full((1, 48, 48, 1), 100, np.uint8)
    crop[:, 20:] = 200
    _, edges = occlusion_features(crop).reshape(3, 2, 4, 2)[0]
    variance = 100**2 * (12 / 32) * (20 / 32) + 1
    expected = np.log(np.array([0, 2 * 100**2 / 8, 0, 0]) / variance + 0.02)
    np.testing.assert_allclose(edges, np.repeat(expected[:, None], 2, axis=1))


@given(npst.arrays(np.uint8, st.tuples(st.integers(0, 5), st.just(48), st.just(48), st.just(1))))
def test_hints_are_shares_that_depend_neither_on_the_batch_nor_on_the_side(crops: UInt8Array) -> None:
    together = measure_occlusion(crops)
    assert together.shape == (len(crops),)
    assert together.dtype == np.float32
    assert ((together >= 0) & (together <= 1)).all()
    for crop, value in zip(crops, together, strict=True):
        assert measure_occlusion(crop[None])[0] == value
    np.testing.assert_allclose(measure_occlusion(crops[:, :, ::-1]), together, rtol=1e-5)


@pytest.mark.shared
def test_covered_portraits_score_higher_than_the_same_bare(shared: Path) -> None:
    detector = neural.build(Settings())
    bare, covered = [], []
    for path in sorted((shared / "data" / "london").glob("*_neutral.jpg"))[:8]:
        picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
        picture = np.asarray(cv2.resize(picture, (400, 400), interpolation=cv2.INTER_AREA), np.uint8)
        found = detector.detect([picture])[0].take(slice(0, 1))
        corners = place_squares(found.boxes, found.landmarks, FRAMINGS["neural"]).corners[0]
        masked = paint_cover(picture, corners, "mask", cut_face(picture, corners), len(bare))
        for image, hints in ((picture, bare), (masked, covered)):
            again = detector.detect([image])[0].take(slice(0, 1))
            squares = place_squares(again.boxes, again.landmarks, FRAMINGS["neural"])
            gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
            hints.append(measure_occlusion(cut_squares(gray, squares, 48))[0])
    assert np.max(bare) < 0.3
    assert (np.array(covered) > np.array(bare) + 0.2).all()

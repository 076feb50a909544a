from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.datatypes import ScoredFaces, UInt8Array
from videmo.emotion.labels import EMOTIONS
from videmo.output.drawing import draw_faces, split_planes
from videmo.palette import expression_colours


def noise(width: int, height: int) -> UInt8Array:
    return np.random.default_rng(7).integers(16, 236, (height * 3 // 2, width), np.uint8)


def gray(width: int, height: int) -> UInt8Array:
    return np.full((height * 3 // 2, width), 128, np.uint8)


def one_face(box: list[float], label: str = "happiness", share: float = 1.0, track_id: int = 7) -> ScoredFaces:
    emotions = np.full((1, len(EMOTIONS)), (1 - share) / (len(EMOTIONS) - 1), np.float32)
    emotions[0, EMOTIONS.index(label)] = share
    return ScoredFaces(np.array([box]), np.ones(1), None, np.array([track_id]), emotions)


def to_rgb(i420: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420))


def test_planes_are_views() -> None:
    picture = gray(8, 6)
    y, u, v = split_planes(picture)
    assert (y.shape, u.shape, v.shape) == ((6, 8), (3, 4), (3, 4))
    y[:], u[:], v[:] = 1, 2, 3
    assert picture.ravel().tolist() == [1] * 48 + [2] * 12 + [3] * 12


@pytest.mark.parametrize("label", EMOTIONS)
def test_a_box_has_the_colour_of_its_expression(label: str) -> None:
    picture = gray(640, 480)
    draw_faces(split_planes(picture), one_face([200, 200, 300, 320], label), EMOTIONS, labels_shown=False)
    expected = expression_colours([label])[0].astype(int)
    seen = to_rgb(picture).astype(int)
    for x, y in ((250, 201), (250, 318), (201, 260), (298, 260)):
        assert np.abs(seen[y, x] - expected).max() <= 3
    assert (seen[260, 250] == seen[10, 10]).all()


def test_the_box_of_an_unusable_face_is_dashed_with_a_dark_edge() -> None:
    picture = gray(640, 480)
    draw_faces(split_planes(picture), one_face([200, 200, 300, 320]), EMOTIONS, np.array([False]), labels_shown=False)
    expected = expression_colours(["happiness"])[0].astype(int)
    seen = to_rgb(picture).astype(int)
    for line in (seen[201, 200:300], seen[318, 200:300], seen[200:320, 201], seen[200:320, 298]):
        coloured = np.abs(line - expression_colours(["happiness"])[0]).max(axis=1) <= 3
        assert 0.4 < coloured.mean() < 0.7
        assert np.abs(np.diff(coloured.astype(int))).sum() > 6
    assert np.abs(seen[201, 200] - expected).max() <= 3
    assert (seen[199, 202] < 5).all()


def test_the_bar_shows_the_shares_of_the_probabilities() -> None:
    picture = gray(640, 480)
    draw_faces(split_planes(picture), one_face([200, 200, 300, 320], "sadness", 0.6), EMOTIONS)
    seen = to_rgb(picture).astype(int)
    colour = expression_colours(["sadness"])[0].astype(int)
    bar = np.abs(seen[197] - colour).max(axis=1) <= 3
    tag = np.flatnonzero((seen[190] < 10).all(axis=1))
    assert bar.sum() / (tag[-1] - tag[0] + 1) == pytest.approx(0.6, abs=0.03)


def test_text_is_drawn_inside_the_picture_even_for_a_face_in_the_corner() -> None:
    picture = gray(320, 240)
    draw_faces(split_planes(picture), one_face([300, -10, 330, 25]), EMOTIONS)
    y = split_planes(picture).y
    white = np.argwhere(y > 170)
    assert len(white) > 50
    assert white[:, 1].max() < 318
    assert white[:, 1].min() > 100


def test_nothing_is_drawn_without_faces() -> None:
    picture = noise(64, 48)
    before = picture.copy()
    draw_faces(split_planes(picture), nobody(), EMOTIONS)
    np.testing.assert_array_equal(picture, before)


def nobody() -> ScoredFaces:
    return ScoredFaces(np.zeros((0, 4)), np.zeros(0), None, np.zeros(0), np.zeros((0, len(EMOTIONS))))


coordinates = st.floats(-5000, 5000, allow_nan=False)


@given(
    width=st.integers(1, 120),
    height=st.integers(1, 120),
    box=st.tuples(*[coordinates] * 4),
    track=st.integers(1, 10**6),
)
def test_any_box_can_be_drawn_in_any_picture(width: int, height: int, box: tuple[float, ...], track: int) -> None:
    picture = gray(2 * width, 2 * height)
    faces = one_face(list(box), track_id=track)
    draw_faces(split_planes(picture), faces, EMOTIONS)
    assert picture.shape == (3 * height, 2 * width)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (640, 360), (1920, 1080), (3840, 2160), (720, 1364)])
def test_text_grows_with_the_picture(width: int, height: int) -> None:
    picture = gray(width, height)
    draw_faces(split_planes(picture), one_face([width * 0.3, height * 0.5, width * 0.5, height * 0.7]), EMOTIONS)
    rows = np.flatnonzero((split_planes(picture).y > 220).any(axis=1))
    text_px = rows[-1] - rows[0] + 1
    assert 10 <= text_px <= 0.08 * min(width, height)
    assert text_px >= 0.025 * min(width, height)


def drawn(names: dict[int, str] | None, *, labels_shown: bool = True) -> UInt8Array:
    picture = gray(640, 480)
    draw_faces(split_planes(picture), one_face([200, 200, 300, 320]), EMOTIONS, labels_shown=labels_shown, names=names)
    return picture


def test_a_name_stands_beside_its_id_as_far_as_the_font_has_letters() -> None:
    nameless, named = drawn(None), drawn({7: "Jose"})
    width = [int(np.ptp(np.flatnonzero((split_planes(p).y == 16).any(axis=0)))) for p in (nameless, named)]
    assert width[1] > width[0] + 20
    np.testing.assert_array_equal(drawn({7: "José\n"}), named)
    for no_name in ({}, {8: "Jose"}, {7: "\u5f20\u4e09"}):
        np.testing.assert_array_equal(drawn(no_name), nameless)
    np.testing.assert_array_equal(drawn({7: "Jose"}, labels_shown=False), drawn(None, labels_shown=False))

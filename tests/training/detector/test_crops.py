from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.training.detector.crops import View, cut, mosaic
from videmo.training.detector.network import BLANK
from videmo.training.detector.pictures import LabelledPicture

Make = Callable[..., LabelledPicture]


def test_a_plain_view_is_a_slice(make_picture: Make) -> None:
    picture = make_picture((40, 30, 60, 50))
    picture.image[30:50, 40:60] = 200

    crop = cut(picture, View(at=(32, 32), to=(0, 0)), 64, 48)

    np.testing.assert_array_equal(crop.image, picture.image[32:80, 32:96])
    np.testing.assert_allclose(crop.boxes, [[8, 0, 28, 18]])


def test_what_lies_outside_is_blank(make_picture: Make) -> None:
    crop = cut(make_picture(), View(at=(0, 0), to=(32, 32)), 64, 64)

    assert (crop.image[:32] == BLANK).all()
    assert (crop.image[33:, 33:] == 90).all()


def test_a_mirrored_face_swaps_its_sides(make_picture: Make) -> None:
    picture = make_picture((20, 20, 60, 60))

    crop = cut(picture, View(at=(64, 64), to=(64, 64), mirrored=True), 128, 128)

    np.testing.assert_allclose(crop.boxes, [[68, 20, 108, 60]], atol=1e-4)
    right_eye, left_eye = crop.landmarks[0, :2]
    assert right_eye[0] < left_eye[0]
    np.testing.assert_allclose(right_eye, [128 - picture.landmarks[0, 1, 0], picture.landmarks[0, 1, 1]], atol=1e-4)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.3])
@pytest.mark.parametrize("angle_deg", [0, 20, 90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_pixels_of_a_face_move_as_its_box_does(
    mirrored: bool, angle_deg: float, scale: float, make_picture: Make
) -> None:
    # So large that nothing outside shows, and of a side that the reduction makes a whole number of px.
    picture = make_picture((236, 244, 260, 268), side_px=500)
    picture.image[:] = 0
    picture.image[244:268, 236:260] = 255

    crop = cut(picture, View((250, 250), (64, 64), scale, angle_deg, mirrored), 128, 128)

    light = crop.image[..., 0].astype(float)
    middle = np.array([light.sum(axis=axis) @ (np.arange(128) + 0.5) for axis in (0, 1)]) / light.sum()
    np.testing.assert_allclose(middle, (crop.boxes[0, :2] + crop.boxes[0, 2:]) / 2, atol=0.1)


def test_hidden_and_tiny_faces_are_ignored_and_unseen_ones_dropped(make_picture: Make) -> None:
    picture = make_picture((20, 20, 40, 40), (44, 20, 84, 60), (60, 60, 64, 64), (100, 100, 120, 120))

    crop = cut(picture, View(at=(0, 0), to=(0, 0)), 70, 58)
    hidden = cut(picture, View(at=(0, 0), to=(0, 0)), 60, 70)

    # Wholly seen, 26 of 40 px wide, and the rest outside.
    assert crop.ignored.tolist() == [False, False]
    # 16 of 40 px, then 4 x 4 px of which nothing is seen.
    assert hidden.ignored.tolist() == [False, True]
    assert cut(picture, View(at=(0, 0), to=(0, 0)), 70, 70).ignored.tolist() == [False, False, True]


def test_landmarks_outside_become_unknown(make_picture: Make) -> None:
    crop = cut(make_picture((20, 20, 60, 60)), View(at=(0, 0), to=(0, 0)), 128, 45)

    assert np.isfinite(crop.landmarks[0, :3]).all()
    assert np.isnan(crop.landmarks[0, 3:]).all()


@given(
    angle_deg=st.floats(-180, 180),
    scale=st.floats(0.3, 3),
    mirrored=st.booleans(),
    x=st.floats(0, 100),
    y=st.floats(0, 100),
)
def test_a_view_keeps_its_anchor_and_its_scale(
    angle_deg: float, scale: float, mirrored: bool, x: float, y: float
) -> None:
    matrix = View((x, y), (5.0, 7.0), scale, angle_deg, mirrored).matrix()

    np.testing.assert_allclose(matrix[:, :2] @ [x, y] + matrix[:, 2], [5, 7], atol=1e-6)
    assert abs(np.linalg.det(matrix[:, :2])) == pytest.approx(scale**2)


def test_a_mosaic_moves_the_faces_of_its_parts(make_picture: Make) -> None:
    whole = View(at=(0, 0), to=(0, 0))
    sizes = ((24, 40), (40, 40), (24, 24), (40, 24))
    parts = [cut(make_picture((4, 4, 20, 20)), whole, *size) for size in sizes]

    crop = mosaic(parts, 24, 40, 64)

    assert crop.image.shape == (64, 64, 3)
    np.testing.assert_allclose(crop.boxes[:, :2], [[4, 4], [28, 4], [4, 44], [28, 44]])
    np.testing.assert_allclose(crop.landmarks[3] - crop.landmarks[0], [[24, 40]] * 5)

from __future__ import annotations

import numpy as np
import pytest
from scored_frames import FlatPicture, scored_faces

from videmo.output.drawing import split_planes
from videmo.output.letterbox import letterbox


def test_a_picture_that_fits_is_handed_on_untouched() -> None:
    picture, faces = FlatPicture(40, 30).i420(), scored_faces(2)
    fitted, same = letterbox(picture, faces, 40, 30)
    assert fitted is picture
    assert same is faces


@pytest.mark.parametrize(("width", "height"), [(100, 100), (400, 20), (38, 400), (2, 2)])
def test_the_picture_is_centred_and_its_faces_go_with_it(width: int, height: int) -> None:
    faces = scored_faces(1)
    fitted, moved = letterbox(FlatPicture(width, height, 200).i420(), faces, 200, 100)
    luma = split_planes(fitted).y
    lit = np.argwhere(luma > 150)
    (top, left), (bottom, right) = lit.min(axis=0), lit.max(axis=0) + 1
    assert abs(left - (200 - right)) <= 2
    assert abs(top - (100 - bottom)) <= 2
    assert right - left == 200 or bottom - top == 100
    scale = np.array([(right - left) / width, (bottom - top) / height] * 2)
    np.testing.assert_allclose(moved.boxes, faces.boxes * scale + [left, top, left, top], rtol=1e-4)
    np.testing.assert_array_equal(moved.track_ids, faces.track_ids)

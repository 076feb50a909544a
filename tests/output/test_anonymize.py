from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hidden_faces import DETECTORS, find_faces
from hypothesis import given
from hypothesis import strategies as st
from synthetic import moving_face

from videmo.datatypes import Float32Array, UInt8Array
from videmo.demo import DURATION_S, compose_scene
from videmo.output.anonymize import hide_faces
from videmo.output.drawing import split_planes
from videmo.settings import Anonymize

METHODS: tuple[Anonymize, ...] = ("blur", "pixelate", "box")

coordinates = st.floats(-5000, 5000, allow_nan=False)


def noise(width: int, height: int) -> UInt8Array:
    return np.random.default_rng(7).integers(16, 236, (height * 3 // 2, width), np.uint8)


def detail(region: UInt8Array) -> float:
    """Return the energy of the differences between neighbours: what a hidden face must not have."""
    return float(np.abs(np.diff(region.astype(float), axis=1)).mean())


@given(width=st.integers(1, 120), height=st.integers(1, 120), box=st.tuples(*[coordinates] * 4))
def test_any_box_can_be_hidden_in_any_picture(width: int, height: int, box: tuple[float, ...]) -> None:
    for method in METHODS:
        picture = np.full((3 * height, 2 * width), 128, np.uint8)
        hide_faces(split_planes(picture), np.array([box], np.float32), method)
        assert picture.shape == (3 * height, 2 * width)


@pytest.mark.parametrize("method", METHODS)
def test_a_hidden_face_keeps_no_detail_and_the_rest_stays(method: Anonymize) -> None:
    picture = noise(320, 240)
    before, after = split_planes(picture.copy()), split_planes(picture)
    hide_faces(after, np.array([[100, 80, 160, 160]], np.float32), method)
    # The width is 60, the height 80: 24 px more at the sides, 40 above, 32 below.
    inside, chroma = (slice(40, 192), slice(76, 184)), (slice(20, 96), slice(38, 92))
    for place, was, now in zip((inside, chroma, chroma), before, after, strict=True):
        assert detail(now[place]) < 0.1 * detail(was[place])
    assert len(np.unique(after.u[chroma])) == len(np.unique(after.v[chroma])) == 1
    mask = np.ones_like(before.y, bool)
    mask[inside] = False
    np.testing.assert_array_equal(before.y[mask], after.y[mask])
    if method == "box":
        assert (after.y[inside] == 16).all()
        assert (after.u[chroma] == 128).all()


def test_no_faces_leave_the_picture_alone() -> None:
    picture = noise(64, 48)
    before = picture.copy()
    hide_faces(split_planes(picture), np.zeros((0, 4), np.float32), "box")
    np.testing.assert_array_equal(picture, before)


def count_found(name: str, pictures: Iterator[tuple[UInt8Array, Float32Array]], method: Anonymize) -> tuple[int, int]:
    """Return in how many pictures a detector finds a face of `boxes` before and after they are hidden."""
    detector, before, after = DETECTORS[name](), 0, 0
    for rgb, boxes in pictures:
        before += find_faces(detector, rgb, boxes)
        i420 = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)
        hide_faces(split_planes(i420), boxes, method)
        after += find_faces(detector, np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420)), boxes)
    return before, after


def made_pictures() -> Iterator[tuple[UInt8Array, Float32Array]]:
    """Yield the astronaut crossing a plain picture, and scenes of the demo with the faces that our detector finds."""
    for picture, box in list(moving_face(40))[::4]:
        yield picture, box[None]
    ours = DETECTORS["neural"]()
    for time_s in np.arange(0, DURATION_S, 0.5):
        picture = compose_scene(time_s)
        boxes = ours.detect([picture])[0].boxes
        if len(boxes):
            yield picture, boxes


def clip_pictures(path: Path) -> Iterator[tuple[UInt8Array, Float32Array]]:
    """Yield every 24th picture of a clip with its faces as our detector finds them."""
    ours = DETECTORS["neural"]()
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 24 == 0:
                picture = np.asarray(frame.to_ndarray(format="rgb24"))
                yield picture, ours.detect([picture])[0].boxes


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("detector", ["neural", "haar", pytest.param("yunet", marks=pytest.mark.shared)])
def test_no_detector_finds_a_hidden_face(detector: str, method: Anonymize) -> None:
    before, after = count_found(detector, made_pictures(), method)
    assert before >= 20
    assert after == 0


@pytest.mark.shared
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("detector", ["neural", "haar", "yunet"])
@pytest.mark.parametrize("clip", ["justinshenk+fer__woman2.mp4", "KwaiVGI+LivePortrait__d18.mp4"])
def test_no_detector_finds_a_hidden_face_of_a_real_clip(
    clip: str, detector: str, method: Anonymize, shared: Path
) -> None:
    before, after = count_found(detector, clip_pictures(shared / "videos" / clip), method)
    assert before >= 8
    assert after == 0

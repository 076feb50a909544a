"""What every detector promises, asked of each implementation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic import face_at, plain

from videmo.datatypes import Detections, UInt8Array
from videmo.detection import haar, neural, yunet
from videmo.detection.base import Detector
from videmo.geometry import iou_matrix
from videmo.settings import Settings

BuildDetector = Callable[[Path], Detector]


def build_haar(shared: Path) -> Detector:
    return haar.build(Settings())


def build_neural(shared: Path) -> Detector:
    return neural.build(Settings())


def build_yunet(shared: Path) -> Detector:
    return yunet.build(Settings(detector_model=shared / "reference" / "face_detection_yunet_2023mar.onnx"))


@pytest.fixture(params=[build_haar, build_neural, pytest.param(build_yunet, marks=pytest.mark.shared)], scope="module")
def detector(request: pytest.FixtureRequest, shared: Path) -> Detector:
    built: Detector = request.param(shared)
    return built


def scene(
    detector: Detector, width_px: int, height_px: int, *faces: tuple[int, int, int]
) -> tuple[UInt8Array, np.ndarray]:
    """A picture in the detector's colours with portraits at (x, y, side), and the boxes of their faces."""
    canvas = plain(width_px, height_px)
    boxes = np.array([face_at(canvas, *face) for face in faces], np.float32).reshape(-1, 4)
    return cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY) if detector.picture_format.colour == "gray" else canvas, boxes


def same(first: Detections, second: Detections) -> bool:
    landmarks = [np.zeros(0) if faces.landmarks is None else faces.landmarks for faces in (first, second)]
    return (
        np.allclose(first.boxes, second.boxes, atol=0.01)
        and np.allclose(first.scores, second.scores, atol=1e-4)
        and np.allclose(*landmarks, atol=0.01)
    )


def test_finds_the_faces_where_they_are(detector: Detector) -> None:
    image, truth = scene(detector, 480, 300, (0, 20, 260), (290, 60, 180))
    found = detector.detect([image])[0]
    assert len(found) == 2
    assert (iou_matrix(truth, found.boxes).max(axis=1) > 0.5).all()


def test_finds_nothing_where_nobody_is(detector: Detector) -> None:
    found = detector.detect([scene(detector, 320, 240)[0]])[0]
    assert (len(found), found.boxes.shape) == (0, (0, 4))


def test_answers_one_for_one_in_order_whatever_the_company(detector: Detector) -> None:
    images = [scene(detector, 320, 240, *faces)[0] for faces in ([(20, 10, 200)], [], [(100, 20, 180)])]
    images.append(scene(detector, 213, 301, (0, 30, 200))[0])
    together = detector.detect(images)
    assert [len(found) for found in together] == [1, 0, 1, 1]
    for image, found in zip(images, together, strict=True):
        assert same(detector.detect([image])[0], found)


def test_no_pictures_give_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_scores_are_shares_best_first(detector: Detector) -> None:
    found = detector.detect([scene(detector, 480, 300, (0, 20, 260), (290, 60, 180))[0]])[0]
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores > 0) & (found.scores <= 1)).all()


def test_landmarks_are_the_persons_right_eye_left_eye_nose_right_and_left_mouth(detector: Detector) -> None:
    found = detector.detect([scene(detector, 320, 240, (20, 10, 200))[0]])[0]
    if found.landmarks is None:
        return
    right_eye, left_eye, nose, right_mouth, left_mouth = found.landmarks[0]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_leaves_the_picture_as_it_was_and_takes_read_only_ones(detector: Detector) -> None:
    image = scene(detector, 320, 240, (20, 10, 200))[0]
    before = image.copy()
    image.flags.writeable = False
    assert len(detector.detect([image])[0]) == 1
    assert np.array_equal(image, before)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_odd_pictures_hold_nobody(detector: Detector, size: tuple[int, int]) -> None:
    assert len(detector.detect([scene(detector, *size)[0]])[0]) == 0


def test_says_which_pictures_it_wants(detector: Detector) -> None:
    assert detector.picture_format.colour in ("rgb", "gray")
    assert detector.picture_format.long_side_px is None or detector.picture_format.long_side_px >= 1
    assert detector.batch_size >= 1

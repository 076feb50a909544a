from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import Detector, PictureFormat
from videmo.detection.haar import HaarDetector
from videmo.detection.yunet import YuNetDetector
from videmo.emotion.align import FRAMINGS
from videmo.errors import DataError
from videmo.training.framing import measure_framing


class BrightSquare:
    """Sees the bright square of a picture as a face, its landmarks in the middle of the upper half."""

    batch_size = 1

    def __init__(self, *, landmarks: bool, colour: str = "gray") -> None:
        self.picture_format = PictureFormat("rgb" if colour == "rgb" else "gray", None)
        self.landmarks = landmarks

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        return [self._detect(image if image.ndim == 2 else image[..., 0]) for image in images]

    def _detect(self, image: UInt8Array) -> Detections:
        rows, columns = np.nonzero(image > 128)
        if len(rows) == 0:
            return Detections.none()
        x1, y1, x2, y2 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        points = np.full((1, 5, 2), [(x1 + x2) / 2, (3 * y1 + y2) / 4], np.float32) if self.landmarks else None
        return Detections(np.array([[x1, y1, x2, y2]], np.float32), np.ones(1, np.float32), points)


def squares(count: int) -> UInt8Array:
    """Pictures of 40 px with a bright square of 20 px, its corner at (5, 10)."""
    pictures = np.zeros((count, 40, 40), np.uint8)
    pictures[:, 10:30, 5:25] = 255
    return pictures


@pytest.mark.parametrize("colour", ["gray", "rgb"])
def test_finds_where_the_box_lies_in_the_picture(colour: str) -> None:
    report = measure_framing(BrightSquare(landmarks=False, colour=colour), squares(6))
    assert report.framing.sides_per_width == pytest.approx(2, abs=0.05)
    assert report.framing.sides_per_height == pytest.approx(2, abs=0.05)
    assert report.framing.box_centre == pytest.approx((0.375, 0.5), abs=0.02)
    assert report.framing.landmarks_centre is None


def test_finds_where_the_landmarks_lie_and_how_sure_that_is() -> None:
    report = measure_framing(
        BrightSquare(landmarks=True), np.concatenate([squares(6), np.zeros((3, 40, 40), np.uint8)])
    )
    assert report.framing.landmarks_centre == pytest.approx((0.375, 0.375), abs=0.02)
    assert (report.pictures, report.found) == (9, 6)
    assert report.side_spread < 0.05
    assert max(report.centre_spread) < 0.05


def test_pictures_without_any_face_are_an_error() -> None:
    with pytest.raises(DataError, match="no face found in any of 3 training pictures"):
        measure_framing(BrightSquare(landmarks=True), np.zeros((3, 40, 40), np.uint8))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_the_framings_in_use_are_what_the_training_pictures_say(shared: Path, name: str) -> None:
    with zipfile.ZipFile(shared / "data" / "ferplus.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("FER2013Train/") and name.endswith("png"))
        data = [np.frombuffer(archive.read(name), np.uint8) for name in names[:3000:20]]
    pictures = np.stack([cv2.imdecode(png, cv2.IMREAD_GRAYSCALE) for png in data])
    model = shared / "reference" / "face_detection_yunet_2023mar.onnx"
    detector: Detector = HaarDetector() if name == "haar" else YuNetDetector(model)
    measured, used = measure_framing(detector, pictures).framing, FRAMINGS[name]
    assert measured.sides_per_width == pytest.approx(used.sides_per_width, abs=0.05)
    assert measured.box_centre == pytest.approx(used.box_centre, abs=0.03)
    assert (measured.landmarks_centre is None) == (used.landmarks_centre is None)
    if measured.landmarks_centre is not None:
        assert measured.sides_per_height == pytest.approx(used.sides_per_height, abs=0.05)
        assert measured.landmarks_centre == pytest.approx(used.landmarks_centre, abs=0.02)

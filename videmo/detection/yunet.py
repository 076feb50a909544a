"""YuNet, OpenCV's small face network (Wu, Peng and Yu 2023), run by OpenCV from a model file that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import PictureFormat
from videmo.errors import UsageError
from videmo.presets import hash_file
from videmo.settings import Settings

# On 12 clips 320 / 480 / 640 / 960 px cost 2.5 / 5 / 9 / 20 ms a frame. They find 38 / 57 / 67 / 82 faces in 11 frames
# of a crowd filmed at 1920x1080, and the same ones in every close-up.
LONG_SIDE_PX: Final = 640
# Low enough for a two-threshold tracker to follow faces through blur and turns: it starts tracks at higher scores only.
MIN_SCORE: Final = 0.5
# On a sitcom, a street and a concert, tracks that never reach 0.7 were hands, playing cards and a lamp.
BIRTH_SCORE: Final = 0.7
# Two boxes that overlap more than this are one face.
_NMS_IOU: Final = 0.3
# More than a crowd in 640 px holds.
_MOST_CANDIDATES: Final = 1000
_WAY_OUT: Final = (
    "give --detector-model PATH with face_detection_yunet_2023mar.onnx from the OpenCV zoo "
    "(github.com/opencv/opencv_zoo, models/face_detection_yunet)"
)


class YuNetDetector:
    """YuNet through `cv2.FaceDetectorYN`; scores 0..1, landmarks in the order of `Detections` (OpenCV's is the same).

    Implements `videmo.detection.base.Detector`.
    """

    picture_format = PictureFormat("rgb", LONG_SIDE_PX)
    # OpenCV's wrapper takes one picture at a time: more of them would only wait for each other.
    batch_size = 1

    def __init__(self, model: Path, *, min_score: float = MIN_SCORE, birth_score: float = BIRTH_SCORE) -> None:
        """Load `model`, an ONNX file; raises UsageError when it is not a YuNet that OpenCV can run."""
        self.birth_score = birth_score
        self.version = hash_file(model)
        try:
            self._network: Any = cv2.FaceDetectorYN.create(
                str(model), "", (32, 32), min_score, _NMS_IOU, _MOST_CANDIDATES
            )
            self.detect([np.zeros((32, 32, 3), np.uint8)])
        except cv2.error as error:
            raise UsageError(f"{model}: not a YuNet model that OpenCV {cv2.__version__} can run: {_WAY_OUT}") from error

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        """Return the faces of each RGB picture (H, W, 3), best score first."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: UInt8Array) -> Detections:
        height_px, width_px = image.shape[:2]
        self._network.setInputSize((width_px, height_px))
        _, rows = self._network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        if rows is None:
            return Detections.none()
        # A row is x, y, width, height, then x and y of five landmarks, then the score. For tiny pictures OpenCV now and
        # then returns sizes that overflow and sure faces far outside of the picture.
        rows = rows[np.isfinite(rows).all(axis=1)]
        centres = rows[:, :2] + rows[:, 2:4] / 2
        rows = rows[((centres >= 0) & (centres <= (width_px, height_px))).all(axis=1)]
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return Detections(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2))


def build(settings: Settings) -> YuNetDetector:
    """Return the detector that `settings.detector_model` and `settings.min_score` describe.

    Raises:
        UsageError: no model file is named, there is none, or it does not hold a YuNet.
    """
    model = settings.detector_model
    if model is None:
        raise UsageError(f"detector yunet needs a model file: {_WAY_OUT}")
    if not model.is_file():
        raise UsageError(f"{model}: no such file: {_WAY_OUT}")
    if settings.min_score is None:
        return YuNetDetector(model)
    return YuNetDetector(model, min_score=settings.min_score, birth_score=settings.min_score)

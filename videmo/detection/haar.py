"""OpenCV's cascade for frontal faces (Viola and Jones 2001; Lienhart's `alt2`): no download, the field's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from scipy.special import expit

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import PictureFormat
from videmo.errors import UsageError
from videmo.settings import Settings

# On four clips 320 / 480 / 640 px cost 19 / 43 / 72 ms of processor time a frame. Of 34 faces in a crowd filmed at
# 1920x1080 they find 0 / 4 / 16, of 72 in a sitcom 34 / 39 / 42, and the same ones in every close-up.
LONG_SIDE_PX: Final = 480
MIN_SCORE: Final = 0.5
BIRTH_SCORE: Final = 0.7
_CASCADE: Final = "haarcascade_frontalface_alt2.xml"
# On 400 photographs, at 95 % precision: steps of 1.1 / 1.15 / 1.2 find 48 / 44 / 40 % of all faces (many of them in
# profile or tiny) at a falling price.
_SCALE_STEP: Final = 1.15
_MIN_NEIGHBOURS: Final = 2
_MIN_SIDE_PX: Final = 20
# Logistic regression of "overlaps a labelled face by IoU > 0.3" on the weight of the last level: 2,694 boxes of this
# cascade with these options on 1,500 photographs of shared/data/faces_coco.zip (train), of which 97 % were faces.
_WEIGHT_AT_HALF: Final = 54.26
_WEIGHT_SLOPE: Final = 2.86


class HaarDetector:
    """The cascade through `cv2.CascadeClassifier`; no landmarks.

    A score is the probability that the box is a face, from the weight that the last level of the cascade gives it (see
    the fit above): 0.5 is doubtful, 0.99 is an ordinary frontal face.

    Implements `videmo.detection.base.Detector`.
    """

    picture_format = PictureFormat("gray", LONG_SIDE_PX)
    # The cascade takes one picture at a time.
    batch_size = 1

    def __init__(self, *, min_score: float = MIN_SCORE, birth_score: float = BIRTH_SCORE) -> None:
        """Load the cascade that comes with OpenCV; raises UsageError when this OpenCV has none."""
        self._min_score, self.birth_score = min_score, birth_score
        self.version = f"OpenCV {cv2.__version__}"
        self._cascade: Any = _load_cascade()

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        """Return the faces of each gray picture (H, W), best score first."""
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: UInt8Array) -> Detections:
        found, _, weights = self._cascade.detectMultiScale3(
            image,
            scaleFactor=_SCALE_STEP,
            minNeighbors=_MIN_NEIGHBOURS,
            minSize=(_MIN_SIDE_PX, _MIN_SIDE_PX),
            outputRejectLevels=True,
        )
        if len(found) == 0:
            return Detections.none()
        scores = expit(_WEIGHT_SLOPE * (np.ravel(weights) - _WEIGHT_AT_HALF))
        boxes = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
        best_first = np.argsort(-scores, kind="stable")
        kept = best_first[scores[best_first] >= self._min_score]
        return Detections(boxes, scores).take(kept)


def build(settings: Settings) -> HaarDetector:
    """Return the detector, with `settings.min_score` if given.

    Raises:
        UsageError: a model is named, or OpenCV has no cascade.
    """
    if settings.detector_model is not None:
        raise UsageError("detector haar takes no model: leave out --detector-model, or choose another --detector")
    if settings.min_score is None:
        return HaarDetector()
    return HaarDetector(min_score=settings.min_score, birth_score=settings.min_score)


def _load_cascade() -> Any:
    folder = getattr(getattr(cv2, "data", None), "haarcascades", "")
    path = Path(folder) / _CASCADE
    if not hasattr(cv2, "CascadeClassifier") or not path.is_file():
        raise UsageError(
            f"detector haar needs {_CASCADE}, which OpenCV {cv2.__version__} does not hold: "
            'pip install "opencv-python>=4.10,<5", or choose another --detector'
        )
    return cv2.CascadeClassifier(str(path))

"""Whether detectors find faces that should be hidden: ours, Haar's cascade, and YuNet where its model is."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from conftest import SHARED

from videmo.datatypes import Float32Array, UInt8Array
from videmo.detection import haar, neural, yunet
from videmo.detection.base import Detector
from videmo.geometry import box_areas, fit_size, iou_matrix
from videmo.settings import Settings

YUNET_MODEL = SHARED / "reference" / "face_detection_yunet_2023mar.onnx"

# What our detector takes for a face by itself; what it finds fainter only serves to follow a face that it saw before.
_OURS_ALONE = 0.5

DETECTORS = {
    "neural": lru_cache(lambda: neural.build(Settings(min_score=_OURS_ALONE))),
    "haar": lru_cache(lambda: haar.build(Settings())),
    "yunet": lru_cache(lambda: yunet.build(Settings(detector="yunet", detector_model=YUNET_MODEL))),
}

_SAME_IOU = 0.3
_PLAUSIBLE = (0.4, 2.5)  # sides of a box round a face's centre, over those of the face


def find_faces(detector: Detector, rgb: UInt8Array, boxes: Float32Array) -> bool:
    """Return whether a detector takes something at one of the faces (n, 4) px in a picture (H, W, 3) for a face.

    A box counts where it overlaps with the face by IoU > 0.3, or holds the face's centre and is of a
    plausible size.
    """
    height, width = rgb.shape[:2]
    size = fit_size(width, height, detector.picture_format.long_side_px or max(width, height))
    seen = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if detector.picture_format.colour == "gray":
        seen = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    found = detector.detect([np.asarray(seen)])[0].boxes * (width / size[0])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    holds = ((found[:, None, :2] < centres) & (centres < found[:, None, 2:])).all(axis=2)
    ratios = np.sqrt(box_areas(found)[:, None] / box_areas(boxes))
    plausible = (ratios > _PLAUSIBLE[0]) & (ratios < _PLAUSIBLE[1])
    return bool(((iou_matrix(found, boxes) > _SAME_IOU) | (holds & plausible)).any())

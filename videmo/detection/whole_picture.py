"""Takes each picture for a face that has been cut out already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import PictureFormat


class WholePicture:
    """Says of every picture that its middle square is a face; implements `videmo.detection.base.Detector`."""

    picture_format = PictureFormat("gray", None)
    batch_size = 16
    birth_score = 1.0
    version = "1"

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        """Return one box for each picture (H, W), without landmarks."""
        return [Detections(_middle_square(*image.shape), np.ones(1, np.float32)) for image in images]


def _middle_square(height_px: int, width_px: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the largest square in the middle of a picture as a box (1, 4) px."""
    side_px = min(height_px, width_px)
    left, top = (width_px - side_px) / 2, (height_px - side_px) / 2
    return np.array([[left, top, left + side_px, top + side_px]], np.float32)

"""Pictures of other sizes fitted into the picture of a video: scaled as a whole, the rest black."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from videmo.datatypes import ScoredFaces, UInt8Array
from videmo.output.drawing import BLACK, split_planes


def letterbox(i420: UInt8Array, faces: ScoredFaces, width_px: int, height_px: int) -> tuple[UInt8Array, ScoredFaces]:
    """Return the picture (H * 3 / 2, W) and its faces in a picture of `width_px` x `height_px` (even), aspect kept."""
    planes = split_planes(i420)
    height, width = planes.y.shape
    if (width, height) == (width_px, height_px):
        return i420, faces
    scale = min(width_px / width, height_px / height)
    inner = [max(2, 2 * round(side * scale / 2)) for side in (width, height)]
    left, top = ((outer - side) // 4 * 2 for outer, side in zip((width_px, height_px), inner, strict=True))
    canvas = np.empty((height_px * 3 // 2, width_px), np.uint8)
    for source, target, value, step in zip(planes, split_planes(canvas), BLACK, (1, 2, 2), strict=True):
        target[:] = value
        size = (inner[0] // step, inner[1] // step)
        region = target[top // step : top // step + size[1], left // step : left // step + size[0]]
        region[:] = cv2.resize(source, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    stretch = np.array([inner[0] / width, inner[1] / height] * 2, np.float32)
    return canvas, replace(faces, boxes=faces.boxes * stretch + np.array([left, top] * 2, np.float32))

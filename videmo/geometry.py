"""Boxes and points in the plane: vectorised, float32, no state.

Boxes are (x1, y1, x2, y2); sizes are px.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array


def box_areas(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the area (n,) of each box (n, 4); an inverted box has area 0."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def iou_matrix(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the intersection over union (n, m) of boxes (n, 4) with boxes (m, 4), 0 where both are empty.

    Example:
        >>> iou_matrix(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).round(3)
        array([[0.333]])
    """
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(bottom_right - top_left, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    union = box_areas(first)[:, None] + box_areas(second)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def clip_boxes(boxes: NDArray[np.floating], width_px: int, height_px: int) -> Float32Array:
    """Return boxes (n, 4) cut to the picture."""
    limits = np.array([width_px, height_px, width_px, height_px], np.float32)
    return np.asarray(np.clip(boxes, 0, limits), np.float32)


def fit_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Return (width, height) with the long side at most `long_side_px`: aspect kept, never enlarged, at least 1 px."""
    scale = min(1.0, long_side_px / max(width_px, height_px))
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))

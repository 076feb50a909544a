"""Decides during training which cells answer for which face: the dynamic soft-label assignment.

Sources: SimOTA (YOLOX, Ge et al., 2021) with the costs of RTMDet (Lyu et al., 2022). Backend-neutral and vectorised.
"""

from __future__ import annotations

import math
from typing import Any, Final

from keras import ops

_MOST_CELLS: Final = 13
_IOU_WEIGHT: Final = 3.0
_NEAR_STRIDES: Final = 1.5
_NEVER: Final = 1e6
_LOG_10: Final = math.log(10)


def pair_ious(boxes: Any, others: Any) -> Any:
    """Returns the IoU of boxes with others, (..., 4) px xyxy each, broadcast over their leading axes.

    Example:
        >>> pair_ious(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).numpy().round(3).tolist()
        [0.333]
    """
    shared = ops.maximum(
        ops.minimum(boxes[..., 2:], others[..., 2:]) - ops.maximum(boxes[..., :2], others[..., :2]), 0.0
    )
    overlap = shared[..., 0] * shared[..., 1]
    return overlap / ops.maximum(_areas(boxes) + _areas(others) - overlap, 1e-6)


def _areas(boxes: Any) -> Any:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def assign_cells(cells: Any, logits: Any, boxes: Any, faces: Any, is_face: Any) -> tuple[Any, Any]:
    """Gives each face the cells that already describe it best, as many as its boxes overlap it.

    Args:
        cells: (n, c, 3) centre x, y and stride of each cell in px.
        logits: (n, c) score logits.
        boxes: (n, c, 4) predicted boxes in px.
        faces: (n, f, 4) boxes of faces in px, padded to f.
        is_face: (n, f) bool, False for padding.

    Returns:
        The face of each cell, (n, c) int, and whether the cell answers for it, (n, c) bool.
    """
    ious = pair_ious(boxes[:, None], faces[:, :, None])
    near, distances = _candidates(cells, faces)
    near = ops.logical_and(near, is_face[:, :, None])
    likely = ops.sigmoid(logits)[:, None]
    # Binary cross-entropy of the score with the IoU it should tell, scaled by how far off it is.
    surprise = ops.softplus(logits)[:, None] - ious * logits[:, None]
    cost = surprise * ops.square(ious - likely) - _IOU_WEIGHT * ops.log(ious + 1e-7)
    cost = cost + ops.exp(_LOG_10 * (ops.minimum(distances, 6.0) - 3.0))
    cost = ops.where(near, cost, _NEVER)
    best, _ = ops.top_k(ops.where(near, ious, 0.0), _MOST_CELLS)
    counts = ops.clip(ops.cast(ops.sum(best, axis=-1), "int32"), 1, _MOST_CELLS)
    lowest, _ = ops.top_k(-cost, _MOST_CELLS)
    worst_taken = -ops.take_along_axis(lowest, counts[..., None] - 1, axis=-1)
    taken = ops.logical_and(cost <= worst_taken, near)
    # A cell that several faces want answers for the one it costs least.
    cost = ops.where(taken, cost, _NEVER)
    return ops.argmin(cost, axis=1), ops.any(taken, axis=1)


def _candidates(cells: Any, faces: Any) -> tuple[Any, Any]:
    """Returns which cells lie in or next to which faces, (n, f, c) bool, and their distances in strides."""
    strides = cells[:, None, :, 2]
    offsets = cells[:, None, :, :2] - (0.5 * (faces[..., :2] + faces[..., 2:]))[:, :, None]
    reach = (0.5 * (faces[..., 2:] - faces[..., :2]))[:, :, None]
    inside = ops.all(ops.abs(offsets) < reach, axis=-1)
    close = ops.all(ops.abs(offsets) < _NEAR_STRIDES * strides[..., None], axis=-1)
    return ops.logical_or(inside, close), ops.sqrt(ops.sum(ops.square(offsets), axis=-1)) / strides

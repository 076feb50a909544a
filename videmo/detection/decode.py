"""What a detection network says of its cells → faces: threshold, non-maximum suppression, box voting, order."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections
from videmo.geometry import iou_matrix

# More than a crowd holds; suppression is quadratic in it.
_MOST_CANDIDATES: Final = 2000
# Measured on validation pictures at 320 px: AP75 .773 without voting, .783 at 0.7, .784 at 0.6, .778 at 0.8.
_VOTE_IOU: Final = 0.65


def select_faces(cells: NDArray[np.float32], *, min_score: float, nms_iou: float) -> Detections:
    """Return the faces that the cells of one picture propose, best score first.

    Greedy non-maximum suppression chooses the faces. Each box and its landmarks are then the mean of what all cells say
    that propose nearly the same box, weighted by the squares of their scores (box voting, Gidaris and Komodakis, 2015):
    steadier from frame to frame than the word of one cell.

    Args:
        cells: (c, 15) float32: score logit, box x1 y1 x2 y2 px, five landmarks x y px.
        min_score: 0..1, faces below are left out.
        nms_iou: Of two boxes that overlap more than this, the better one stays.

    Example:
        >>> box = [0, 0, 10, 10, *[5] * 10]
        >>> cells = np.array([[2.0, *box], [1.0, *box], [-9.0, *box]], np.float32)
        >>> select_faces(cells, min_score=0.5, nms_iou=0.5).scores.round(2)
        array([0.88], dtype=float32)
    """
    candidates = cells[cells[:, 0] >= _logit(min_score)]
    candidates = candidates[np.argsort(-candidates[:, 0], kind="stable")[:_MOST_CANDIDATES]]
    scores, boxes = _score(candidates[:, 0]), candidates[:, 1:5]
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = np.asarray(cv2.dnn.NMSBoxes(sized.tolist(), scores.tolist(), 0.0, nms_iou), np.intp).reshape(-1)
    kept.sort()
    weights = (iou_matrix(boxes[kept], boxes) >= _VOTE_IOU) * np.square(scores)
    # A box without an area overlaps nothing, not even itself: it speaks for itself.
    weights[np.arange(len(kept)), kept] = np.maximum(np.square(scores[kept]), np.finfo(np.float32).tiny)
    voted = (weights / weights.sum(axis=1, keepdims=True)) @ candidates[:, 1:]
    return Detections(voted[:, :4], scores[kept], voted[:, 4:].reshape(-1, 5, 2))


def _score(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 0..1 of logits. SciPy's `expit` is the same, but its import would make every run start later."""
    return np.asarray(np.exp(-np.logaddexp(np.float32(0), -logits)), np.float32)


def _logit(score: float) -> float:
    if 0 < score < 1:
        return math.log(score / (1 - score))
    return -math.inf if score <= 0 else math.inf

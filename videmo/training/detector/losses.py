"""What the network is punished for: wrong scores, boxes off their faces, landmarks out of place.

Sources: quality focal loss (Li et al., 2020), EIoU (Zhang et al., 2021), smooth-L1 landmarks (as in RetinaFace, 2020).
"""

from __future__ import annotations

from typing import Any, Final

from keras import ops

from videmo.training.detector.assign import assign_cells, pair_ious
from videmo.training.detector.network import COLUMNS

TRUTH_COLUMNS: Final = 20
"""Of each true row: box x1 y1 x2 y2 px, five landmarks x y px, the weight of each landmark, then a kind."""
FACE: Final = 1.0
IGNORE: Final = -1.0
"""Kinds of a true row; 0 is padding. Cells in an ignored box are neither right nor wrong."""

SCORE_WEIGHT: Final = 2.0
BOX_WEIGHT: Final = 3.0
LANDMARK_WEIGHT: Final = 1.4
_SMOOTH: Final = 0.02
FEWEST_POSITIVES: Final = 16.0
_IGNORE_MARGIN_PX: Final = 3.0


def detection_loss(truth: Any, output: Any) -> Any:
    """Returns the loss of a batch, a scalar.

    Args:
        truth: (n, rows, 20) as in `TRUTH_COLUMNS`, padded with zeros.
        output: (n, cells, 18) of `network.build_network`.
    """
    logits, boxes = output[..., 0], output[..., 1:5]
    points, cells = output[..., 5:COLUMNS], output[..., COLUMNS:]
    kinds = truth[..., 19]
    said = [ops.stop_gradient(values) for values in (cells, logits, boxes)]
    faces, positive = assign_cells(said[0], said[1], said[2], truth[..., :4], ops.equal(kinds, FACE))
    matched = ops.take_along_axis(truth, faces[..., None], axis=1)
    answers = ops.cast(positive, "float32")
    ious = pair_ious(boxes, matched[..., :4])
    quality = ops.stop_gradient(ious) * answers
    counted = ops.where(positive, 1.0, 1.0 - _in_ignored(cells, truth, kinds))
    losses = (
        SCORE_WEIGHT * counted * quality_focal_loss(logits, quality)
        + BOX_WEIGHT * answers * (1.0 - ious + box_penalty(boxes, matched[..., :4]))
        + LANDMARK_WEIGHT * answers * landmark_loss(points, matched)
    )
    return ops.sum(losses) / ops.maximum(ops.sum(answers), FEWEST_POSITIVES)


def quality_focal_loss(logits: Any, quality: Any) -> Any:
    """Cross-entropy of the score with the IoU of its box, scaled by the square of how far off it is."""
    cross_entropy = ops.softplus(logits) - quality * logits
    return ops.square(ops.sigmoid(logits) - quality) * cross_entropy


def box_penalty(boxes: Any, faces: Any) -> Any:
    """What EIoU adds to 1 - IoU: distance of centres and difference of sides, relative to the enclosing box."""
    enclosing = ops.maximum(boxes[..., 2:], faces[..., 2:]) - ops.minimum(boxes[..., :2], faces[..., :2])
    squares = ops.square(enclosing) + 1e-6
    centres = 0.5 * (boxes[..., :2] + boxes[..., 2:] - faces[..., :2] - faces[..., 2:])
    sides = (boxes[..., 2:] - boxes[..., :2]) - (faces[..., 2:] - faces[..., :2])
    apart = ops.sum(ops.square(centres), axis=-1) / ops.sum(squares, axis=-1)
    return apart + ops.sum(ops.square(sides) / squares, axis=-1)


def landmark_loss(points: Any, truth: Any) -> Any:
    """Smooth L1 over the landmarks that count, relative to the square root of the area of the face."""
    sides = truth[..., 2:4] - truth[..., :2]
    size = ops.sqrt(ops.maximum(sides[..., 0] * sides[..., 1], 1.0))[..., None]
    errors = ops.abs(points - truth[..., 4:14]) / size
    smooth = ops.where(errors < _SMOOTH, 0.5 * ops.square(errors) / _SMOOTH, errors - 0.5 * _SMOOTH)
    return ops.sum(smooth * ops.repeat(truth[..., 14:19], 2, axis=-1), axis=-1)


def _in_ignored(cells: Any, truth: Any, kinds: Any) -> Any:
    """Returns 1.0 for cells (n, c) whose centre lies in an ignored box or just beside it."""
    x, y = cells[:, None, :, 0], cells[:, None, :, 1]
    grown = truth[..., :4] + ops.convert_to_tensor([-1.0, -1.0, 1.0, 1.0]) * _IGNORE_MARGIN_PX
    left, top, right, bottom = (grown[..., column, None] for column in range(4))
    inside = (x > left) & (x < right) & (y > top) & (y < bottom) & ops.equal(kinds, IGNORE)[..., None]
    return ops.cast(ops.any(inside, axis=1), "float32")

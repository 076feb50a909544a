"""Distillation: a detector learns from the cells of another one beside the labels (Hinton et al., 2015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from keras import ops
from numpy.typing import NDArray

from videmo.inference import choose_engine
from videmo.presets import find_preset
from videmo.training.detector.assign import pair_ious
from videmo.training.detector.losses import (
    BOX_WEIGHT,
    FEWEST_POSITIVES,
    LANDMARK_WEIGHT,
    SCORE_WEIGHT,
    box_penalty,
    detection_loss,
    landmark_loss,
    quality_focal_loss,
)
from videmo.training.detector.network import COLUMNS

Teacher = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_PICTURES_PER_CALL: Final = 16


def load_teacher(name: str) -> Teacher:
    """Returns a preset as a function from pictures (n, height, width, 3) to rows (n, cells, 20), see `distilling`.

    Raises:
        PresetError: There is no such detector, or its weights are damaged.
    """
    preset = find_preset(name, "detection")
    network = choose_engine("auto").load(preset, batch_size=_PICTURES_PER_CALL)

    def ask(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        cells = network(pictures)
        counts = np.ones((*cells.shape[:2], 5), np.float32)
        return np.concatenate([cells[..., 1:], counts, cells[..., :1]], axis=-1)

    return ask


def distilling(weight: float) -> Callable[[Any, Any], Any]:
    """Returns a loss whose truth (n, rows, 20) is followed by the teacher's rows (n, cells, 20), one for each cell.

    A row of a teacher has the columns of `losses.TRUTH_COLUMNS`, with the logit of its score for the kind. Its score is
    what a cell is to say, also where there is no face; its box and landmarks count as much as it is sure of them.

    Args:
        weight: Share of the teacher's part in the loss, 0..1.
    """

    def distil(both: Any, output: Any) -> Any:
        cells = ops.shape(output)[1]
        theirs = both[:, -cells:]
        sure = ops.sigmoid(theirs[..., 19])
        boxes = theirs[..., :4]
        losses = SCORE_WEIGHT * quality_focal_loss(output[..., 0], sure) + sure * (
            BOX_WEIGHT * (1.0 - pair_ious(output[..., 1:5], boxes) + box_penalty(output[..., 1:5], boxes))
            + LANDMARK_WEIGHT * landmark_loss(output[..., 5:COLUMNS], theirs)
        )
        soft = ops.sum(losses) / ops.maximum(ops.sum(sure), FEWEST_POSITIVES)
        return (1 - weight) * detection_loss(both[:, :-cells], output) + weight * soft

    return distil

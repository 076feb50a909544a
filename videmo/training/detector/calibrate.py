"""Pictures on which the ranges of a detector's values are found when it is made to compute in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from videmo.training.detector.evaluate import resize_pictures
from videmo.training.detector.network import BLANK, SIDE_MULTIPLE_PX
from videmo.training.detector.pictures import LabelledPicture

SIDES_PX: Final = (256, 320, 480, 640)
MOST_PICTURES: Final = 300


def calibration_pictures(pictures: Sequence[LabelledPicture], *, seed: int = 0) -> list[NDArray[np.float32]]:
    """Returns some pictures (1, height, width, 3), values 0..255, as the detector is fed them, at several sizes."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(pictures), min(MOST_PICTURES, len(pictures)), replace=False)
    return [_as_fed(pictures[number], int(random.choice(SIDES_PX))) for number in chosen]


def _as_fed(picture: LabelledPicture, long_side_px: int) -> NDArray[np.float32]:
    (resized,) = resize_pictures([picture], long_side_px)
    missing = [(0, -side_px % SIDE_MULTIPLE_PX) for side_px in resized.image.shape[:2]]
    return np.pad(resized.image, [*missing, (0, 0)], constant_values=BLANK)[None].astype(np.float32)

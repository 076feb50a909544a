"""Pictures on which the ranges of a detector's values are found when it is made to compute in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.training.detector.evaluate import resize_pictures
from videmo.training.detector.network import BLANK, SIDE_MULTIPLE_PX
from videmo.training.detector.pictures import LabelledPicture

SIDES_PX: Final = (256, 320, 480, 640)
MOST_PICTURES: Final = 300
MOST_TURN_DEG: Final = 30.0


def calibration_pictures(pictures: Sequence[LabelledPicture], *, seed: int = 0) -> list[NDArray[np.float32]]:
    """Returns some pictures (1, height, width, 3), values 0..255, as the detector is fed them, at several sizes.

    Each comes twice, upright and turned as far as in training: tilted heads excite values that upright ones do not.
    """
    random = np.random.default_rng(seed)
    chosen = random.choice(len(pictures), min(MOST_PICTURES, len(pictures)), replace=False)
    upright = [_as_fed(pictures[number], int(random.choice(SIDES_PX))) for number in chosen]
    turns_deg = random.uniform(-MOST_TURN_DEG, MOST_TURN_DEG, len(upright))
    return [*upright, *(_turn(picture, turn_deg) for picture, turn_deg in zip(upright, turns_deg, strict=True))]


def _as_fed(picture: LabelledPicture, long_side_px: int) -> NDArray[np.float32]:
    (resized,) = resize_pictures([picture], long_side_px)
    missing = [(0, -side_px % SIDE_MULTIPLE_PX) for side_px in resized.image.shape[:2]]
    return np.pad(resized.image, [*missing, (0, 0)], constant_values=BLANK)[None].astype(np.float32)


def _turn(picture: NDArray[np.float32], turn_deg: float) -> NDArray[np.float32]:
    """Returns a picture (1, H, W, 3) turned about its middle; what comes in at the corners is like the edge."""
    height_px, width_px = picture.shape[1:3]
    about = cv2.getRotationMatrix2D((width_px / 2, height_px / 2), turn_deg, 1)
    turned = cv2.warpAffine(picture[0], about, (width_px, height_px), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.float32)[None]

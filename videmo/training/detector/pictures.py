"""Pictures with boxed faces, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LANDMARKS: Final = 5
_MOST_PX: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """One picture and the n faces in it.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        boxes: (n, 4) float32 xyxy px.
        landmarks: (n, 5, 2) float32 px, in the order of `videmo.datatypes.Detections`; NaN where unknown.
        ignored: (n,) bool, True for regions that are neither a face nor none.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    ignored: NDArray[np.bool_]


Faces = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]
"""Boxes (n, 4), landmarks (n, 5, 2) and ignored (n,) of one picture."""


def pack_faces(rows: Sequence[tuple[Sequence[float], Sequence[Sequence[float]] | None, bool]]) -> Faces:
    """Returns arrays from rows of box xywh, landmarks (NaN or None where unknown) and whether to ignore the region.

    Raises:
        ValueError: A row has too few numbers, or some that cannot be pixels.
    """
    numbers = np.array([box for box, _, _ in rows], np.float64).reshape(-1, 4)
    if not (np.abs(numbers) <= _MOST_PX).all():
        raise ValueError(f"a box has a number beyond {_MOST_PX}")
    boxes = numbers.astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    landmarks = np.full((len(rows), LANDMARKS, 2), np.nan, np.float32)
    for row, (_, points, _) in enumerate(rows):
        if points is not None:
            if (np.abs(np.asarray(points, np.float64)) > _MOST_PX).any():
                raise ValueError(f"a landmark has a number beyond {_MOST_PX}")
            landmarks[row] = points
    return boxes, landmarks, np.array([ignored for _, _, ignored in rows], bool)

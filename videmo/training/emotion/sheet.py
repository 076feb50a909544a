"""Draws what augmentation makes of faces, for a person to look at before hours are spent on it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.errors import OutputError
from videmo.training.emotion.augment import Augmentation

ROWS: Final = 8
COLUMNS: Final = 12
_TILE_PX: Final = 96
_GAP_PX: Final = 4


def draw_augmentation(
    images: NDArray[np.uint8], augmentation: Augmentation, side_px: int, path: Path, *, seed: int = 0
) -> None:
    """Writes a picture: in each row a face as it is, then as training may see it; the last column is mixed as well.

    Args:
        images: Faces to choose from, (n, S, S) uint8, gray.
        augmentation: What is done to them.
        side_px: Side of the faces in training; all are drawn in one size.
        path: The picture to write, its kind chosen by the suffix.
        seed: Seed of the choice and of the changes.

    Raises:
        OutputError: The picture cannot be written.
    """
    rng = np.random.default_rng(seed)
    faces = images[rng.permutation(len(images))[:ROWS]]
    columns = [faces.astype(np.float32)[..., None]]
    columns += [augmentation.apply(faces, side_px, rng) for _ in range(COLUMNS - 1)]
    columns[-1] = augmentation.mix(columns[-1], [], rng)[0]
    sheet = np.concatenate([_stack(column) for column in columns], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        written = cv2.imwrite(str(path), sheet)
    except cv2.error as error:
        raise OutputError(f"{path}: cannot be written: choose a name that ends in .png or .jpg") from error
    if not written:
        raise OutputError(f"{path}: cannot be written: check the disk and the folder")


def _stack(faces: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns faces (n, S, S, 1) under one another, each with a white margin."""
    tiles = [cv2.resize(face, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_NEAREST) for face in faces]
    padded = np.pad(tiles, ((0, 0), (0, _GAP_PX), (0, _GAP_PX)), constant_values=255)
    return padded.reshape(-1, _TILE_PX + _GAP_PX).round().astype(np.uint8)

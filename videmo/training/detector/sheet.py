"""Draws what a detector found in many pictures on one sheet, to be looked at by a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections
from videmo.geometry import fit_size

_FACE = (0, 220, 90)
_POINT = (255, 220, 0)


def draw_sheet(
    pictures: Sequence[NDArray[np.uint8]],
    found: Sequence[Detections],
    path: Path,
    *,
    side_px: int = 240,
    columns: int = 6,
) -> None:
    """Writes a picture file with one tile for each picture: boxes, scores and landmarks drawn in.

    Args:
        pictures: RGB (H, W, 3).
        found: The faces of each.
        path: The file to write, its kind chosen by the suffix.
        side_px: Side of a tile.
        columns: Tiles in a row.
    """
    tiles = [_draw_tile(picture, faces, side_px) for picture, faces in zip(pictures, found, strict=True)]
    tiles += [np.zeros((side_px, side_px, 3), np.uint8)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)]
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def _draw_tile(picture: NDArray[np.uint8], faces: Detections, side_px: int) -> NDArray[np.uint8]:
    size = fit_size(picture.shape[1], picture.shape[0], side_px)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array(size) / picture.shape[1::-1]
    for row in range(len(faces)):
        x1, y1, x2, y2 = (int(value) for value in faces.boxes[row] * np.tile(scale, 2))
        cv2.rectangle(small, (x1, y1), (x2, y2), _FACE, 1, cv2.LINE_AA)
        cv2.putText(small, f"{faces.scores[row]:.2f}", (x1, max(8, y1 - 2)), cv2.FONT_HERSHEY_PLAIN, 0.7, _FACE)
        for x, y in [] if faces.landmarks is None else faces.landmarks[row] * scale:
            cv2.circle(small, (int(x), int(y)), 1, _POINT, -1)
    tile = np.zeros((side_px, side_px, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile

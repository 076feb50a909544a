"""Faces made unrecognisable, in place on planar YUV 4:2:0 pictures."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, UInt8Array
from videmo.output.drawing import BLACK, Planes, even_boxes
from videmo.settings import Anonymize

# Left, above, right and below, in sides of the box: detectors frame a face from brow to chin, anonymity needs the hair,
# the ears, the whole chin, and room for a face that moves on.
_MARGINS: Final = np.array([0.4, 0.5, 0.4, 0.4], np.float32)
# Means of luma kept across a hidden face. Of 129 frames of six clips with these margins, Haar and YuNet found a face in
# none, neither did our detector take anything there for a face by itself (0.5): its highest scores were 0.39 in blurred
# ones (4 cells: 0.40), 0.31 in black boxes, for it knows heads by their surroundings, and it saw nothing in pixelated
# ones. With margins of 0.3 and 4 cells, blurred faces had scores up to 0.46.
_CELLS: Final = {"blur": 2, "pixelate": 4}


def hide_faces(planes: Planes, boxes: Float32Array, method: Anonymize) -> None:
    """Make the faces in `boxes` (n, 4) px unrecognisable, with their hair and chins.

    `blur` keeps 2 x 2 means of a face's brightness, `pixelate` 4 x 4, both its mean colour; `box` keeps nothing: choose
    it where a promise was given.

    Example:
        >>> hide_faces(split_planes(picture.i420()), faces.boxes, "box")  # doctest: +SKIP
    """
    for x1, y1, x2, y2 in even_boxes(_grow(boxes), planes):
        regions = [plane[y1 // k : y2 // k, x1 // k : x2 // k] for plane, k in zip(planes, (1, 2, 2), strict=True)]
        if method == "box":
            for region, value in zip(regions, BLACK, strict=True):
                region[:] = value
            continue
        _coarsen(regions[0], method)
        for chroma in regions[1:]:
            chroma[:] = round(float(chroma.mean()))


def _grow(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + sides * _MARGINS * [-1, -1, 1, 1])


def _coarsen(region: UInt8Array, method: str) -> None:
    height, width = region.shape
    cells = _CELLS[method]
    small = cv2.resize(region, (min(cells, width), min(cells, height)), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_NEAREST if method == "pixelate" else cv2.INTER_CUBIC
    region[:] = cv2.resize(small, (width, height), interpolation=how)

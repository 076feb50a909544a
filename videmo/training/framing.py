"""Measures how the training pictures lie around a detected face, so that video faces are cut out alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import Detector
from videmo.emotion.align import Framing
from videmo.errors import DataError

# Training pictures are cut tight, and detectors expect surroundings.
_MARGIN: Final = 0.5
# Where a detector sees things depends a little on the size of the face: a mixture of sizes, as in videos (75 to 150 px
# from pictures of 48 px).
_ENLARGEMENTS: Final = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class FramingReport:
    """A framing and how far it can be trusted.

    `pictures` were looked at, in `found` of them a face was seen. `side_spread` is the standard deviation of the
    picture's side over the box's width, as a share; `centre_spread` that of the anchor's place in the picture (x, y),
    in sides. Both are estimated from the median absolute deviation: outliers are other faces and false alarms.
    """

    framing: Framing
    pictures: int
    found: int
    side_spread: float
    centre_spread: tuple[float, float]


def measure_framing(detector: Detector, pictures: UInt8Array) -> FramingReport:
    """Return the medians of where `detector` sees the face in square gray training pictures (n, S, S).

    Raises:
        DataError: the detector sees no face in any of the pictures.

    Example:
        >>> faces = read_faces(Path("ferplus.zip"))["train"]  # doctest: +SKIP
        >>> measure_framing(HaarDetector(), faces.images[:3000]).framing  # doctest: +SKIP
        Framing(sides_per_width=1.029, box_centre=(0.5, 0.5), landmarks_centre=None, sides_per_height=1.029)
    """
    enlarged = zip(pictures, cycle(_ENLARGEMENTS), strict=False)
    found = [faces for picture, times in enlarged if len(faces := _detect(detector, picture, times))]
    if not found:
        raise DataError(f"no face found in any of {len(pictures)} training pictures: not face pictures, or too small")
    boxes = np.stack([faces.boxes[0] for faces in found])
    sides, by_height = 1 / (boxes[:, 2] - boxes[:, 0]), 1 / (boxes[:, 3] - boxes[:, 1])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    points = [faces.landmarks[0] for faces in found if faces.landmarks is not None]
    means = np.stack(points).mean(axis=1) if points else None
    framing = Framing(
        round(float(np.median(sides)), 3),
        _median_point(centres),
        None if means is None else _median_point(means),
        round(float(np.median(by_height)), 3),
    )
    anchors = centres if means is None else means
    spread = (_spread(anchors[:, 0]), _spread(anchors[:, 1]))
    return FramingReport(framing, len(pictures), len(found), _spread(np.log(sides)), spread)


def _detect(detector: Detector, picture: UInt8Array, times: int) -> Detections:
    """Return the faces seen in an enlarged training picture: its top left corner is (0, 0), the other end (1, 1)."""
    side_px = picture.shape[0]
    margin_px = round(side_px * _MARGIN)
    padded = np.pad(picture, margin_px, mode="edge")
    large = cv2.resize(padded, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    image = cv2.cvtColor(large, cv2.COLOR_GRAY2RGB) if detector.picture_format.colour == "rgb" else large
    seen = detector.detect([np.asarray(image, np.uint8)])[0]
    sides, origin = times * side_px, margin_px / side_px
    landmarks = None if seen.landmarks is None else seen.landmarks / sides - origin
    return Detections(seen.boxes / sides - origin, seen.scores, landmarks)


def _median_point(points: NDArray[np.floating]) -> tuple[float, float]:
    x, y = np.median(points, axis=0)
    return round(float(x), 3), round(float(y), 3)


def _spread(values: NDArray[np.floating]) -> float:
    """Return a standard deviation that outliers do not move (1.4826 times the median absolute deviation)."""
    return round(float(1.4826 * np.median(np.abs(values - np.median(values)))), 3)

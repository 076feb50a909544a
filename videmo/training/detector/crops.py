"""Cuts training crops out of labelled pictures: one affine map moves pixels, boxes and landmarks together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.training.detector.network import BLANK
from videmo.training.detector.pictures import LabelledPicture

_MIRRORED = (1, 0, 2, 4, 3)
_TINY_PX = 5.0
_LEAST_VISIBLE = 0.5


@dataclass(frozen=True, slots=True)
class View:
    """How a crop looks at a picture: px of the picture at `at` come to lie at `to`, scaled, turned and mirrored."""

    at: tuple[float, float]
    to: tuple[float, float]
    scale: float = 1.0
    angle_deg: float = 0.0
    mirrored: bool = False

    def matrix(self) -> NDArray[np.float64]:
        """Return the affine map (2, 3) from px of the picture to px of the crop."""
        angle = math.radians(self.angle_deg)
        cos, sin = self.scale * math.cos(angle), self.scale * math.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        if self.mirrored:
            turn[:, 0] *= -1
        return np.column_stack([turn, np.array(self.to) - turn @ self.at])


def cut(picture: LabelledPicture, view: View, width_px: int, height_px: int) -> LabelledPicture:
    """Returns the crop of a picture that a view shows; what lies outside the picture is blank.

    Faces less than half visible or under 5 px become regions to ignore; landmarks outside the crop become unknown.
    """
    matrix = view.matrix()
    image = _warp(picture.image, matrix, view.scale, (width_px, height_px))
    if not len(picture.boxes):
        return LabelledPicture(image, picture.boxes, picture.landmarks, picture.ignored)
    boxes = _move_boxes(picture.boxes, matrix)
    limits = np.array([width_px, height_px] * 2, np.float32)
    clipped = np.clip(boxes, 0, limits)
    sides = clipped[:, 2:] - clipped[:, :2]
    areas = sides[:, 0] * sides[:, 1]
    seen = (sides > 0).all(axis=1)
    visible = areas / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    ignored = picture.ignored | (visible < _LEAST_VISIBLE) | (np.sqrt(areas) < _TINY_PX)
    landmarks = _move_landmarks(picture.landmarks, matrix, view.mirrored)
    outside = ((landmarks < 0) | (landmarks > limits[:2])).any(axis=2)
    landmarks[outside] = np.nan
    return LabelledPicture(image, clipped[seen], landmarks[seen], ignored[seen])


def _warp(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], scale: float, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Maps pixels; a strong reduction averages first, as linear interpolation alone would alias."""
    matrix = matrix.copy()
    if scale < 0.6:
        height_px, width_px = (max(1, round(side_px * scale * 1.2)) for side_px in image.shape[:2])
        matrix[:, 0] *= image.shape[1] / width_px
        matrix[:, 1] *= image.shape[0] / height_px
        image = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    # The view counts from the edge of the picture, as boxes do; OpenCV counts from the middle of the first pixel.
    matrix[:, 2] += 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    warped = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(BLANK,) * 3)
    return warped.astype(np.uint8, copy=False)


def _move_boxes(boxes: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Moves the ellipses inside the boxes and returns their bounds: a turned face keeps a tight box."""
    centres = 0.5 * (boxes[:, :2] + boxes[:, 2:]) @ matrix[:, :2].T + matrix[:, 2]
    halves = np.sqrt((0.5 * (boxes[:, 2:] - boxes[:, :2])) ** 2 @ (matrix[:, :2] ** 2).T)
    return np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)


def _move_landmarks(landmarks: NDArray[np.float32], matrix: NDArray[np.float64], mirrored: bool) -> NDArray[np.float32]:
    moved = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return moved[:, _MIRRORED] if mirrored else moved


def mosaic(parts: list[LabelledPicture], x_px: int, y_px: int, side_px: int) -> LabelledPicture:
    """Puts four crops together that meet at (x_px, y_px) of a square (YOLOv4, Bochkovskiy et al., 2020)."""
    image = np.empty((side_px, side_px, 3), np.uint8)
    corners = ((0, 0), (x_px, 0), (0, y_px), (x_px, y_px))
    for part, (x, y) in zip(parts, corners, strict=True):
        height_px, width_px = part.image.shape[:2]
        image[y : y + height_px, x : x + width_px] = part.image
    return LabelledPicture(
        image,
        np.concatenate(
            [p.boxes + np.array([x, y, x, y], np.float32) for p, (x, y) in zip(parts, corners, strict=True)]
        ),
        np.concatenate([p.landmarks + np.array([x, y], np.float32) for p, (x, y) in zip(parts, corners, strict=True)]),
        np.concatenate([part.ignored for part in parts]),
    )

"""Quality of a face as a classifier sees it: size, sharpness, brightness, contrast, what is cut off, and the verdict.

Faces that cannot be judged by eye are marked, not removed: the tables keep them with the reason.

What covers a face is only hinted at, by `videmo.occlusion`: the five landmarks are a regression that guesses hidden
points, and the detector's score falls for many reasons. The hint knows masks, cups and dark glasses better than hands,
and excludes nothing unless a limit is set.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, MeasuredFaces, UInt8Array
from videmo.pose import head_pose
from videmo.settings import Settings

MEASURES: Final = ("sharpness", "brightness", "contrast", "share_cut_off", "occlusion")
"""Columns of `MeasuredFaces.measures`."""

EXCLUDE_REASONS: Final = (
    *("too_small", "cut_off", "too_dark", "too_bright", "low_contrast", "blurred", "turned_away", "occluded"),
    "low_score",
)
"""Why a face is not usable; where several hold, the first counts."""

USABLE: Final = -1
"""Stands for no reason."""

SIDE_PX: Final = 48
"""Crops are measured at this side: what detail reaches the classifier counts."""
_EDGE_PX: Final = 8
"""Left out on each side: hair and background. The middle two thirds hold brows to chin in the framing of FER2013."""


def measure_crops(crops: UInt8Array) -> Float32Array:
    """Return sharpness, brightness and contrast (n, 3) of gray crops (n, S, S, 1), measured in their middle.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy)
    at 48 px, over the variance of the luma plus 1: the same for a face and its darker copy, about 20 for pure noise, 0
    where all is one gray. It tells what detail reaches the classifier, so that a large face out of focus may be sharp
    enough and a small one never is; noise and compression add to it. Brightness is the mean luma and contrast twice its
    standard deviation, both in 0..1. A row does not depend on the others.

    Example:
        >>> measure_crops(np.full((1, 48, 48, 1), 51, np.uint8))
        array([[0. , 0.2, 0. ]], dtype=float32)
    """
    count = len(crops)
    column = stack_crops(crops)
    # One filter run over all crops, one below the other: what mixes at their borders is left out with the edge.
    edges = np.asarray(cv2.Laplacian(column, cv2.CV_16S) if count else column, np.int16)
    means, variances = _moments(column)
    _, edge_variances = _moments(edges)
    measures = np.empty((count, 3), np.float32)
    measures[:, 0], measures[:, 1] = edge_variances / (variances + 1), means / 255
    measures[:, 2] = np.sqrt(variances) / 127.5
    return measures


def stack_crops(crops: UInt8Array) -> UInt8Array:
    """Return gray crops (n, S, S, 1) at 48 px, one below the other: (n * 48, 48)."""
    count, side_px = crops.shape[:2]
    column = crops.reshape(count * side_px, side_px)
    if side_px == SIDE_PX or not count:
        return column
    return np.asarray(cv2.resize(column, (SIDE_PX, count * SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _moments(column: NDArray[np.integer]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance (n,) of the middles of squares that lie one below the other."""
    squares = column.reshape(-1, SIDE_PX, SIDE_PX)
    # Sums of squares of whole numbers are exact in float64: one pass does, and a flat crop has variance 0.
    middles = squares[:, _EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX].astype(np.float64)
    pixels = (SIDE_PX - 2 * _EDGE_PX) ** 2
    means = np.einsum("ijk->i", middles) / pixels
    return means, np.einsum("ijk,ijk->i", middles, middles) / pixels - means**2


def measure_cut_off(corners: NDArray[np.floating], width_px: int, height_px: int) -> Float32Array:
    """Return the share (n,) 0..1 of each square's area that lies outside the picture; 0 for a square without an area.

    Args:
        corners: (n, 4, 2) px, in the order of a walk round the square, which may be turned.
        width_px: Of the picture.
        height_px: Of the picture.

    Example:
        >>> square = np.array([[[-5, 0], [5, 0], [5, 10], [-5, 10]]], np.float32)
        >>> measure_cut_off(square, 100, 100).tolist()
        [0.5]
    """
    shares = np.zeros(len(corners), np.float32)
    limits = np.array([width_px, height_px], corners.dtype)
    inside = (corners >= 0) & (corners <= limits)
    if inside.all():  # nearly always
        return shares
    picture = np.array([[0, 0], [width_px, 0], [width_px, height_px], [0, height_px]], np.float32)
    for row in np.flatnonzero(~inside.all(axis=(1, 2))):
        square = corners[row].astype(np.float32)
        area = cv2.contourArea(square)
        if area > 0:
            shares[row] = 1 - cv2.intersectConvexConvex(square, picture)[0] / area
    return shares.clip(0, 1)


def face_sizes(boxes: Float32Array) -> Float32Array:
    """Return the geometric mean (n,) of width and height of boxes (n, 4), px."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).clip(min=0).T
    return np.asarray(np.sqrt(width * height), np.float32)


def usable_mask(faces: MeasuredFaces, settings: Settings) -> NDArray[np.bool_]:
    """Return which faces (n,) of a frame are usable, as the column `usable` of the faces table says."""
    poses = np.full((len(faces), 3), np.nan, np.float32) if faces.landmarks is None else head_pose(faces.landmarks)
    excluded = find_exclusions(faces.boxes, faces.scores, faces.measures, poses, settings)
    return np.asarray(excluded == USABLE)


def find_exclusions(
    boxes: Float32Array, scores: Float32Array, measures: Float32Array, poses: Float32Array, settings: Settings
) -> NDArray[np.int8]:
    """Return for each face (n,) the index of the first of `EXCLUDE_REASONS` that holds, or `USABLE`.

    Args:
        boxes: (n, 4) px.
        scores: (n,) of the detector.
        measures: (n, 5), columns `MEASURES`; NaN, which stands for not measured, excludes nothing.
        poses: (n, 3) yaw, pitch, roll in degrees; NaN excludes nothing.
        settings: The limits, `quality_*`.
    """
    sharpness, brightness, contrast, cut_off, occlusion = measures.T
    holds = [
        face_sizes(boxes) < settings.quality_min_face_px,
        cut_off > settings.quality_max_cut_off,
        brightness < settings.quality_min_brightness,
        brightness > settings.quality_max_brightness,
        contrast < settings.quality_min_contrast,
        sharpness < settings.quality_min_sharpness,
        np.abs(poses[:, 0]) > settings.quality_max_yaw_deg,
        occlusion > settings.quality_max_occlusion,
        scores < settings.quality_min_score,
    ]
    return np.select(holds, range(len(EXCLUDE_REASONS)), USABLE).astype(np.int8)

"""Measures a face detector on labelled pictures: COCO's average precision, landmark error, recall by face width."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from videmo.datatypes import Detections
from videmo.geometry import iou_matrix
from videmo.training.detector.crops import View, cut
from videmo.training.detector.pictures import LabelledPicture

Detect = Callable[[Sequence[NDArray[np.uint8]]], list[Detections]]
"""From RGB pictures to their faces with scores down to about 0.01, in px of the pictures."""

SIDES_PX: Final = (320, 480, 640)
"""Long sides that pictures are resized to before detection."""
WIDTHS_PX: Final = (16, 24, 32, 48, 64, 96, 128, 160, 200, 230, 260)
"""Widths of faces in a picture of 320 px for the recall by width."""

_DIGITS: Final = 4
_MOST_FACES: Final = 100
_SIZES_PX2: Final = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
_SAME_FACE: Final = 0.5


def resize_pictures(pictures: Sequence[LabelledPicture], long_side_px: int) -> list[LabelledPicture]:
    """Returns the pictures with their long side made `long_side_px`, smaller or larger, and their faces with them."""
    resized = []
    for picture in pictures:
        scale = long_side_px / max(picture.image.shape[:2])
        size = tuple(max(1, round(side_px * scale)) for side_px in picture.image.shape[1::-1])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(picture.image, size, interpolation=how).astype(np.uint8, copy=False)
        ratio = np.array(size, np.float32) / picture.image.shape[1::-1]
        boxes, landmarks = picture.boxes * np.tile(ratio, 2), picture.landmarks * ratio
        resized.append(LabelledPicture(image, boxes.astype(np.float32), landmarks.astype(np.float32), picture.ignored))
    return resized


def evaluate(detect: Detect, pictures: Sequence[LabelledPicture], long_side_px: int) -> dict[str, Any]:
    """Measures a detector at one input size.

    Args:
        detect: The detector.
        pictures: Pictures of the split to measure on.
        long_side_px: Long side that they are resized to.

    Returns:
        ap, ap50, ap75, ar and ar by size (COCO; areas in px of the resized picture, at most 100 faces); landmark_error,
        the mean distance of landmarks over the square root of the area of the face, and landmark_error_eyes, its median
        over the distance of the eyes, both for faces found with an IoU of 0.5 or more; precision50 at 101 recalls.
    """
    resized = resize_pictures(pictures, long_side_px)
    found = detect([picture.image for picture in resized])
    figures = _coco_figures(found, resized)
    by_area, by_eyes = _landmark_errors(found, resized)
    return (
        {"long_side_px": long_side_px, "n": len(pictures)}
        | figures
        | {
            "landmark_error": by_area,
            "landmark_error_eyes": by_eyes,
        }
    )


def _coco_figures(found: Sequence[Detections], pictures: Sequence[LabelledPicture]) -> dict[str, Any]:
    truth, answers = COCO(), COCO()
    images = [{"id": number} for number in range(len(pictures))]
    categories = [{"id": 1, "name": "face"}]
    truth.dataset = {"images": images, "categories": categories, "annotations": _annotations(pictures)}
    answers.dataset = {"images": images, "categories": categories, "annotations": _answers(found)}
    # pycocotools tells its progress on stdout.
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers.createIndex()
        measured = COCOeval(truth, answers, "bbox")
        measured.params.areaRng = [[0, 1e10], *map(list, _SIZES_PX2.values())]
        measured.params.areaRngLbl = ["all", *_SIZES_PX2]
        measured.evaluate()
        measured.accumulate()
    # Precision: IoU, recall, class, area, most faces. Recall: IoU, class, area, most faces. -1 where there is no face.
    precision, recall = measured.eval["precision"][:, :, 0, 0, -1], measured.eval["recall"][:, 0, :, -1]
    return {
        "ap": _mean(precision),
        "ap50": _mean(precision[0]),
        "ap75": _mean(precision[5]),
        "ar": _mean(recall[:, 0]),
        **{f"ar_{size}": _mean(recall[:, at]) for at, size in enumerate(_SIZES_PX2, 1)},
        "precision50": precision[0].round(_DIGITS).tolist(),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    """Returns the mean, or None where pycocotools says with -1 that there was nothing to measure."""
    return round(float(values.mean()), _DIGITS) if (values > -1).all() else None


def _annotations(pictures: Sequence[LabelledPicture]) -> list[dict[str, Any]]:
    rows = [
        (number, box, bool(ignored))
        for number, picture in enumerate(pictures)
        for box, ignored in zip(picture.boxes, picture.ignored, strict=True)
    ]
    return [
        {"id": index, "image_id": number, "category_id": 1, "iscrowd": int(ignored), "ignore": int(ignored)}
        | _extent(box)
        for index, (number, box, ignored) in enumerate(rows, 1)
    ]


def _answers(found: Sequence[Detections]) -> list[dict[str, Any]]:
    rows = [
        (number, box, float(score))
        for number, faces in enumerate(found)
        for box, score in zip(faces.boxes[:_MOST_FACES], faces.scores[:_MOST_FACES], strict=True)
    ]
    return [
        {"id": index, "image_id": number, "category_id": 1, "score": score, "iscrowd": 0} | _extent(box)
        for index, (number, box, score) in enumerate(rows, 1)
    ]


def _extent(box: NDArray[np.float32]) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}


def _landmark_errors(
    found: Sequence[Detections], pictures: Sequence[LabelledPicture]
) -> tuple[float | None, float | None]:
    by_area, by_eyes = [], []
    for faces, picture in zip(found, pictures, strict=True):
        known = np.flatnonzero(np.isfinite(picture.landmarks).all(axis=(1, 2)) & ~picture.ignored)
        if not len(known) or not len(faces) or faces.landmarks is None:
            continue
        ious = iou_matrix(picture.boxes[known], faces.boxes)
        best, same = ious.argmax(axis=1), ious.max(axis=1) >= _SAME_FACE
        truth = picture.landmarks[known][same]
        distances = np.linalg.norm(faces.landmarks[best[same]] - truth, axis=2).mean(axis=1)
        sides = (picture.boxes[known, 2:] - picture.boxes[known, :2])[same]
        by_area.extend(distances / np.sqrt(sides.prod(axis=1)))
        by_eyes.extend(distances / np.maximum(np.linalg.norm(truth[:, 0] - truth[:, 1], axis=1), 1.0))
    if not by_area:
        return None, None
    return round(float(np.mean(by_area)), _DIGITS), round(float(np.median(by_eyes)), _DIGITS)


def recall_by_width(
    detect: Detect, pictures: Sequence[LabelledPicture], *, min_score: float, side_px: int = 320, faces: int = 300
) -> dict[int, float | None]:
    """Measures which share of faces is found at each of `WIDTHS_PX`, each alone in the middle of a square crop.

    Args:
        detect: The detector.
        pictures: Pictures whose faces of 24 px or more are enlarged or reduced to the width.
        min_score: Faces with lower scores count as missed.
        side_px: Side of the crop.
        faces: Most faces to measure, spread evenly over the pictures.

    Returns:
        The share by width; None where the pictures have no such face.
    """
    rows = [
        (picture, box)
        for picture in pictures
        for box in picture.boxes[~picture.ignored & (picture.boxes[:, 2] - picture.boxes[:, 0] >= 24)]
    ]
    if not rows:
        return dict.fromkeys(WIDTHS_PX)
    rows = [rows[index] for index in np.unique(np.linspace(0, len(rows) - 1, faces).astype(int))]
    recalls: dict[int, float | None] = {}
    for width_px in WIDTHS_PX:
        crops = [_centred(picture, box, width_px, side_px) for picture, box in rows]
        found = detect([image for image, _ in crops])
        hits = [
            bool((iou_matrix(box[None], answer.boxes[answer.scores >= min_score]) >= _SAME_FACE).any())
            for answer, (_, box) in zip(found, crops, strict=True)
        ]
        recalls[width_px] = round(float(np.mean(hits)), _DIGITS)
    return recalls


def _centred(
    picture: LabelledPicture, box: NDArray[np.float32], width_px: int, side_px: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Returns a crop with the face in its middle and the box of the face in it."""
    x1, y1, x2, y2 = (float(value) for value in box)
    scale, middle = width_px / (x2 - x1), 0.5 * side_px
    view = View((0.5 * (x1 + x2), 0.5 * (y1 + y2)), (middle, middle), scale)
    half = 0.5 * np.array([width_px, (y2 - y1) * scale])
    bounds = np.clip(np.concatenate([middle - half, middle + half]), 0, side_px).astype(np.float32)
    return cut(picture, view, side_px, side_px).image, bounds


def measure(name: str, detect: Detect, pictures: Sequence[LabelledPicture], *, min_score: float) -> dict[str, Any]:
    """Measures a detector at each of `SIDES_PX`, and its recall at each of `WIDTHS_PX`.

    Args:
        name: What to call the detector in tables.
        detect: The detector, with scores down to about 0.01.
        pictures: Pictures to measure on.
        min_score: Score from which a face counts as found in the recall by width.

    Returns:
        detector, n, sizes (one result of `evaluate` for each side), min_score and recall_by_width_px.
    """
    return {
        "detector": name,
        "n": len(pictures),
        "sizes": [evaluate(detect, pictures, side_px) for side_px in SIDES_PX],
        "min_score": min_score,
        "recall_by_width_px": recall_by_width(detect, pictures, min_score=min_score),
    }

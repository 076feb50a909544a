"""Labels frames and pictures with another detector and writes them as COCO: what a teacher is sure of, and what not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections
from videmo.detection.base import Detector
from videmo.geometry import fit_size, iou_matrix

_SURE: Final = 0.8
_DOUBTFUL: Final = 0.55
"""Score from which a face is doubted. In frames looked at YuNet gave heads that look away 0.57 to 0.76; hands, bottles
and lettering mostly less, which had better be background."""
_SAME_FACE: Final = 0.4
_JPEG_QUALITY: Final = 95
LABEL_SIDES_PX: Final = (160, 320, 640)
"""Long sides at which the teacher looks: small ones for faces that fill the picture, large ones for small faces."""


def write_labelled(
    pictures: Iterable[NDArray[np.uint8]], teacher: Detector, folder: Path, *, most_faces: int | None = None
) -> int:
    """Writes pictures and the faces a teacher sees in them as `annotations/train.json` and `images/`, in COCO's format.

    Faces it doubts become regions to ignore, where a false alarm costs nothing: tell what is known of the pictures.

    Args:
        pictures: RGB (H, W, 3).
        teacher: The detector to learn from.
        folder: Where to write; pictures that lie there already are kept.
        most_faces: No picture has more: of what the teacher sees, only the surest are written, the others are
            background. 0 for pictures without a face, 1 for recordings of one person.

    Returns:
        Number of pictures written.
    """
    path = folder / "annotations" / "train.json"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(exist_ok=True)
    content: dict[str, list[Any]] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "face"}]}
    if path.is_file():
        content = json.loads(path.read_text(encoding="utf-8"))
    start = len(content["images"])
    for number, picture in enumerate(pictures, start):
        image = _fit(picture, LABEL_SIDES_PX[-1])
        name = f"images/{number:06d}.jpg"
        cv2.imwrite(str(folder / name), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        content["images"].append({"id": number, "file_name": name, "width": image.shape[1], "height": image.shape[0]})
        first = len(content["annotations"])
        rows = _label(image, teacher, number)[:most_faces]
        content["annotations"] += [row | {"id": first + at} for at, row in enumerate(rows)]
    path.write_text(json.dumps(content), encoding="utf-8")
    return len(content["images"]) - start


def _label(image: NDArray[np.uint8], teacher: Detector, number: int) -> list[dict[str, Any]]:
    """Returns annotations of what the teacher sees at any size, surest first; of double finds the best score stays."""
    boxes, scores, landmarks = [], [], []
    for side_px in LABEL_SIDES_PX:
        small = _fit(image, side_px)
        found: Detections = teacher.detect([small])[0]
        if found.landmarks is not None:
            scale = np.array(image.shape[1::-1], np.float32) / small.shape[1::-1]
            boxes.append(found.boxes * np.tile(scale, 2))
            scores.append(found.scores)
            landmarks.append(found.landmarks * scale)
    if not boxes:
        return []
    every, points, sure = np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(scores)
    kept: list[int] = []
    for row in np.argsort(-sure):
        if sure[row] >= _DOUBTFUL and not (iou_matrix(every[[row]], every[kept]) > _SAME_FACE).any():
            kept.append(int(row))
    return [_annotation(number, every[row], points[row], bool(sure[row] < _SURE)) for row in kept]


def _annotation(number: int, box: NDArray[np.float32], points: NDArray[np.float32], doubtful: bool) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(float(value), 1) for value in box)
    keypoints = [value for x, y in points for value in (round(float(x), 1), round(float(y), 1), 2)]
    extent = {"bbox": [x1, y1, round(x2 - x1, 1), round(y2 - y1, 1)], "area": round((x2 - x1) * (y2 - y1), 1)}
    return {"image_id": number, "category_id": 1, "iscrowd": int(doubtful), "keypoints": keypoints} | extent


def _fit(image: NDArray[np.uint8], long_side_px: int) -> NDArray[np.uint8]:
    size = fit_size(image.shape[1], image.shape[0], long_side_px)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

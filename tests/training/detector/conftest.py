"""A small COCO folder of drawn faces, and a training small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from videmo.training.detector import network
from videmo.training.detector.batches import Crops
from videmo.training.detector.pictures import LabelledPicture
from videmo.training.detector.recipe import Recipe

SIDE_PX = 128
# Landmarks of a drawn face as shares of its box: right eye, left eye, nose, right and left corner of the mouth.
SHARES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]])


def draw_picture(boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Gray with an ellipse, two eyes and a mouth in each box (x, y, width, height)."""
    image = np.full((SIDE_PX, SIDE_PX, 3), 90, np.uint8)
    for x, y, width, height in boxes:
        cv2.ellipse(image, (x + width // 2, y + height // 2), (width // 2, height // 2), 0, 0, 360, (220, 180, 150), -1)
        for share_x, share_y in SHARES[:2]:
            cv2.circle(image, (int(x + share_x * width), int(y + share_y * height)), 2, (20, 20, 20), -1)
    return image


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    """Six training and two validation pictures with two faces each; one region of each picture is to be ignored."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "faces"
    (folder / "annotations").mkdir(parents=True)
    for split, count in (("train", 6), ("val", 2)):
        content: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": []}
        (folder / "images" / split).mkdir(parents=True)
        for number in range(count):
            boxes = [(int(rng.integers(5, 20)), 10, 40, 50), (int(rng.integers(60, 80)), 60, 36, 46)]
            name = f"images/{split}/{number}.jpg"
            cv2.imwrite(str(folder / name), draw_picture(boxes)[..., ::-1])
            content["images"].append({"id": number, "file_name": name})
            for x, y, width, height in boxes:
                points = np.column_stack([SHARES * [width, height] + [x, y], np.full(5, 2)])
                row = {"image_id": number, "bbox": [x, y, width, height], "iscrowd": 0}
                content["annotations"].append(row | {"keypoints": points.ravel().tolist()})
            ignored = {"image_id": number, "bbox": [100, 5, 20, 20], "iscrowd": 1, "keypoints": [0] * 15}
            content["annotations"].append(ignored)
        (folder / "annotations" / f"{split}.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, third, head in (("full", 8, 8), ("slim", 6, 5)):
        monkeypatch.setitem(network.SIZES, size, network.Size((4, 4, third, 8, 8), (0, 0, 0, 0, 0), 8, head))


@pytest.fixture
def small_recipe() -> Recipe:
    crops = Crops(small=(64, 2), large_share=0.0)
    return Recipe(epochs=2, steps_per_epoch=4, epochs_per_score=2, dtype="float32", crops=crops)


@pytest.fixture
def make_picture() -> Callable[..., LabelledPicture]:
    """A function from boxes (xyxy) to a picture that holds them, with landmarks."""

    def make(*boxes: tuple[float, float, float, float], side_px: int = SIDE_PX) -> LabelledPicture:
        corners = np.array(boxes, np.float32).reshape(-1, 4)
        sides = corners[:, None, 2:] - corners[:, None, :2]
        landmarks = (corners[:, None, :2] + SHARES * sides).astype(np.float32)
        image = np.full((side_px, side_px, 3), 90, np.uint8)
        return LabelledPicture(image, corners, landmarks, np.zeros(len(corners), bool))

    return make

"""A small FER+ folder with made-up faces, and a network small enough to train in a test."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from videmo.training.emotion.architectures import resnet
from videmo.training.emotion.augment import Augmentation
from videmo.training.emotion.faces import SIDE_PX, VOTES
from videmo.training.emotion.readers.ferplus import FOLDERS
from videmo.training.emotion.recipe import Recipe

COUNTS = {"train": 21, "valid": 14, "test": 14}


def draw_face(emotion: int, rng: np.random.Generator) -> np.ndarray:
    """A disc with a mouth whose curve tells the emotion."""
    image = np.full((SIDE_PX, SIDE_PX), int(rng.integers(40, 90)), np.uint8)
    cv2.circle(image, (24, 24), 20, 190, -1)
    cv2.ellipse(image, (24, 32), (10, 1 + emotion), 0, 0, 180, 60, 2)
    return cv2.add(image, rng.integers(0, 9, image.shape, np.uint8))


@pytest.fixture
def ferplus_folder(tmp_path: Path) -> Path:
    """FER+ layout: seven emotions in turn, nine votes for each and one for contempt; the first face is a test twin."""
    rng, rows, number = np.random.default_rng(0), [], 0
    to_fer2013 = (6, 3, 5, 4, 0, 1, 2)
    for split, folder in FOLDERS.items():
        table = []
        (tmp_path / folder).mkdir()
        for emotion in np.arange(COUNTS[split]) % 7:
            name, number = f"fer{number:07d}.png", number + 1
            cv2.imwrite(str(tmp_path / folder / name), draw_face(int(emotion), rng))
            votes = np.eye(len(VOTES), dtype=int)[emotion] * 9 + np.eye(len(VOTES), dtype=int)[7]
            table.append([name, "(0, 0, 48, 48)", *votes])
            rows.append([name, "unused", to_fer2013[emotion]])
        pd.DataFrame(table).to_csv(tmp_path / folder / "label.csv", header=False, index=False)
    pd.DataFrame(rows, columns=["image", "usage", "label"]).to_csv(tmp_path / "fer2013_labels.csv", index=False)
    twin = tmp_path / "FER2013Test" / f"fer{COUNTS['train'] + COUNTS['valid']:07d}.png"
    (tmp_path / "FER2013Train" / "fer0000000.png").write_bytes(twin.read_bytes())
    return tmp_path


@pytest.fixture
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resnet, "STAGES", (resnet.Stage(8, 1, 2),))


@pytest.fixture
def small_recipe() -> Recipe:
    return Recipe(epochs=2, batch=10, sides_px=((0.0, 24),), dtype="float32", augmentation=Augmentation(mixup=0.2))

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from videmo.errors import OutputError
from videmo.training.emotion.augment import Augmentation
from videmo.training.emotion.sheet import COLUMNS, draw_augmentation

FACES = np.repeat(astronaut()[40:184:3, 150:294:3, 1][None], 5, axis=0)


def test_the_sheet_shows_each_face_as_it_is_and_then_changed(tmp_path: Path) -> None:
    draw_augmentation(FACES, Augmentation(), 48, tmp_path / "sheets" / "sheet.png")

    sheet = cv2.imread(str(tmp_path / "sheets" / "sheet.png"), cv2.IMREAD_GRAYSCALE)
    tile = sheet.shape[0] // len(FACES)
    assert sheet.shape[1] == COLUMNS * tile
    np.testing.assert_array_equal(sheet[:96:2, :96:2], FACES[0])
    tiles = sheet.reshape(len(FACES), tile, COLUMNS, tile).swapaxes(1, 2).reshape(-1, tile * tile)
    assert len(np.unique(tiles, axis=0)) == 1 + len(FACES) * (COLUMNS - 1)


def test_a_name_that_no_picture_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"sheet\.txt: cannot be written: choose a name that ends in \.png"):
        draw_augmentation(FACES, Augmentation(), 48, tmp_path / "sheet.txt")

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from videmo.datatypes import Detections
from videmo.training.detector.sheet import draw_sheet


def test_a_sheet_has_a_tile_for_each_picture_with_its_faces_drawn(tmp_path: Path) -> None:
    pictures = [np.zeros((100, 200, 3), np.uint8), np.full((60, 60, 3), 50, np.uint8), np.zeros((10, 10, 3), np.uint8)]
    face = Detections(np.array([[50, 50, 150, 90]]), np.array([0.5]), np.full((1, 5, 2), 70.0))

    draw_sheet(pictures, [face, Detections.none(), Detections.none()], tmp_path / "sheet.png", side_px=100, columns=2)

    sheet = cv2.imread(str(tmp_path / "sheet.png"), cv2.IMREAD_COLOR_RGB)
    assert sheet.shape == (200, 200, 3)
    # The left edge of the box, at half the size; the second tile is the picture alone.
    assert sheet[35, 25, 1] > 100
    assert (sheet[:60, 100:160] == 50).all()

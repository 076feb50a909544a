from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from synthetic import plain, write_clip

from videmo.datatypes import Detections
from videmo.detection.base import PictureFormat
from videmo.training.detector.clips import compare_on_clips
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.teacher import write_labelled


class Teacher:
    """Sees the same shares of every picture as faces."""

    batch_size = 1

    def __init__(self, shares: Sequence[Sequence[float]], scores: Sequence[float], long_side_px: int = 320) -> None:
        self.shares, self.scores = np.array(shares, np.float32).reshape(-1, 4), np.array(scores, np.float32)
        self.picture_format = PictureFormat("rgb", long_side_px)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        found = []
        for image in images:
            boxes = self.shares * np.tile(image.shape[1::-1], 2)
            points = np.repeat(0.5 * (boxes[:, None, :2] + boxes[:, None, 2:]), 5, axis=1)
            found.append(Detections(boxes, self.scores, points))
        return found


def test_what_a_teacher_doubts_is_ignored_and_double_finds_are_merged(tmp_path: Path) -> None:
    teacher = Teacher([[0.1, 0.1, 0.4, 0.5], [0.6, 0.1, 0.9, 0.5], [0.1, 0.6, 0.2, 0.8]], [0.9, 0.6, 0.5])
    image = np.full((200, 400, 3), 120, np.uint8)

    assert write_labelled([image, image], teacher, tmp_path) == 2
    assert write_labelled([image], teacher, tmp_path, most_faces=1) == 1
    assert write_labelled([image], teacher, tmp_path, most_faces=0) == 1
    first, _, lone, empty = read_pictures(tmp_path, "train")

    np.testing.assert_allclose(first.boxes, [[40, 20, 160, 100], [240, 20, 360, 100]], atol=0.2)
    assert first.ignored.tolist() == [False, True]
    np.testing.assert_allclose(first.landmarks[0], [[100, 60]] * 5, atol=0.2)
    np.testing.assert_allclose(lone.boxes, [[40, 20, 160, 100]], atol=0.2)
    assert len(empty.boxes) == 0


def test_a_clip_tells_what_is_found_and_what_is_seen_alone(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [plain(160, 120)] * 8)
    reference = Teacher([[0.1, 0.1, 0.5, 0.6], [0.6, 0.6, 0.9, 0.9]], [0.9, 0.85], long_side_px=160)
    ours = Teacher([[0.1, 0.1, 0.5, 0.6], [0.6, 0.05, 0.8, 0.2]], [0.9, 0.9])

    (row,) = compare_on_clips(ours, reference, [clip], most_frames=4)

    assert (row["clip"], row["frames"], row["reference_faces"]) == ("clip.mp4", 4, 8)
    assert (row["found"], row["unseen_per_100_frames"]) == (0.5, 100.0)
    assert compare_on_clips(ours, Teacher([], []), [clip])[0]["found"] is None

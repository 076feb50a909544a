from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import face_at, plain

from videmo.detection.decode import select_faces
from videmo.detection.neural import NeuralDetector, build
from videmo.settings import Runtime, Settings

CONFIG = {"input": {"long_side_px": 320, "multiple_px": 32, "padding": 128}, "min_score": 0.5, "nms_iou": 0.5}


def cell(logit: float, box: tuple[float, float, float, float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [logit, *box, *[0.5 * (x1 + x2), 0.5 * (y1 + y2)] * 5]


def test_scores_are_thresholded_and_sorted() -> None:
    cells = np.array([cell(1, (0, 0, 9, 9)), cell(-1, (20, 0, 29, 9)), cell(3, (40, 0, 49, 9))], np.float32)

    faces = select_faces(cells, min_score=0.5, nms_iou=0.5)

    np.testing.assert_allclose(faces.scores, [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-1))], rtol=1e-5)
    assert faces.boxes[:, 0].tolist() == [40, 0]
    assert faces.landmarks is not None
    assert faces.landmarks[0, 0].tolist() == [44.5, 4.5]


def test_of_two_boxes_on_one_face_the_better_stays() -> None:
    # The first two overlap by 7 of 13 px (IoU 0.54), the last two by 5 of 15 (0.33).
    cells = np.array([cell(1, (0, 0, 10, 10)), cell(2, (3, 0, 13, 10)), cell(0.5, (8, 0, 18, 10))], np.float32)

    assert select_faces(cells, min_score=0.1, nms_iou=0.5).boxes[:, 0].tolist() == [3, 8]
    assert len(select_faces(cells, min_score=0.1, nms_iou=0.2)) == 1
    assert len(select_faces(cells, min_score=0.1, nms_iou=0.9)) == 3


def test_cells_that_propose_nearly_the_same_box_vote_on_it() -> None:
    # The first two overlap by 9 of 11 px (IoU 0.82) and vote; the third overlaps the first by 6 of 14 px and does not.
    boxes = [(0, 0, 10, 10), (1, 0, 11, 10), (4, 0, 14, 10)]
    cells = np.array([cell(logit, box) for logit, box in zip((2, 1, 0), boxes, strict=True)], np.float32)

    faces = select_faces(cells, min_score=0.1, nms_iou=0.3)

    first, second = (1 / (1 + np.exp(-np.array([2, 1])))) ** 2
    shift = second / (first + second)
    np.testing.assert_allclose(faces.boxes, [[shift, 0, 10 + shift, 10]], rtol=1e-5)
    assert faces.landmarks is not None
    np.testing.assert_allclose(faces.landmarks, [[[5 + shift, 5]] * 5], rtol=1e-5)


def test_scores_too_small_for_their_squares_give_no_empty_mean() -> None:
    box = [0, 0, 10, 10, *[5] * 10]
    found = select_faces(np.array([[-80.0, *box]], np.float32), min_score=0, nms_iou=0.5)
    assert found.boxes.tolist() == [[0, 0, 10, 10]]


def test_no_cell_no_face() -> None:
    faces = select_faces(np.zeros((0, 15), np.float32), min_score=0.5, nms_iou=0.5)

    assert len(faces) == 0
    assert faces.landmarks is not None
    assert faces.landmarks.shape == (0, 5, 2)


def is_kept(logit: float, scores: np.ndarray) -> bool:
    return bool(np.isclose(1 / (1 + np.exp(-logit)), scores, rtol=1e-6).any())


@given(seed=st.integers(0, 1000), nms_iou=st.floats(0.1, 0.9))
def test_what_stays_never_overlaps_more_than_allowed(seed: int, nms_iou: float) -> None:
    from videmo.geometry import iou_matrix

    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 50, (30, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 30, (30, 2))], axis=1)
    cells = np.concatenate([rng.normal(0, 2, (30, 1)), boxes, np.zeros((30, 10))], axis=1).astype(np.float32)

    faces = select_faces(cells, min_score=0.2, nms_iou=nms_iou)

    chosen = [np.flatnonzero(cells[:, 0] == logit)[0] for logit in cells[:, 0] if is_kept(logit, faces.scores)]
    ious = iou_matrix(cells[chosen, 1:5], cells[chosen, 1:5]) - np.eye(len(chosen))
    assert len(chosen) == len(faces)
    assert (np.diff(faces.scores) <= 0).all()
    assert ious.max(initial=0) <= nms_iou + 1e-5


class BrightNetwork:
    """Sees one face in the top left 20 x 10 px of each picture, as sure as its first pixel is bright."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        self.shapes.append(pictures.shape)
        cells = np.tile(np.array([cell(0, (-4, -4, 20, 10))], np.float32), (len(pictures), 1, 1))
        cells[:, 0, 0] = pictures[:, 0, 0, 0] / 25.5
        return cells


def test_pictures_of_a_size_share_a_call_and_answers_keep_their_order() -> None:
    network = BrightNetwork()
    detector = NeuralDetector(network, CONFIG, batch_size=2)
    images = [np.full(size, value, np.uint8) for size, value in (((180, 320, 3), 50), ((240, 320, 3), 100))]
    images += [np.full((190, 310, 3), 150, np.uint8), np.full((180, 320, 3), 200, np.uint8)]

    found = detector.detect(images)

    assert [shape[:3] for shape in network.shapes] == [(2, 192, 320), (1, 192, 320), (1, 256, 320)]
    scores = [float(faces.scores[0]) for faces in found]
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-np.array([50, 100, 150, 200]) / 25.5)), rtol=1e-4)
    assert all(faces.boxes.tolist() == [[0, 0, 20, 10]] for faces in found)


def test_boxes_are_cut_to_the_picture_and_faces_below_the_score_left_out() -> None:
    detector = NeuralDetector(BrightNetwork(), CONFIG, batch_size=4, min_score=0.9)
    small, dark = np.full((8, 12, 3), 255, np.uint8), np.zeros((8, 12, 3), np.uint8)

    bright, none = detector.detect([small, dark])

    assert bright.boxes.tolist() == [[0, 0, 12, 8]]
    assert len(none) == 0
    assert detector.detect([]) == []


def test_padding_is_what_the_preset_says() -> None:
    seen: list[np.ndarray] = []

    def network(pictures: np.ndarray) -> np.ndarray:
        seen.append(pictures)
        return np.zeros((len(pictures), 0, 15), np.float32)

    NeuralDetector(network, CONFIG, batch_size=4).detect([np.zeros((30, 40, 3), np.uint8)])

    assert seen[0].shape == (1, 32, 64, 3)
    assert (seen[0][0, :30, :40] == 0).all()
    assert (seen[0][0, 30:] == 128).all()
    assert (seen[0][0, :, 40:] == 128).all()


@pytest.mark.parametrize("runtime", ["openvino", "keras"])
def test_company_does_not_change_a_picture_by_one_bit(runtime: Runtime) -> None:
    detector = build(Settings(device="cpu", runtime=runtime))
    rng = np.random.default_rng(1)
    images = [plain(480, 270) for _ in range(7)]
    for image in images:
        image += rng.integers(0, 40, image.shape, np.uint8)
        face_at(image, int(rng.integers(20, 240)), int(rng.integers(20, 60)), int(rng.integers(60, 190)))

    together = detector.detect(images)

    for image, expected in zip(images, together, strict=True):
        (alone,) = detector.detect([image])
        assert len(alone) >= 1
        for found, wanted in zip(astuple(alone), astuple(expected), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.shared
def test_the_default_preset_finds_people_and_the_batch_does_not_matter(shared: Path) -> None:
    import cv2

    detector = build(Settings(device="cpu"))
    paths = sorted((shared / "data" / "london").glob("*.jpg"))[:5]
    images = [cv2.resize(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), (320, 320)) for path in paths]

    together = detector.detect(images)
    alone = [detector.detect([image])[0] for image in images]

    assert [int((faces.scores >= detector.birth_score).sum()) for faces in together] == [1] * 5
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
        assert ours.landmarks is not None
        right_eye, left_eye, nose, right_mouth, left_mouth = ours.landmarks[0]
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert right_eye[1] < nose[1] < right_mouth[1]

from __future__ import annotations

import numpy as np

from videmo.training.detector.assign import assign_cells, pair_ious
from videmo.training.detector.losses import FACE, IGNORE, TRUTH_COLUMNS, detection_loss
from videmo.training.detector.network import COLUMNS


def grid(side_px: int, stride: int) -> np.ndarray:
    """Cells (c, 3) of one level, by row."""
    y, x = np.mgrid[0:side_px:stride, 0:side_px:stride] + stride / 2
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, stride)], axis=1).astype(np.float32)


def test_ious_of_pairs_broadcast() -> None:
    boxes = np.array([[0, 0, 4, 4], [0, 0, 2, 4]], np.float32)

    ious = np.asarray(pair_ious(boxes[:, None], boxes[None]))

    np.testing.assert_allclose(ious, [[1, 0.5], [0.5, 1]], rtol=1e-6)


def test_each_face_gets_the_cells_whose_boxes_fit_and_padding_gets_none() -> None:
    cells = grid(64, 8)[None]
    boxes = np.concatenate([cells[..., :2] - 4, cells[..., :2] + 4], axis=-1)
    faces = np.array([[[8, 8, 16, 16], [40, 40, 48, 48], [0, 0, 0, 0]]], np.float32)
    logits = np.full(cells.shape[:2], -2.0, np.float32)

    owners, positive = assign_cells(cells, logits, boxes, faces, np.array([[True, True, False]]))

    taken = np.flatnonzero(np.asarray(positive)[0])
    # Row 1, column 1 and row 5, column 5 of an 8 x 8 grid are the cells whose own boxes are the faces.
    assert taken.tolist() == [9, 45]
    assert np.asarray(owners)[0, taken].tolist() == [0, 1]


def test_a_face_whose_boxes_overlap_it_well_gets_several_cells() -> None:
    cells = grid(64, 8)[None]
    boxes = np.tile(np.array([16, 16, 48, 48], np.float32), (1, cells.shape[1], 1))
    faces = np.array([[[16, 16, 48, 48]]], np.float32)

    _, positive = assign_cells(cells, np.zeros(cells.shape[:2], np.float32), boxes, faces, np.ones((1, 1), bool))

    chosen = cells[0, np.asarray(positive)[0], :2]
    assert len(chosen) >= 12
    assert (np.abs(chosen - 32) < 16).all()


def test_a_cell_that_two_faces_want_answers_for_one() -> None:
    cells = np.array([[[32, 32, 8]] * 13], np.float32)
    boxes = np.tile(np.array([24, 24, 40, 40], np.float32), (1, 13, 1))
    faces = np.array([[[24, 24, 40, 40], [20, 24, 40, 40]]], np.float32)

    owners, positive = assign_cells(cells, np.zeros((1, 13), np.float32), boxes, faces, np.ones((1, 2), bool))

    assert np.asarray(positive).all()
    assert set(np.asarray(owners)[0]) == {0}


def make_output(cells: np.ndarray, boxes: np.ndarray, logits: np.ndarray) -> np.ndarray:
    points = np.full((len(cells), 10), 32.0)
    return np.concatenate([logits[:, None], boxes, points, cells], axis=1)[None].astype(np.float32)


def make_truth(*rows: tuple[list[float], float]) -> np.ndarray:
    truth = np.zeros((1, 8, TRUTH_COLUMNS), np.float32)
    for row, (box, kind) in zip(truth[0], rows, strict=False):
        row[:4], row[4:14], row[14:19], row[19] = box, 32.0, 1.0, kind
    return truth


def test_a_right_answer_costs_little_and_a_wrong_one_more() -> None:
    cells, face = grid(64, 8), [16.0, 16.0, 48.0, 48.0]
    middle = (np.abs(cells[:, :2] - 32) < 8).all(axis=1)
    boxes = np.where(middle[:, None], face, [0.0, 0.0, 4.0, 4.0])
    confident = np.where(middle, 8.0, -8.0)
    truth = make_truth((face, FACE))

    right = float(detection_loss(truth, make_output(cells, boxes, confident)))
    shifted = float(detection_loss(truth, make_output(cells, boxes + np.array([4, 0, 4, 0]), confident)))
    unsure = float(detection_loss(truth, make_output(cells, boxes, -confident)))

    assert right < 0.01
    assert right + 0.1 < shifted
    assert right + 1 < unsure


def test_cells_in_an_ignored_region_cost_nothing() -> None:
    cells = grid(64, 8)
    logits = np.where((cells[:, 0] < 32) & (cells[:, 1] < 32), 5.0, -20.0)
    output = make_output(cells, np.tile([0.0, 0.0, 1.0, 1.0], (len(cells), 1)), logits)

    assert float(detection_loss(make_truth(([0.0, 0.0, 32.0, 32.0], IGNORE)), output)) < 1e-6
    assert float(detection_loss(make_truth(), output)) > 1.0
    assert output.shape[-1] == COLUMNS + 3

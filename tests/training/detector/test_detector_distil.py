from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from videmo.detection.neural import PRESET
from videmo.errors import PresetError
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.distil import distilling, load_teacher
from videmo.training.detector.fit import Training
from videmo.training.detector.losses import detection_loss
from videmo.training.detector.network import build_network
from videmo.training.detector.recipe import Recipe

CELLS = 20


@pytest.fixture
def truth() -> np.ndarray:
    rows = np.zeros((1, 2, 20), np.float32)
    rows[0, 0] = [0, 0, 16, 16, *[8] * 10, *[1] * 5, 1]
    return rows


@pytest.fixture
def output() -> np.ndarray:
    """Cells of 8 px side by side, each with a box of 16 px around its middle; the first is sure of a face."""
    cells = np.zeros((1, CELLS, 18), np.float32)
    middle = np.column_stack([8 * np.arange(CELLS) + 4, np.full(CELLS, 4)])
    cells[0, :, 0] = -3
    cells[0, 0, 0] = 2
    cells[0, :, 1:5] = np.column_stack([middle - 8, middle + 8])
    cells[0, :, 5:15] = np.tile(middle, 5)
    cells[0, :, 15:17], cells[0, :, 17] = middle, 8
    return cells


def as_teacher(output: np.ndarray) -> np.ndarray:
    ones = np.ones((*output.shape[:2], 5), np.float32)
    return np.concatenate([output[..., 1:15], ones, output[..., :1]], axis=-1)


def loss_of(weight: float, truth: np.ndarray, teacher: np.ndarray, output: np.ndarray) -> float:
    return float(distilling(weight)(np.concatenate([truth, teacher], axis=1), output))


def test_a_teacher_of_no_weight_leaves_the_loss_of_the_labels(truth: np.ndarray, output: np.ndarray) -> None:
    expected = float(detection_loss(truth, output))
    assert loss_of(0, truth, as_teacher(output), output) == pytest.approx(expected, rel=1e-6)
    assert loss_of(0.25, truth, as_teacher(output), output) == pytest.approx(0.75 * expected, rel=1e-5)


@pytest.mark.parametrize(("column", "by"), [(0, -4.0), (1, 3.0), (4, -3.0), (7, 3.0)])
def test_who_answers_as_the_teacher_loses_nothing_and_who_does_not_the_more_the_surer_it_is(
    column: int, by: float, truth: np.ndarray, output: np.ndarray
) -> None:
    teacher = as_teacher(output)
    assert loss_of(1, truth, teacher, output) == pytest.approx(0, abs=1e-5)
    sure, doubtful = output.copy(), output.copy()
    sure[0, 0, column] += by
    doubtful[0, 5, column] += by
    assert loss_of(1, truth, teacher, sure) > 1e-3
    if column:
        assert loss_of(1, truth, teacher, sure) > 5 * loss_of(1, truth, teacher, doubtful)


def test_a_committed_detector_teaches_cell_by_cell(small_network: None) -> None:
    pictures = np.full((2, 64, 96, 3), 128, np.uint8)

    rows = load_teacher(PRESET)(pictures)

    assert rows.shape[:2] == build_network()(pictures.astype(np.float32)).shape[:2]
    assert rows.dtype == np.float32
    assert (rows[..., 19] < 0).all()  # no face on plain gray
    assert (rows[..., 14:19] == 1).all()


def test_a_training_follows_its_teacher(
    small_network: None, coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    recipe = replace(small_recipe, teacher=PRESET, distil_weight=0.9)
    training = Training(recipe, read_pictures(coco_folder, "train"), [], read_pictures(coco_folder, "val"), tmp_path)

    training.run()

    assert training.history[-1]["loss"] < training.history[0]["loss"]


def test_an_unknown_teacher_is_named(small_network: None, coco_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PresetError, match="no such"):
        Training(Recipe(teacher="no such"), read_pictures(coco_folder, "train"), [], [], tmp_path)

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from videmo.errors import DataError, UsageError
from videmo.training.checkpoint import write_checkpoint
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.fit import Training
from videmo.training.detector.recipe import Recipe
from videmo.training.loop import BEST, CHECKPOINT

pytestmark = pytest.mark.usefixtures("small_network")


def make_training(recipe: Recipe, data: Path, folder: Path) -> Training:
    return Training(recipe, read_pictures(data, "train"), [], read_pictures(data, "val"), folder)


def test_a_training_lowers_its_loss_and_keeps_its_state(
    coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    training = make_training(small_recipe, coco_folder, tmp_path / "run")

    training.run()

    assert [row["epoch"] for row in training.history] == [1, 2]
    assert training.history[-1]["loss"] < training.history[0]["loss"]
    assert 0 <= training.history[-1]["ap50"] <= 1
    assert {path.name for path in (tmp_path / "run").iterdir()} == {CHECKPOINT, BEST, "history.csv"}


def test_a_resumed_training_ends_like_an_uninterrupted_one(
    coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    whole = make_training(small_recipe, coco_folder, tmp_path / "whole")

    def keep_first_epoch(row: dict[str, float]) -> None:
        if row["epoch"] == 1:
            shutil.copytree(tmp_path / "whole", tmp_path / "cut")

    whole.run(keep_first_epoch)
    resumed = make_training(small_recipe, coco_folder, tmp_path / "cut")
    resumed.resume()
    assert [row["epoch"] for row in resumed.history] == [1]
    resumed.run()

    assert resumed.steps == whole.steps == 8
    for ours, theirs in zip(resumed.average, whole.average, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_another_recipe_cannot_be_resumed(coco_folder: Path, tmp_path: Path, small_recipe: Recipe) -> None:
    training = make_training(small_recipe, coco_folder, tmp_path)
    write_checkpoint(tmp_path / CHECKPOINT, {}, {"recipe": {"epochs": 3}})

    with pytest.raises(UsageError, match="another recipe wrote it"):
        training.resume()


def test_without_a_checkpoint_there_is_nothing_to_resume(
    coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    with pytest.raises(UsageError, match="no checkpoint to continue from"):
        make_training(small_recipe, coco_folder, tmp_path).resume()


def test_a_new_schedule_can_start_from_the_average_of_another(
    coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    training = make_training(small_recipe, coco_folder, tmp_path / "new")
    old = [np.full_like(array, 0.5) for array in training.average]
    write_checkpoint(tmp_path / BEST, {"average": old}, {})

    training.start_from(tmp_path / BEST)

    assert all((array == 0.5).all() for array in [*training.model.get_weights(), *training.average])
    assert training.steps == 0


def test_a_checkpoint_of_another_size_is_refused(coco_folder: Path, tmp_path: Path, small_recipe: Recipe) -> None:
    full = make_training(small_recipe, coco_folder, tmp_path / "full")
    write_checkpoint(tmp_path / BEST, {"average": full.average}, {})
    slim = make_training(replace(small_recipe, size="slim"), coco_folder, tmp_path / "slim")

    with pytest.raises(UsageError, match="of a network of another size"):
        slim.start_from(tmp_path / BEST)


def test_pictures_without_faces_cannot_be_learned_from(tmp_path: Path, small_recipe: Recipe) -> None:
    with pytest.raises(DataError, match="no training picture has a face"):
        Training(small_recipe, [], [], [], tmp_path)


def test_the_schedule_warms_up_and_ends_at_zero() -> None:
    recipe = Recipe(learning_rate=1.0, warm_up=0.1, gentle=0.2, gentle_strength=0.3)

    assert recipe.learning_rate_at(0) == pytest.approx(0.02)
    assert recipe.learning_rate_at(0.1) == pytest.approx(1.0)
    assert recipe.learning_rate_at(1) == pytest.approx(0.0)
    assert (recipe.strength_at(0.7), recipe.strength_at(0.9)) == (1.0, 0.3)


@pytest.mark.parametrize(("field", "value"), [("epochs", 0), ("minutes", 0.0)])
def test_a_schedule_without_length_is_refused(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=field):
        Recipe(**{field: value})

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from videmo.errors import DataError
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.recipe_file import read_recipe
from videmo.training.emotion.tuning import Budget, describe_space, tune, vary

pytestmark = [
    pytest.mark.usefixtures("small_network"),
    # KerasTuner asks threading for the name of its thread in the old way.
    pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated:DeprecationWarning"),
]


def test_a_search_tries_the_recipe_first_and_writes_the_best_one(
    ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits, out, rows = read_faces(ferplus_folder), tmp_path / "best.toml", []
    budget = Budget(minutes=3e-3, trial_minutes=1e-3)

    best = tune(
        small_recipe,
        training_faces(splits),
        splits["valid"],
        budget,
        out=out,
        work=tmp_path / "work",
        on_trial=rows.append,
    )

    trials = pd.read_csv(out.with_suffix(".csv"))
    assert len(trials) == len(rows) >= 1
    assert trials.loc[0, "learning_rate"] == small_recipe.learning_rate
    winner = trials.loc[trials["score"].idxmax()]
    assert best.learning_rate == pytest.approx(winner["learning_rate"])
    assert read_recipe(out) == best
    assert (best.epochs, best.minutes) == (small_recipe.epochs, None)


def test_an_error_ends_the_search_and_is_told_as_it_is(
    ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    train = training_faces(splits)
    train.votes[:], train.labels[:] = 0, -1

    with pytest.raises(DataError, match="no training face has an emotion"):
        tune(
            small_recipe,
            train,
            splits["valid"],
            Budget(minutes=1, trial_minutes=0.1),
            out=tmp_path / "best.toml",
            work=tmp_path / "work",
        )


def test_the_space_starts_at_the_recipe_and_a_trial_changes_only_what_it_names(small_recipe: Recipe) -> None:
    recipe = replace(small_recipe, width=2.0)

    values = describe_space(recipe).values

    assert vary(recipe, values) == recipe
    changed = vary(recipe, {**values, "augmentation": 0.5, "width": 1.0})
    assert changed.augmentation.rotation_deg == recipe.augmentation.rotation_deg / 2
    assert replace(changed, augmentation=recipe.augmentation, width=2.0) == recipe


def test_the_width_stays_that_of_the_preset_to_start_with(small_recipe: Recipe) -> None:
    recipe = replace(small_recipe, init="mine")

    values = describe_space(recipe).values

    assert "width" not in values
    assert vary(recipe, values) == recipe


def test_a_budget_holds_at_least_one_trial() -> None:
    assert Budget(minutes=1, trial_minutes=5).trials == 1
    assert Budget(minutes=60, trial_minutes=5).trials == 12

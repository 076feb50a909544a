"""Searches for a better recipe within a time budget: random search (Bergstra and Bengio, 2012) by KerasTuner."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import keras
import keras_tuner
import pandas as pd

from videmo.output.files import replacing
from videmo.training.emotion.dataset import LabelledFaces
from videmo.training.emotion.fit import Training
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.recipe_file import write_recipe
from videmo.training.loop import Row

TUNER: Final = "tuner"
"""Folder of KerasTuner's own files."""
_SCORE: Final = "score"
_MOST_TRIALS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to search, and how long each recipe is tried for; both on the clock."""

    minutes: float
    trial_minutes: float

    @property
    def trials(self) -> int:
        """How many trials fit in, at least one."""
        return max(1, min(_MOST_TRIALS, int(self.minutes / self.trial_minutes)))


def tune(
    recipe: Recipe,
    train: LabelledFaces,
    valid: LabelledFaces,
    budget: Budget,
    *,
    out: Path,
    work: Path,
    on_trial: Callable[[Row], None] | None = None,
) -> Recipe:
    """Tries recipes, each with a training of its own and a whole schedule of a few minutes, and writes the best one.

    Varied are the learning rate, weight decay, dropout, width, the strengths of logit adjustment and of augmentation.
    The width is not varied where the recipe starts with the weights of a preset, which fit one width.
    The first trial is the given recipe. What is best in minutes is not always best in hours: look at the table.

    Args:
        recipe: Where the search starts; it decides all that is not varied, and the length of the recipe written.
        train: Faces to learn from.
        valid: Faces whose `score_epoch` is to be highest.
        budget: How long to search.
        out: The TOML file; a table of the trials is written beside it, with the suffix .csv. Both are written after
            every trial.
        work: Folder for checkpoints and KerasTuner's own files.
        on_trial: Called with the row of each trial.

    Returns:
        The best recipe.

    Raises:
        DataError: The faces have no labels.
        UsageError: The recipe cannot be used.
        OutputError: The files cannot be written.
    """
    search = _Search(recipe, train, valid, budget, out, work, on_trial)
    try:
        search.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    return search.best


class _Oracle(keras_tuner.oracles.RandomSearchOracle):  # type: ignore[misc] # without type information
    """Proposes the given recipe first, then random ones, and none when the time is over."""

    def __init__(self, budget: Budget, space: keras_tuner.HyperParameters, seed: int) -> None:
        super().__init__(
            keras_tuner.Objective(_SCORE, "max"),
            max_trials=budget.trials,
            seed=seed + 1,  # it takes 0 for no seed
            hyperparameters=space,
        )
        self._budget, self._started_s = budget, time.monotonic()

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        left_min = self._budget.minutes - (time.monotonic() - self._started_s) / 60
        if not self.start_order:
            return {"status": "RUNNING", "values": {item.name: item.default for item in self.hyperparameters.space}}
        if left_min < self._budget.trial_minutes / 2:
            return {"status": "STOPPED", "values": None}
        proposed: dict[str, Any] = super().populate_space(trial_id)
        return proposed


class _Search(keras_tuner.engine.base_tuner.BaseTuner):  # type: ignore[misc] # without type information
    """Runs trials in videmo's own training loop."""

    def __init__(
        self,
        recipe: Recipe,
        train: LabelledFaces,
        valid: LabelledFaces,
        budget: Budget,
        out: Path,
        work: Path,
        on_trial: Callable[[Row], None] | None,
    ) -> None:
        self._recipe, self._train, self._valid, self._budget = recipe, train, valid, budget
        self._out, self._work, self._on_trial = out, work, on_trial
        self._rows: list[Row] = []
        self.best = recipe
        oracle = _Oracle(budget, describe_space(recipe), recipe.seed)
        super().__init__(oracle, directory=str(work), project_name=TUNER, overwrite=True)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """Trains one recipe and returns its best score; an error ends the search, as it would end a training."""
        try:
            return {_SCORE: self._try(vary(self._recipe, trial.hyperparameters.values), trial)}
        except Exception as error:
            raise keras_tuner.errors.FatalError(str(error)) from error

    def _try(self, recipe: Recipe, trial: Any) -> float:
        keras.utils.clear_session(free_memory=True)
        folder = self._work / "trial"
        training = Training(replace(recipe, minutes=self._budget.trial_minutes), self._train, self._valid, folder)
        training.run()
        best = max(training.history, key=lambda row: row[_SCORE])
        measured = {name: best[name] for name in best if name not in ("learning_rate", "side_px")}
        self._keep(recipe, {"trial": len(self._rows) + 1, **trial.hyperparameters.values, **measured})
        return best[_SCORE]

    def _keep(self, recipe: Recipe, row: Row) -> None:
        if all(row[_SCORE] > earlier[_SCORE] for earlier in self._rows):
            self.best = recipe
            write_recipe(recipe, self._out)
        self._rows.append(row)
        with replacing(self._out.with_suffix(".csv")) as partial:
            pd.DataFrame(self._rows).to_csv(partial, index=False)
        if self._on_trial:
            self._on_trial(row)


def describe_space(recipe: Recipe) -> keras_tuner.HyperParameters:
    """Returns what is varied, and how far; the defaults are those of the recipe."""
    space = keras_tuner.HyperParameters()
    space.Float("learning_rate", 5e-4, 1e-2, sampling="log", default=recipe.learning_rate)
    space.Float("weight_decay", 5e-3, 0.3, sampling="log", default=recipe.weight_decay)
    space.Float("dropout", 0.0, 0.5, default=recipe.dropout)
    if recipe.init is None:
        space.Choice("width", sorted({0.75, 1.0, 1.25, 1.5, recipe.width}), default=recipe.width)
    space.Float("prior_strength", 0.0, 1.0, default=recipe.prior_strength)
    space.Float("augmentation", 0.25, 1.75, default=1.0)
    return space


def vary(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """Returns the recipe with the values of a trial."""
    varied = {name: value for name, value in values.items() if name != "augmentation"}
    return replace(recipe, augmentation=recipe.augmentation.scaled(values["augmentation"]), **varied)

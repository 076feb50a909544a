"""What every training loop shares: its schedule, averaged weights, a checkpoint after every epoch, going on from it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.training.checkpoint import read_checkpoint, write_checkpoint
from videmo.training.schedule import Schedule

CHECKPOINT: Final = "checkpoint.npz"
BEST: Final = "best.npz"
_STEPS_PER_AVERAGE: Final = 4

JIT_COMPILE: Final = keras.config.backend() == "jax"
"""Whether a step is compiled by XLA: JAX has nothing else; on a CPU its convolutions take longer than TensorFlow's."""

Row = dict[str, float]
"""One epoch of the history: values by name."""


class TrainingLoop(ABC):
    """A training that can be killed at any time and resumed after its last whole epoch.

    Invariant: the seed and the number of steps decide what is learnt next, so a resumed training of a fixed number of
    epochs ends with the weights of an uninterrupted one.
    """

    def __init__(self, schedule: Schedule, folder: Path, model: keras.Model) -> None:
        """Starts at the beginning.

        Args:
            schedule: The recipe: how long, and all that must be the same to go on from a checkpoint.
            folder: Where checkpoint.npz, best.npz and history.csv are written.
            model: The compiled network with its optimizer built.
        """
        self.schedule, self.folder, self.model = schedule, folder, model
        self.average = model.get_weights()
        self.history: list[Row] = []
        self.steps, self.elapsed_s = 0, 0.0
        self.on_step: Callable[[float], None] | None = None  # gets the progress after every step

    @property
    @abstractmethod
    def steps_per_epoch(self) -> int:
        """Steps between two checkpoints."""

    @abstractmethod
    def run_epoch(self) -> Row:
        """Trains for one epoch, or to the end of the schedule, keeping `steps` and `elapsed_s`; returns its row."""

    @abstractmethod
    def quality(self, history: pd.DataFrame) -> pd.Series:
        """Returns what to choose the best epoch by, one value for each row, the higher the better, NaN if unknown."""

    def progress_at(self, steps: int) -> float:
        """Returns the share of the schedule that is done, 0..1, after a number of steps or at this time."""
        if self.schedule.minutes is not None:
            return min(self.elapsed_s / (60 * self.schedule.minutes), 1.0)
        return min(steps / (self.schedule.epochs * self.steps_per_epoch), 1.0)

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, 0..1."""
        return self.progress_at(self.steps)

    def run(self, on_epoch: Callable[[Row], None] | None = None) -> None:
        """Trains to the end of the schedule; `on_epoch` gets each row of the history once its checkpoint is written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while self.progress < 1:
            self.history.append(self.run_epoch())
            self._save()
            if on_epoch:
                on_epoch(self.history[-1])

    def count_step(self) -> None:
        """Counts a step and, now and then, moves the average towards the weights, batch statistics included.

        A young average forgets faster.
        """
        self.steps += 1
        if self.on_step:
            self.on_step(self.progress)
        if self.steps % _STEPS_PER_AVERAGE:
            return
        updates = self.steps / _STEPS_PER_AVERAGE
        keep = min(self.schedule.ema**_STEPS_PER_AVERAGE, (1 + updates) / (10 + updates))
        for average, weight in zip(self.average, self.model.get_weights(), strict=True):
            average *= keep
            average += (1 - keep) * weight

    def _save(self) -> None:
        history = pd.DataFrame(self.history)
        groups = {name: [np.asarray(v) for v in variables] for name, variables in self._variables().items()}
        state = {
            "recipe": _plain(self.schedule),
            "history": self.history,
            "steps": self.steps,
            "elapsed_s": self.elapsed_s,
        }
        quality = self.quality(history)
        if quality.notna().any() and quality.idxmax() == len(history) - 1:
            write_checkpoint(self.folder / BEST, {"average": self.average}, state)
        write_checkpoint(self.folder / CHECKPOINT, groups | {"average": self.average}, state)
        history.to_csv(self.folder / "history.csv", index=False)

    def _variables(self) -> dict[str, list[Any]]:
        """Everything that a step changes; the model's variables include the state of its dropout."""
        return {"model": self.model.variables, "optimizer": self.model.optimizer.variables}

    def resume(self) -> None:
        """Continues from the checkpoint in the folder.

        Raises:
            UsageError: There is no checkpoint, or another recipe wrote it.
        """
        path = self.folder / CHECKPOINT
        groups, state = read_checkpoint(path)
        if state["recipe"] != _plain(self.schedule):
            raise UsageError(f"{path}: another recipe wrote it; repeat its options or train without --resume")
        for name, variables in self._variables().items():
            for variable, array in zip(variables, groups[name], strict=True):
                variable.assign(array)
        self.average = groups["average"]
        self.history, self.steps, self.elapsed_s = state["history"], state["steps"], state["elapsed_s"]


def _plain(schedule: Schedule) -> Any:
    """Returns the recipe as JSON gives it back, tuples as lists."""
    return json.loads(json.dumps(asdict(schedule)))

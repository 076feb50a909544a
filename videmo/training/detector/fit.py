"""The training loop: random crops, one network, averaged weights, a checkpoint after every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.detection.neural import NeuralDetector
from videmo.errors import UsageError
from videmo.pipeline.streams import prefetch
from videmo.presets import find_preset
from videmo.training.checkpoint import read_checkpoint
from videmo.training.detector.batches import Batches
from videmo.training.detector.distil import distilling, load_teacher
from videmo.training.detector.evaluate import evaluate
from videmo.training.detector.losses import detection_loss
from videmo.training.detector.network import BLANK, COLUMNS, SIDE_MULTIPLE_PX, build_network
from videmo.training.detector.pictures import LabelledPicture
from videmo.training.detector.recipe import Recipe
from videmo.training.detector.transfer import take_over
from videmo.training.loop import JIT_COMPILE, Row, TrainingLoop

INPUT: Final = {"long_side_px": 480, "multiple_px": SIDE_MULTIPLE_PX, "padding": BLANK}
"""Of the preset. On 35 clips, 480 px found 98 % of YuNet's sure faces, 320 px 92 %, at 2.2 times the price."""
NMS_IOU: Final = 0.5
LEAST_SCORE: Final = 0.01
"""Faces with lower scores do not count in average precision."""

PANELS: Final = {
    "Training loss": ("loss",),
    "Validation pictures, 320 px": ("ap50", "ap75", "ap"),
    "Learning rate": ("learning_rate",),
}
"""Columns of the history by the title of the panel that shows them."""

_SCORED_SIDE_PX: Final = 320
_SCORES: Final = ("ap50", "ap75", "ap", "landmark_error")
_BATCHES_AHEAD: Final = 6
_PICTURES_PER_CALL: Final = 8


class Training(TrainingLoop):
    """Trains on random crops; scores are measured now and then and are NaN in the other epochs."""

    def __init__(
        self,
        recipe: Recipe,
        pictures: Sequence[LabelledPicture],
        extra: Sequence[LabelledPicture],
        valid: Sequence[LabelledPicture],
        folder: Path,
    ) -> None:
        """Builds the networks.

        Args:
            recipe: How to train.
            pictures: Pictures to learn from.
            extra: Pictures of large faces and pictures without any, to learn from.
            valid: Pictures that choose the best epoch.
            folder: Where checkpoint.npz, best.npz and history.csv are written.

        Raises:
            DataError: No training picture has a face that is large enough.
            UsageError: There is no such size, or the preset to start with does not fit it.
            PresetError: There is no such preset to start with, no such teacher, or its weights are damaged.
        """
        keras.utils.set_random_seed(recipe.seed)
        self.recipe, self.valid = recipe, valid
        self.batches = Batches(recipe.crops, pictures, extra, recipe.seed)
        self._teacher = load_teacher(recipe.teacher) if recipe.teacher else None
        self._ready: Iterator[Any] = iter(())
        model = build_network(recipe.size, dtype=recipe.policy)
        if recipe.init:
            take_over(find_preset(recipe.init, "detection"), model, pictures)
        self.averaged = build_network(recipe.size)
        self._compile(model)
        super().__init__(recipe, folder, model)

    def _compile(self, model: keras.Model) -> None:
        recipe = self.recipe
        optimizer = keras.optimizers.AdamW(
            recipe.learning_rate,
            beta_2=recipe.beta_2,
            weight_decay=recipe.weight_decay,
            global_clipnorm=recipe.clip_norm,
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        loss = distilling(recipe.distil_weight) if recipe.teacher else detection_loss
        model.compile(optimizer, loss=loss, jit_compile=JIT_COMPILE)
        optimizer.build(model.trainable_variables)

    @property
    def steps_per_epoch(self) -> int:
        """As the recipe has it."""
        return self.recipe.steps_per_epoch

    def run(self, on_epoch: Callable[[Row], None] | None = None) -> None:
        """Trains to the end of the schedule while a thread makes the next batches."""
        with closing(prefetch([self._upcoming()], _BATCHES_AHEAD, name="batches")) as self._ready:
            super().run(on_epoch)

    def _upcoming(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        step = self.steps
        while True:
            images, truth = self.batches.make(step, self.recipe.strength_at(self.progress_at(step)))
            yield images, np.concatenate([truth, self._teacher(images)], axis=1) if self._teacher else truth
            step += 1

    def run_epoch(self) -> Row:
        """Trains on as many batches as the recipe says."""
        started_s = time.monotonic() - self.elapsed_s
        pictures, rate, losses, fitting_s = 0, 0.0, [], time.monotonic()
        for _ in range(self.recipe.steps_per_epoch):
            images, truth = next(self._ready)
            rate = self.recipe.learning_rate_at(self.progress)
            self.model.optimizer.learning_rate = rate
            self.model.reset_metrics()  # some versions of Keras do so themselves
            losses.append(float(self.model.train_on_batch(images, truth, return_dict=True)["loss"]))
            self.count_step()
            pictures += len(images)
            self.elapsed_s = time.monotonic() - started_s
            if self.progress >= 1:
                break
        speed = pictures / (time.monotonic() - fitting_s)
        scores = self._score()
        self.elapsed_s = time.monotonic() - started_s
        row = {"epoch": len(self.history) + 1, "minutes": self.elapsed_s / 60, "steps": self.steps}
        return row | {"learning_rate": rate, "pictures_per_s": speed, "loss": float(np.mean(losses))} | scores

    def _score(self) -> Row:
        """Returns the scores of the averaged weights on validation pictures, now and then and at the end."""
        due = (len(self.history) + 1) % self.recipe.epochs_per_score == 0 or self.progress >= 1
        if not due:
            return dict.fromkeys(_SCORES, math.nan)
        self.averaged.set_weights(self.average)
        detector = averaged_detector(self.averaged)
        figures = evaluate(detector.detect, self.valid, _SCORED_SIDE_PX)
        return {name: math.nan if figures[name] is None else figures[name] for name in _SCORES}

    def quality(self, history: pd.DataFrame) -> pd.Series:
        """Average precision, boxes that fit loosely and well counted alike."""
        return history["ap50"] + history["ap75"]

    def start_from(self, checkpoint: Path) -> None:
        """Begins a new schedule with the averaged weights of another training instead of random ones.

        Raises:
            UsageError: There is no such checkpoint, or it is of a network of another size.
        """
        average = read_checkpoint(checkpoint)[0]["average"]
        if [array.shape for array in average] != [array.shape for array in self.average]:
            raise UsageError(f"{checkpoint}: of a network of another size: give its --size, or --init with its preset")
        self.average = average
        self.model.set_weights(self.average)


def averaged_detector(network: keras.Model) -> NeuralDetector:
    """Returns a detector that runs a network of `build_network`, with scores low enough to measure it."""

    def cells(pictures: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray(network.predict_on_batch(pictures)[:, :, :COLUMNS], np.float32)

    config = {"input": INPUT, "min_score": LEAST_SCORE, "nms_iou": NMS_IOU}
    return NeuralDetector(cells, config, batch_size=_PICTURES_PER_CALL)

"""The training loop: one network, two label sets, averaged weights, a checkpoint after every epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.pipeline.streams import prefetch
from videmo.presets import find_preset
from videmo.training.emotion.dataset import LabelledFaces
from videmo.training.emotion.distil import Loss, ask_teachers, distilling
from videmo.training.emotion.evaluate import score_epoch
from videmo.training.emotion.network import HEADS, build_network
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.transfer import take_over
from videmo.training.emotion.votes import emotion_targets, label_targets
from videmo.training.loop import JIT_COMPILE, Row, TrainingLoop

CURVES: Final = {
    "Training loss": ("loss",),
    "Validation score": ("ferplus_accuracy", "ferplus_balanced_accuracy", "fer2013_accuracy"),
    "Learning rate": ("learning_rate",),
}
"""Values of a row to draw, by the title of their panel."""

_STEADY_EPOCHS: Final = 3
_BATCHES_AHEAD: Final = 4

Batch = tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]
"""Faces (n, side, side, 1) and the targets (n, labels) of each head."""


class Training(TrainingLoop):
    """Trains on faces with FER+ votes and FER2013 labels; the best epoch ends the best stretch on both."""

    def __init__(self, recipe: Recipe, train: LabelledFaces, valid: LabelledFaces, folder: Path) -> None:
        """Builds the networks.

        Args:
            recipe: How to train.
            train: Faces to learn from.
            valid: Faces that choose the best epoch.
            folder: Where checkpoint.npz, best.npz and history.csv are written.

        Raises:
            DataError: No training face has an emotion among its votes, nor a label.
            UsageError: The preset to start with, or a teacher, does not fit the network.
            PresetError: There is no such preset, or its weights are damaged.
        """
        keras.utils.set_random_seed(recipe.seed)
        self.recipe, self.train, self.valid = recipe, train, valid
        smoothing = recipe.label_smoothing
        emotions = emotion_targets(train.votes, train.labels, smoothing)
        self.targets = [emotions, label_targets(train.labels, smoothing)]
        if not emotions.any():
            raise DataError("no training face has an emotion among its votes, nor a label; see `videmo data check`")
        counts = {head: len(labels) for head, labels in HEADS.items()}
        losses = [adjusted_cross_entropy(targets, recipe.prior_strength) for targets in self.targets]
        model = build_network(recipe.arch, counts, recipe.design(recipe.policy), dropout=recipe.dropout)
        # With the same drop-path layers, or else the weights would come in another order.
        self.averaged = build_network(recipe.arch, counts, recipe.design(), dropout=recipe.dropout)
        self.started_with = take_over(find_preset(recipe.init, "emotion"), model) if recipe.init else None
        self._compile(model, self._learn_from_teachers(losses))
        super().__init__(recipe, folder, model)

    def _learn_from_teachers(self, losses: list[Loss]) -> list[Loss]:
        """Appends the teachers' answers to the targets of the heads they teach; returns the losses for that."""
        teachers = [find_preset(name, "emotion") for name in self.recipe.teachers]
        answers = ask_teachers(teachers, self.train.images, self.recipe.distil_temperature)
        for at, head in enumerate(HEADS):
            if head in answers:
                self.targets[at] = np.concatenate([self.targets[at], answers[head]], axis=1)
                losses[at] = distilling(losses[at], self.recipe.distil_weight, self.recipe.distil_temperature)
        return losses

    def _compile(self, model: keras.Model, losses: list[Loss]) -> None:
        optimizer = keras.optimizers.AdamW(self.recipe.learning_rate, weight_decay=self.recipe.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        model.compile(
            optimizer,
            loss=dict(zip(HEADS, losses, strict=True)),
            loss_weights={"ferplus": 1.0, "fer2013": self.recipe.fer2013_weight},
            jit_compile=JIT_COMPILE,
        )
        optimizer.build(model.trainable_variables)

    @property
    def _batch(self) -> int:
        return min(self.recipe.batch, len(self.train))

    @property
    def steps_per_epoch(self) -> int:
        """All training faces once."""
        return len(self.train) // self._batch

    def run_epoch(self) -> Row:
        """Trains on all faces once, measures the averaged weights on validation faces."""
        started_s = time.monotonic() - self.elapsed_s
        epoch = len(self.history)
        losses: list[float] = []
        side_px, rate = 0, 0.0
        with closing(prefetch([self._batches(epoch)], _BATCHES_AHEAD, name="batches")) as batches:
            for faces, targets in batches:
                side_px, rate = faces.shape[1], self.recipe.learning_rate_at(self.progress)
                self.model.optimizer.learning_rate = rate
                self.model.reset_metrics()  # older versions of Keras would go on averaging
                losses.append(float(self.model.train_on_batch(faces, targets, return_dict=True)["loss"]))
                self.count_step()
                self.elapsed_s = time.monotonic() - started_s
                if self.progress >= 1:
                    break
        self.averaged.set_weights(self.average)
        scores = score_epoch(self.averaged, self.valid)
        self.elapsed_s = time.monotonic() - started_s
        row = {"epoch": epoch + 1, "minutes": self.elapsed_s / 60, "side_px": side_px, "learning_rate": rate}
        return row | {"loss": float(np.mean(losses))} | scores

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Yields all training faces in random order, changed as the step that learns from them wants it."""
        rng = np.random.default_rng([self.recipe.seed, epoch])
        order = rng.permutation(len(self.train))[: self.steps_per_epoch * self._batch]
        for step, rows in enumerate(order.reshape(-1, self._batch), self.steps):
            yield self._examples(rows, self.progress_at(step), rng)

    def _examples(self, rows: NDArray[np.intp], progress: float, rng: np.random.Generator) -> Batch:
        augmentation = self.recipe.augmentation_at(progress)
        faces = augmentation.apply(self.train.images[rows], self.recipe.side_px_at(progress), rng)
        faces, targets = augmentation.mix(faces, [target[rows] for target in self.targets], rng)
        return faces, dict(zip(HEADS, targets, strict=True))

    def quality(self, history: pd.DataFrame) -> pd.Series:
        """The score, averaged over the epochs just behind: the balanced accuracy hangs on the rarest expression.

        Of FER+'s 3,191 validation faces 25 show disgust; while the learning rate is high, one lucky epoch would win.
        """
        return history["score"].rolling(_STEADY_EPOCHS, min_periods=1).mean()


def adjusted_cross_entropy(targets: NDArray[np.float32], strength: float) -> Loss:
    """Cross-entropy over target probabilities with logit adjustment; a row of zeros for targets costs nothing.

    Args:
        targets: (n, labels) of the whole training set; they give the frequency of each label.
        strength: 0 for plain cross-entropy, 1 for the full adjustment of Menon et al. (2021).

    Returns:
        A Keras loss from targets and logits, both (m, labels), to losses (m,).

    Example:
        >>> loss = adjusted_cross_entropy(np.eye(2, dtype=np.float32), 1.0)
        >>> loss(np.array([[0.0, 0.0]], np.float32), np.array([[3.0, 4.0]], np.float32)).numpy().tolist()
        [-0.0]
    """
    prior = targets.sum(axis=0) / max(targets.sum(), 1)
    shift = (strength * np.log(np.maximum(prior, 1e-4))).astype(np.float32)

    def loss(targets: Any, logits: Any) -> Any:
        return -keras.ops.sum(targets * keras.ops.log_softmax(logits + keras.ops.convert_to_tensor(shift)), axis=-1)

    return loss

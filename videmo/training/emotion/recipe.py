"""Everything that decides what a training gives, apart from the faces."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from videmo.errors import UsageError
from videmo.training.emotion.augment import Augmentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train.

    With `minutes` the schedule follows the clock: a busy machine trains less, but always to the end of the schedule.
    Without it the schedule is `epochs` long and gives the same weights on every run on the same machine.

    Attributes:
        arch: A name in `network.ARCHITECTURES`.
        epochs: Length of the schedule when `minutes` is None.
        minutes: Length of the schedule on the clock.
        batch: Faces in a step.
        learning_rate: Peak of the schedule, for AdamW (Loshchilov and Hutter, 2019).
        weight_decay: Decoupled decay of kernels; biases and normalisation are spared.
        warm_up: Share of the schedule that the learning rate rises for.
        sides_px: Progressive resizing (Tan and Le, 2021): shares of the schedule and the side used from there on.
        dropout: Share of the features dropped before the heads.
        label_smoothing: Of the FER2013 labels (Szegedy et al., 2016); FER+ votes are soft as they are.
        prior_strength: Logit adjustment (Menon et al., 2021): 0 keeps the frequency of labels, 1 aims at equal recall.
        fer2013_weight: Weight of the FER2013 loss beside the FER+ loss.
        ema: Share of the averaged weights kept in a step (Polyak and Juditsky, 1992).
        seed: Seed of initial weights, order, dropout and augmentation.
        dtype: Keras dtype policy of the trunk while it trains.
        augmentation: Random changes of the faces.

    Raises:
        UsageError: A value is out of its range.
    """

    arch: str = "resnet"
    epochs: int = 60
    minutes: float | None = None
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    sides_px: tuple[tuple[float, int], ...] = ((0.0, 36), (0.35, 42), (0.65, 48))
    dropout: float = 0.2
    label_smoothing: float = 0.1
    prior_strength: float = 0.5
    fer2013_weight: float = 0.5
    ema: float = 0.998
    seed: int = 0
    dtype: str = "mixed_bfloat16"
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"epochs = {self.epochs} cannot be used: expected a whole number from 1")
        if self.minutes is not None and self.minutes <= 0:
            raise UsageError(f"minutes = {self.minutes} cannot be used: expected a number above 0")

    def learning_rate_at(self, progress: float) -> float:
        """Returns the learning rate at a share of the schedule: linear warm-up, then cosine to zero (SGDR, 2017)."""
        if progress < self.warm_up:
            return self.learning_rate * (0.02 + 0.98 * progress / self.warm_up)
        rest = (progress - self.warm_up) / (1 - self.warm_up)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))

    def side_px_at(self, progress: float) -> int:
        """Returns the side of the training faces at a share of the schedule."""
        return next(side_px for start, side_px in reversed(self.sides_px) if progress >= start)

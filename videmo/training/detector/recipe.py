"""Everything that decides what a training gives, apart from the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from videmo.training.detector.batches import Crops
from videmo.training.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Schedule):
    """How to train, beside the schedule, whose defaults are other ones here.

    Attributes:
        steps_per_epoch: Batches between two checkpoints.
        epochs_per_score: Epochs between two measurements on validation pictures.
        beta_2: How long AdamW remembers squared gradients.
        clip_norm: Longest gradient.
        size: A name in `network.SIZES`.
        init: Detector whose weights are the start; of a wider one the channels that matter most.
        teacher: Detector whose answers count beside the labels, see `distil`.
        distil_weight: Share of the teacher's part in the loss, 0..1.
        crops: What the crops show.

    Raises:
        UsageError: A value is out of its range.
    """

    learning_rate: float = 8e-3
    warm_up: float = 0.02
    ema: float = 0.999
    steps_per_epoch: int = 600
    epochs_per_score: int = 4
    beta_2: float = 0.99
    clip_norm: float = 10.0
    gentle: float = 0.5
    size: str = "full"
    init: str | None = None
    teacher: str | None = None
    distil_weight: float = 0.5
    crops: Crops = field(default_factory=Crops)

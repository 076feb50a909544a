"""Everything that decides what a training gives, apart from the faces."""

from __future__ import annotations

from dataclasses import dataclass, field

from videmo.training.emotion.augment import Augmentation
from videmo.training.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Schedule):
    """How to train, beside the schedule.

    Attributes:
        arch: A name in `network.ARCHITECTURES`.
        batch: Faces in a step.
        sides_px: Progressive resizing (Tan and Le, 2021): shares of the schedule and the side used from there on.
        dropout: Share of the features dropped before the heads.
        label_smoothing: Of the FER2013 labels (Szegedy et al., 2016); FER+ votes are soft as they are.
        prior_strength: Logit adjustment (Menon et al., 2021): 0 keeps the frequency of labels, 1 aims at equal recall.
        fer2013_weight: Weight of the FER2013 loss beside the FER+ loss.
        augmentation: Random changes of the faces.

    Raises:
        UsageError: A value is out of its range.
    """

    arch: str = "resnet"
    batch: int = 128
    sides_px: tuple[tuple[float, int], ...] = ((0.0, 36), (0.35, 42), (0.65, 48))
    dropout: float = 0.2
    label_smoothing: float = 0.1
    prior_strength: float = 0.5
    fer2013_weight: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)

    def side_px_at(self, progress: float) -> int:
        """Returns the side of the training faces at a share of the schedule."""
        return next(side_px for start, side_px in reversed(self.sides_px) if progress >= start)

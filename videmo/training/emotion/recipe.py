"""Everything that decides what a training gives, apart from the faces."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from videmo.training.emotion.architectures import LEARNING_RATES, Design
from videmo.training.emotion.augment import Augmentation
from videmo.training.ranges import require, require_amounts, require_shares
from videmo.training.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Schedule):
    """How to train, beside the schedule.

    Attributes:
        arch: A name in `architectures.ARCHITECTURES`.
        width: Multiplier of the network's channels.
        depth: Multiplier of the blocks in its stages.
        drop_path: Share of the residual branches skipped in training, at the last block (Huang et al., 2016).
        batch: Faces in a step.
        sides_px: Progressive resizing (Tan and Le, 2021): shares of the schedule and the side used from there on.
        dropout: Share of the features dropped before the heads.
        label_smoothing: Of the FER2013 labels (Szegedy et al., 2016); FER+ votes are soft as they are.
        prior_strength: Logit adjustment (Menon et al., 2021): 0 keeps the frequency of labels, 1 aims at equal recall.
        fer2013_weight: Weight of the FER2013 loss beside the FER+ loss.
        init: Preset whose weights the training starts with, by name or folder; random ones without. One of less depth
            will do as well, or of a fraction of the width: the network starts with its answers.
        teachers: Presets whose answers the network learns beside the labels, by name or folder.
        distil_weight: Weight of the teachers' answers; that of the labels is the rest to 1.
        distil_temperature: How soft the teachers' answers are made (Hinton et al., 2015); 1 leaves them.
        augmentation: Random changes of the faces.

    Raises:
        UsageError: A value is out of its range.
    """

    arch: str = "resnet"
    width: float = 1.0
    depth: float = 1.0
    drop_path: float = 0.0
    batch: int = 128
    sides_px: tuple[tuple[float, int], ...] = ((0.0, 36), (0.35, 42), (0.65, 48))
    dropout: float = 0.2
    label_smoothing: float = 0.1
    prior_strength: float = 0.5
    fer2013_weight: float = 0.5
    init: str | None = None
    teachers: tuple[str, ...] = ()
    distil_weight: float = 0.7
    distil_temperature: float = 2.0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        Schedule.__post_init__(self)  # the dataclass is made anew for its slots, which super() does not notice
        for name in ("width", "depth", "batch", "distil_temperature"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a number above 0")
        require_shares(self, ["label_smoothing", "distil_weight"])
        require_amounts(self, ["prior_strength", "fer2013_weight"])
        for name in ("drop_path", "dropout"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "a share, 0 to less than 1")
        starts = [start for start, _ in self.sides_px]
        rising = starts[:1] == [0.0] and starts == sorted(starts)
        allowed = "pairs of a share of the schedule, the first 0 and rising, and a side from 24"
        require(rising and all(side >= 24 for _, side in self.sides_px), "sides_px", self.sides_px, allowed)

    @property
    def side_px(self) -> int:
        """Side of the faces at the end of the schedule: the one that the preset is made for."""
        return self.sides_px[-1][1]

    def side_px_at(self, progress: float) -> int:
        """Returns the side of the training faces at a share of the schedule."""
        return next(side_px for start, side_px in reversed(self.sides_px) if progress >= start)

    def augmentation_at(self, progress: float) -> Augmentation:
        """Returns how faces are changed and mixed at a share of the schedule."""
        return self.augmentation.scaled(self.strength_at(progress))

    def design(self, dtype: str = "float32") -> Design:
        """Returns the design of the network's trunk."""
        return Design(width=self.width, depth=self.depth, drop_path=self.drop_path, dtype=dtype)


def standard_recipe(arch: str) -> Recipe:
    """Returns the recipe to start with for an architecture: as `Recipe`, at a learning rate that it bears."""
    recipe = Recipe(arch=arch)
    return replace(recipe, learning_rate=LEARNING_RATES.get(arch, recipe.learning_rate))

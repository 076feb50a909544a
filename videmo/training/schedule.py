"""How long a training lasts and how its learning rate runs: what every recipe has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from videmo.inference import computes_bfloat16
from videmo.training.ranges import require, require_amounts, require_shares

_DTYPES: Final = ("auto", "float32", "mixed_bfloat16", "mixed_float16", "bfloat16", "float16", "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long to train and how fast.

    With `minutes` the schedule follows the clock: a busy machine trains less, but always to the end of the schedule.
    Without it the schedule is `epochs` long and gives the same weights on every run on the same machine.

    Attributes:
        epochs: Length of the schedule when `minutes` is None.
        minutes: Length of the schedule on the clock.
        learning_rate: Peak of the schedule, for AdamW (Loshchilov and Hutter, 2019).
        weight_decay: Decoupled decay of kernels; biases and normalisation are spared.
        warm_up: Share of the schedule that the learning rate rises for.
        ema: Share of the averaged weights kept in a step (Polyak and Juditsky, 1992).
        gentle: Share of the schedule at its end in which examples are changed less, so that the network settles on what
            it will really be shown (YOLOX, Ge et al., 2021, ends so).
        gentle_strength: How strongly or how often they are changed then, 0..1 of what the recipe says.
        seed: Seed of everything random.
        dtype: Keras dtype policy of the trunk while it trains; "auto" is mixed_bfloat16 where that is faster, else
            float32.

    Raises:
        UsageError: A value is out of its range.
    """

    epochs: int = 60
    minutes: float | None = None
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    ema: float = 0.998
    gentle: float = 0.0
    gentle_strength: float = 0.2
    seed: int = 0
    dtype: str = "auto"

    def __post_init__(self) -> None:
        require(self.epochs >= 1, "epochs", self.epochs, "a whole number from 1")
        require(self.minutes is None or self.minutes > 0, "minutes", self.minutes, "a number above 0")
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "a number above 0")
        require_amounts(self, ["weight_decay"])
        for name in ("warm_up", "ema"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "a share, 0 to less than 1")
        require_shares(self, ["gentle", "gentle_strength"])
        require(0 <= self.seed < 2**32, "seed", self.seed, "a whole number, 0 to 4294967295")
        require(self.dtype in _DTYPES, "dtype", self.dtype, f"one of {', '.join(_DTYPES)}")

    @property
    def policy(self) -> str:
        """The dtype policy to train with on this machine."""
        if self.dtype != "auto":
            return self.dtype
        return "mixed_bfloat16" if computes_bfloat16() else "float32"

    def learning_rate_at(self, progress: float) -> float:
        """Returns the learning rate at a share of the schedule: linear warm-up, then cosine to zero (SGDR, 2017)."""
        if progress < self.warm_up:
            return self.learning_rate * (0.02 + 0.98 * progress / self.warm_up)
        rest = (progress - self.warm_up) / (1 - self.warm_up)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(rest, 1.0)))

    def strength_at(self, progress: float) -> float:
        """Returns how strongly examples are changed at a share of the schedule: 1 until its gentle end."""
        return self.gentle_strength if progress > 1 - self.gentle else 1.0

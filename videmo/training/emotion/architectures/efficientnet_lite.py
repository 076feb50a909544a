"""EfficientNet-Lite0 as it was published: for trainings that start with weights learned on ImageNet."""

from __future__ import annotations

from typing import Final

import keras

from videmo.training.emotion.architectures.blocks import Design, enlarge
from videmo.training.emotion.architectures.efficientnet import Stage, inverted_residuals

STEM: Final = 32
HEAD: Final = 1280
STAGES: Final = (
    Stage(16, 1, 1, 1, 3),
    Stage(24, 2, 6, 2, 3),
    Stage(40, 2, 6, 2, 5),
    Stage(80, 3, 6, 2, 3),
    Stage(112, 3, 6, 1, 5),
    Stage(192, 4, 6, 2, 5),
    Stage(320, 1, 6, 1, 3),
)
ENLARGE: Final = 2


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """EfficientNet-Lite0 (Google, 2020, after Tan and Le, 2019): no squeeze-excitation, ReLU6 for swish.

    It halves the side five times, which is made for pictures of 224 px; so that small faces do not shrink to a point,
    they are enlarged first.
    """
    x = enlarge(x, ENLARGE, dtype=design.dtype)
    return inverted_residuals(x, STAGES, design, stem=STEM, head=HEAD, squeeze=None, activation="relu6")

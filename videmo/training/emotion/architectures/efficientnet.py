"""EfficientNet in a size for small faces: inverted residual blocks with depthwise convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import (
    Design,
    add_branch,
    convolve,
    excite,
    normalise,
    pool_features,
)

STEM: Final = 24
HEAD: Final = 320
SQUEEZE: Final = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one width; the first of them halves the side where the stride is 2."""

    channels: int
    blocks: int
    expansion: int
    stride: int
    kernel: int


STAGES: Final = (Stage(24, 1, 1, 1, 3), Stage(40, 2, 4, 2, 3), Stage(80, 3, 4, 2, 3), Stage(112, 2, 4, 1, 5))


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Stack of MBConv blocks with squeeze-excitation and swish (Tan and Le, 2019, after Sandler et al., 2018).

    B0 halves the side five times on its way down from 224 px; here it is halved three times, in four stages.
    """
    return inverted_residuals(x, STAGES, design, stem=STEM, head=HEAD, squeeze=SQUEEZE, activation="silu")


def inverted_residuals(
    x: keras.KerasTensor,
    stages: Sequence[Stage],
    design: Design,
    *,
    stem: int,
    head: int,
    squeeze: int | None,
    activation: str,
) -> keras.KerasTensor:
    """Returns the features of a stem, stages of MBConv blocks and a last 1x1 convolution.

    Args:
        x: Pixels (n, height, width, channels).
        stages: What lies between stem and head.
        design: Size and training of the trunk.
        stem: Channels of the first convolution, which halves the side.
        head: Channels of the last one: the features.
        squeeze: Squeeze-excitation goes through this share of a block's input channels; None leaves it out.
        activation: Keras' name of it.
    """
    make = _Maker(design, squeeze, activation)
    x = make.activate(convolve(x, design.channels(stem), stride=2, name="stem", dtype=design.dtype), "stem")
    counts = design.blocks([stage.blocks for stage in stages])
    rates = iter(design.drop_rates(sum(counts)))
    for at, (stage, count) in enumerate(zip(stages, counts, strict=True)):
        for block in range(count):
            stride = stage.stride if block == 0 else 1
            x = make.mbconv(x, stage, stride=stride, name=f"stage{at}_block{block}", drop_rate=next(rates))
    x = make.activate(convolve(x, design.channels(head), kernel=1, name="last", dtype=design.dtype), "last")
    return pool_features(x)


@dataclass(frozen=True, slots=True)
class _Maker:
    """What all blocks of a network have in common."""

    design: Design
    squeeze: int | None
    activation: str

    def mbconv(
        self, x: keras.KerasTensor, stage: Stage, *, stride: int, name: str, drop_rate: float
    ) -> keras.KerasTensor:
        """Inverted residual block: widen, look around each pixel channel by channel, weigh the channels, narrow."""
        dtype, shortcut = self.design.dtype, x
        inside, outside = x.shape[-1] * stage.expansion, self.design.channels(stage.channels)
        if stage.expansion > 1:
            x = self.activate(convolve(x, inside, kernel=1, name=f"{name}_expand", dtype=dtype), f"{name}_expand")
        look = layers.DepthwiseConv2D(
            stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_look", dtype=dtype
        )
        x = self.activate(normalise(look(x), name=f"{name}_look", dtype=dtype), f"{name}_look")
        if self.squeeze:
            squeezed = max(1, shortcut.shape[-1] // self.squeeze)
            x = excite(x, inside, squeezed, name=f"{name}_se", dtype=dtype, activation=self.activation)
        x = convolve(x, outside, kernel=1, name=f"{name}_project", dtype=dtype)
        if stride > 1 or shortcut.shape[-1] != outside:
            return x
        return add_branch(x, shortcut, name=name, dtype=dtype, drop_rate=drop_rate)

    def activate(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.Activation(self.activation, name=f"{name}_{self.activation}", dtype=self.design.dtype)(x)

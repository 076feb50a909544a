"""EfficientNet in a size for small faces: inverted residual blocks with depthwise convolutions."""

from __future__ import annotations

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
class _Stage:
    channels: int
    blocks: int
    expansion: int
    stride: int
    kernel: int


STAGES: Final = (_Stage(24, 1, 1, 1, 3), _Stage(40, 2, 4, 2, 3), _Stage(80, 3, 4, 2, 3), _Stage(112, 2, 4, 1, 5))


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Stack of MBConv blocks with squeeze-excitation and swish (Tan and Le, 2019, after Sandler et al., 2018).

    B0 halves the side five times on its way down from 224 px; here it is halved three times, in four stages.
    """
    x = _activate(convolve(x, design.channels(STEM), stride=2, name="stem", dtype=design.dtype), "stem", design)
    counts = design.blocks([stage.blocks for stage in STAGES])
    rates = iter(design.drop_rates(sum(counts)))
    for at, (stage, count) in enumerate(zip(STAGES, counts, strict=True)):
        for block in range(count):
            stride = stage.stride if block == 0 else 1
            x = _mbconv(x, stage, design, stride=stride, name=f"stage{at}_block{block}", drop_rate=next(rates))
    x = _activate(convolve(x, design.channels(HEAD), kernel=1, name="last", dtype=design.dtype), "last", design)
    return pool_features(x)


def _mbconv(
    x: keras.KerasTensor, stage: _Stage, design: Design, *, stride: int, name: str, drop_rate: float
) -> keras.KerasTensor:
    """Inverted residual block: widen, look around each pixel channel by channel, weigh the channels, narrow."""
    dtype, shortcut = design.dtype, x
    inside, outside = x.shape[-1] * stage.expansion, design.channels(stage.channels)
    if stage.expansion > 1:
        x = _activate(convolve(x, inside, kernel=1, name=f"{name}_expand", dtype=dtype), f"{name}_expand", design)
    look = layers.DepthwiseConv2D(
        stage.kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_look", dtype=dtype
    )
    x = _activate(normalise(look(x), name=f"{name}_look", dtype=dtype), f"{name}_look", design)
    squeezed = max(1, shortcut.shape[-1] // SQUEEZE)
    x = excite(x, inside, squeezed, name=f"{name}_se", dtype=dtype, activation="silu")
    x = convolve(x, outside, kernel=1, name=f"{name}_project", dtype=dtype)
    if stride > 1 or shortcut.shape[-1] != outside:
        return x
    return add_branch(x, shortcut, name=name, dtype=dtype, drop_rate=drop_rate)


def _activate(x: keras.KerasTensor, name: str, design: Design) -> keras.KerasTensor:
    return layers.Activation("silu", name=f"{name}_silu", dtype=design.dtype)(x)

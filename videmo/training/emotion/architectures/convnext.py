"""ConvNeXt in a size for small faces: large depthwise kernels and layer normalisation."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, add_branch

WIDTHS: Final = (48, 96, 192)
BLOCKS: Final = (2, 2, 4)
KERNEL: Final = 7
EXPANSION: Final = 4
_EPSILON: Final = 1e-6


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """ConvNeXt (Liu et al., 2022) with three stages and patches of 2 px, for 4 px at 224 px.

    Blocks begin as the identity: the paper has tiny layer scales for that, here the last kernel of a block is zero.
    """
    counts = design.blocks(BLOCKS)
    rates = iter(design.drop_rates(sum(counts)))
    for stage, (width, count) in enumerate(zip(WIDTHS, counts, strict=True)):
        channels = design.channels(width)
        x = _halve(x, channels, first=stage == 0, name=f"stage{stage}", dtype=design.dtype)
        for block in range(count):
            x = _block(x, channels, name=f"stage{stage}_block{block}", dtype=design.dtype, drop_rate=next(rates))
    x = layers.GlobalAveragePooling2D(name="pool", dtype=design.dtype)(x)
    return layers.LayerNormalization(epsilon=_EPSILON, name="features", dtype="float32")(x)


def _halve(x: keras.KerasTensor, channels: int, *, first: bool, name: str, dtype: str) -> keras.KerasTensor:
    """Halves the side; pixels are normalised after it, features before."""
    if not first:
        x = _normalise(x, name=f"{name}_halve", dtype=dtype)
    x = layers.Conv2D(channels, 2, strides=2, name=f"{name}_halve", dtype=dtype)(x)
    return _normalise(x, name=f"{name}_halve", dtype=dtype) if first else x


def _block(x: keras.KerasTensor, channels: int, *, name: str, dtype: str, drop_rate: float) -> keras.KerasTensor:
    shortcut = x
    x = layers.DepthwiseConv2D(KERNEL, padding="same", name=f"{name}_look", dtype=dtype)(x)
    x = _normalise(x, name=f"{name}_look", dtype=dtype)
    x = layers.Conv2D(channels * EXPANSION, 1, activation="gelu", name=f"{name}_widen", dtype=dtype)(x)
    x = layers.Conv2D(channels, 1, kernel_initializer="zeros", name=f"{name}_narrow", dtype=dtype)(x)
    return add_branch(x, shortcut, name=name, dtype=dtype, drop_rate=drop_rate)


def _normalise(x: keras.KerasTensor, *, name: str, dtype: str) -> keras.KerasTensor:
    return layers.LayerNormalization(epsilon=_EPSILON, name=f"{name}_norm", dtype=dtype)(x)

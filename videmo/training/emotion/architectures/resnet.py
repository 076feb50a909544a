"""Residual network with squeeze-excitation: the family of the presets that videmo ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, add_branch, convolve, excite, pool_features


class Stage(NamedTuple):
    """Residual blocks in a row: output channels, how many, stride of the first."""

    channels: int
    blocks: int
    stride: int


STEM: Final = 24
STAGES: Final = (Stage(48, 2, 2), Stage(96, 2, 2), Stage(192, 1, 2))
SQUEEZE: Final = 8


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Residual network (He et al., 2016) with squeeze-excitation (Hu et al., 2018), halving the side in each stage."""
    stem = layers.Conv2D(design.channels(STEM), 3, padding="same", activation="relu", dtype=design.dtype, name="stem")
    return pool_features(residual_stages(stem(x), STAGES, design))


def residual_stages(x: keras.KerasTensor, stages: Sequence[Stage], design: Design) -> keras.KerasTensor:
    """Applies stages of residual blocks with squeeze-excitation."""
    counts = design.blocks([stage.blocks for stage in stages])
    rates = iter(design.drop_rates(sum(counts)))
    for at, (stage, count) in enumerate(zip(stages, counts, strict=True)):
        for block in range(count):
            name, stride = f"stage{at}_block{block}", stage.stride if block == 0 else 1
            channels, rate = design.channels(stage.channels), next(rates)
            x = _block(x, channels, stride=stride, name=name, dtype=design.dtype, drop_rate=rate)
    return x


def _block(
    x: keras.KerasTensor, channels: int, *, stride: int, name: str, dtype: str, drop_rate: float
) -> keras.KerasTensor:
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool", dtype=dtype)(shortcut)
        shortcut = convolve(shortcut, channels, kernel=1, name=f"{name}_shortcut", dtype=dtype)
    x = convolve(x, channels, stride=stride, name=f"{name}_conv0", dtype=dtype)
    x = layers.Activation("relu", name=f"{name}_relu0", dtype=dtype)(x)
    x = convolve(x, channels, name=f"{name}_conv1", dtype=dtype)
    x = excite(x, channels, channels // SQUEEZE, name=f"{name}_se", dtype=dtype)
    x = add_branch(x, shortcut, name=name, dtype=dtype, drop_rate=drop_rate)
    return layers.Activation("relu", name=f"{name}_relu1", dtype=dtype)(x)

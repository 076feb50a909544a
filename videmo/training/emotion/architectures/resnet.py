"""Residual network with squeeze-excitation: the family of the presets that videmo ships."""

from __future__ import annotations

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, add_branch, convolve, excite, pool_features

STEM = 24
WIDTHS = (48, 96, 192)
BLOCKS = (2, 2, 1)
SQUEEZE = 8


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Residual network (He et al., 2016) with squeeze-excitation (Hu et al., 2018), halving the side in each stage."""
    dtype = design.dtype
    x = layers.Conv2D(design.channels(STEM), 3, padding="same", activation="relu", dtype=dtype, name="stem")(x)
    counts = design.blocks(BLOCKS)
    rates = iter(design.drop_rates(sum(counts)))
    for stage, (width, count) in enumerate(zip(WIDTHS, counts, strict=True)):
        for block in range(count):
            name, stride = f"stage{stage}_block{block}", 2 if block == 0 else 1
            x = _block(x, design.channels(width), stride=stride, name=name, dtype=dtype, drop_rate=next(rates))
    return pool_features(x)


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

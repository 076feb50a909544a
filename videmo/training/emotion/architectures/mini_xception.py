"""mini-Xception: separable convolutions with shortcuts, known for its very few parameters."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, add_branch, convolve, normalise, pool_features

STEM: Final = (8, 8)
STAGES: Final = (16, 32, 64, 128)


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """mini-Xception (Arriaga et al., 2017, after Chollet, 2017).

    The paper's last convolution, from 128 channels to the labels before the mean over the face, is left to the heads,
    which come after it.
    """
    for at, channels in enumerate(STEM):
        x = convolve(x, design.channels(channels), name=f"stem{at}", dtype=design.dtype)
        x = layers.Activation("relu", name=f"stem{at}_relu", dtype=design.dtype)(x)
    rates = design.drop_rates(len(STAGES))
    for stage, (channels, rate) in enumerate(zip(STAGES, rates, strict=True)):
        x = _module(x, design.channels(channels), name=f"stage{stage}", dtype=design.dtype, drop_rate=rate)
    return pool_features(x)


def _module(x: keras.KerasTensor, channels: int, *, name: str, dtype: str, drop_rate: float) -> keras.KerasTensor:
    shortcut = convolve(x, channels, kernel=1, stride=2, name=f"{name}_shortcut", dtype=dtype)
    x = _separate(x, channels, name=f"{name}_conv0", dtype=dtype)
    x = layers.Activation("relu", name=f"{name}_relu", dtype=dtype)(x)
    x = _separate(x, channels, name=f"{name}_conv1", dtype=dtype)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool", dtype=dtype)(x)
    return add_branch(x, shortcut, name=name, dtype=dtype, drop_rate=drop_rate)


def _separate(x: keras.KerasTensor, channels: int, *, name: str, dtype: str) -> keras.KerasTensor:
    x = layers.SeparableConv2D(channels, 3, padding="same", use_bias=False, name=name, dtype=dtype)(x)
    return normalise(x, name=name, dtype=dtype)

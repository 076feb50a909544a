"""What the families share: how their size is told, convolution with normalisation, squeeze-excitation, drop-path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import keras
from keras import layers

_MULTIPLE: Final = 8
"""Channels come in multiples of this, the width of a vector register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Size of a trunk, and how it is trained.

    Attributes:
        width: Multiplier of all channels.
        depth: Multiplier of the blocks in each stage, for families that are made of such.
        drop_path: Share of the residual branches skipped in training at the last block, 0..1; less before.
        dtype: Keras dtype policy.
    """

    width: float = 1.0
    depth: float = 1.0
    drop_path: float = 0.0
    dtype: str = "float32"

    def channels(self, count: int) -> int:
        """Returns `count` channels times the width, as a multiple of 8.

        Example:
            >>> [Design(width=width).channels(48) for width in (0.1, 1, 1.25)]
            [8, 48, 64]
        """
        return max(_MULTIPLE, _MULTIPLE * int(self.width * count / _MULTIPLE + 0.5))

    def blocks(self, counts: Sequence[int]) -> list[int]:
        """Returns the numbers of blocks in the stages times the depth, rounded up as in EfficientNet."""
        return [math.ceil(self.depth * count) for count in counts]

    def drop_rates(self, count: int) -> list[float]:
        """Returns the drop-path rates of all blocks, rising from the first to the last."""
        return [self.drop_path * (at + 1) / count for at in range(count)]


def convolve(
    x: keras.KerasTensor, channels: int, *, name: str, dtype: str, kernel: int = 3, stride: int = 1
) -> keras.KerasTensor:
    """Convolves without bias, then normalises over the batch."""
    x = layers.Conv2D(
        channels,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
        dtype=dtype,
    )(x)
    return normalise(x, name=name, dtype=dtype)


def normalise(x: keras.KerasTensor, *, name: str, dtype: str) -> keras.KerasTensor:
    """Batch normalisation (Ioffe and Szegedy, 2015) with an average over fewer batches than Keras takes."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm", dtype=dtype)(x)


def enlarge(x: keras.KerasTensor, times: int, *, dtype: str) -> keras.KerasTensor:
    """Enlarges faces for a trunk that was made for larger ones: repeated and smoothed, nearly bilinear."""
    # Keras 3.15 resizes bilinearly only to sides it knows beforehand.
    x = layers.UpSampling2D(times, name="enlarge", dtype=dtype)(x)
    return layers.AveragePooling2D(times + 1, strides=1, padding="same", name="smooth", dtype=dtype)(x)


def excite(
    x: keras.KerasTensor, channels: int, squeezed: int, *, name: str, dtype: str, activation: str = "relu"
) -> keras.KerasTensor:
    """Squeeze-excitation (Hu et al., 2018): weighs the channels by what the whole face shows."""
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool", dtype=dtype)(x)
    gate = layers.Dense(squeezed, activation=activation, name=f"{name}_squeeze", dtype=dtype)(gate)
    gate = layers.Dense(channels, activation="sigmoid", name=f"{name}_excite", dtype=dtype)(gate)
    return layers.Multiply(name=f"{name}_scale", dtype=dtype)([x, gate])


def add_branch(
    branch: keras.KerasTensor, shortcut: keras.KerasTensor, *, name: str, dtype: str, drop_rate: float = 0.0
) -> keras.KerasTensor:
    """Adds a residual branch, which stochastic depth (Huang et al., 2016) skips for some faces in training."""
    if drop_rate:
        drop = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop", dtype=dtype)
        branch = drop(branch)
    return layers.Add(name=f"{name}_add", dtype=dtype)([branch, shortcut])


def pool_features(x: keras.KerasTensor) -> keras.KerasTensor:
    """Averages over the face: the features (n, channels) that heads read."""
    return layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)

"""The classic of the field: four convolutions, each halving the side, with dropout."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, convolve, normalise

CHANNELS: Final = (32, 64, 128, 256)
HIDDEN: Final = 256
DROPOUT: Final = 0.25


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Four-layer CNN, as most student projects on FER2013 have it (Goodfellow et al., 2013).

    Two things are of today: batch normalisation (Ioffe and Szegedy, 2015), and the mean over the face in place of
    flattening, so that any side works.
    """
    dtype = design.dtype
    for at, channels in enumerate(CHANNELS):
        x = convolve(x, design.channels(channels), name=f"conv{at}", dtype=dtype)
        x = layers.Activation("relu", name=f"conv{at}_relu", dtype=dtype)(x)
        x = layers.MaxPooling2D(name=f"pool{at}", padding="same", dtype=dtype)(x)
        x = layers.Dropout(DROPOUT, name=f"dropout{at}", dtype=dtype)(x)
    x = layers.GlobalAveragePooling2D(name="pool", dtype=dtype)(x)
    x = layers.Dense(design.channels(HIDDEN), use_bias=False, name="hidden", dtype=dtype)(x)
    return layers.Activation("relu", name="features", dtype="float32")(normalise(x, name="hidden", dtype=dtype))

"""VGG13: the network of the FER+ paper."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, convolve, normalise

STAGES: Final = ((64, 2), (128, 2), (256, 3), (256, 3))
"""Channels and convolutions of each stage."""
HIDDEN: Final = (1024, 1024)
DROPOUT: Final = 0.25
HIDDEN_DROPOUT: Final = 0.5


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """VGG13 with dropout (Barsoum et al., 2016, figure 4, after Simonyan and Zisserman, 2015).

    The paper flattens 64 px faces and knows no batch normalisation; here the mean over the face lets any side through,
    and normalisation stands learning rates ten times as high. The dropout after the last hidden layer is the network's
    own, before its heads.
    """
    dtype = design.dtype
    for stage, (channels, count) in enumerate(STAGES):
        for at in range(count):
            x = convolve(x, design.channels(channels), name=f"stage{stage}_conv{at}", dtype=dtype)
            x = layers.Activation("relu", name=f"stage{stage}_relu{at}", dtype=dtype)(x)
        x = layers.MaxPooling2D(name=f"stage{stage}_pool", padding="same", dtype=dtype)(x)
        x = layers.Dropout(DROPOUT, name=f"stage{stage}_dropout", dtype=dtype)(x)
    x = layers.GlobalAveragePooling2D(name="pool", dtype=dtype)(x)
    first, last = (design.channels(units) for units in HIDDEN)
    x = layers.Dense(first, use_bias=False, name="hidden0", dtype=dtype)(x)
    x = layers.Activation("relu", name="hidden0_relu", dtype=dtype)(normalise(x, name="hidden0", dtype=dtype))
    x = layers.Dropout(HIDDEN_DROPOUT, name="hidden0_dropout", dtype=dtype)(x)
    x = layers.Dense(last, use_bias=False, name="hidden1", dtype=dtype)(x)
    return layers.Activation("relu", name="features", dtype="float32")(normalise(x, name="hidden1", dtype=dtype))

"""Residual network of dlib's face recognition: for trainings that start with what it learned on three million faces."""

from __future__ import annotations

from typing import Final

import keras
from keras import layers

from videmo.training.emotion.architectures.blocks import Design, convolve, enlarge, pool_features
from videmo.training.emotion.architectures.resnet import Stage, residual_stages

STEM: Final = 32
STAGES: Final = (Stage(32, 3, 1), Stage(64, 4, 2), Stage(128, 3, 2), Stage(256, 3, 2))
ENLARGE: Final = 2


def embed(x: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Residual network with 27 convolutions (King, 2017, after He et al., 2016), with squeeze-excitation added.

    It is made for faces of 150 px, so that small faces are enlarged first. Its last stage, of two convolutions, is left
    out: what is pooled there tells people apart, and a face of 48 px has shrunk to 3 x 3 places before it.
    """
    x = enlarge(x, ENLARGE, dtype=design.dtype)
    x = convolve(x, design.channels(STEM), kernel=7, stride=2, name="stem", dtype=design.dtype)
    x = layers.Activation("relu", name="stem_relu", dtype=design.dtype)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool", dtype=design.dtype)(x)
    return pool_features(residual_stages(x, STAGES, design))

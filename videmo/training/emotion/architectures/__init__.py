"""Trunks: what turns a face into features, one file for each family, backend-neutral Keras layers only.

A new family is one file with a function `embed` and one line in `ARCHITECTURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import keras

from videmo.training.emotion.architectures import (
    cnn4,
    convnext,
    efficientnet,
    efficientnet_lite,
    face_resnet,
    mini_xception,
    resnet,
    vgg13,
)
from videmo.training.emotion.architectures.blocks import Design

__all__ = ["ARCHITECTURES", "LEARNING_RATES", "Design", "Trunk"]

Trunk = Callable[[keras.KerasTensor, Design], keras.KerasTensor]
"""From normalised faces (n, height, width, 1) and a design to float32 features (n, channels).

Every layer has a name of its own, by which weights find their place in another copy of the network. A trunk is fully
convolutional, so that the side may grow while it trains; made for sides of 48 to 96 px, it takes any from 24 px.
"""

ARCHITECTURES: Final[Mapping[str, Trunk]] = {
    "cnn4": cnn4.embed,
    "mini_xception": mini_xception.embed,
    "vgg13": vgg13.embed,
    "resnet": resnet.embed,
    "face_resnet": face_resnet.embed,
    "efficientnet": efficientnet.embed,
    "efficientnet_lite": efficientnet_lite.embed,
    "convnext": convnext.embed,
}
"""Trunks by name, the oldest first."""

LEARNING_RATES: Final[Mapping[str, float]] = {"vgg13": 1e-3, "convnext": 1e-3}
"""Highest learning rate of the families that do not begin to learn at the one of `Schedule`."""

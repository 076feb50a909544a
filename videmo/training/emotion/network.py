"""Networks that read an expression from a small gray face: a trunk of `architectures`, a linear head per label set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import keras
from keras import layers

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import UsageError
from videmo.training.emotion.architectures import ARCHITECTURES, Design

HEADS: Final = {"ferplus": EMOTIONS, "fer2013": FER2013_EMOTIONS}
"""Label set of each head of a network in training."""
PIXEL_NOISE = 4.0
"""Gray levels below which contrast is taken for noise when a face is normalised."""


def build_network(
    arch: str, heads: Mapping[str, int], design: Design | None = None, *, dropout: float = 0.2
) -> keras.Model:
    """Builds one trunk with a linear head for each label set.

    Args:
        arch: A name in `ARCHITECTURES`.
        heads: Number of labels by head name.
        design: Size and training of the trunk; heads always compute in float32.
        dropout: Share of the features dropped before the heads in training.

    Returns:
        A model from gray faces (n, height, width, 1), values 0..255, to float32 logits (n, labels) by head name.
        Trunks are fully convolutional: any side from 24 px works.

    Raises:
        UsageError: No network is called `arch`.

    Example:
        >>> build_network("resnet", {"ferplus": 8, "fer2013": 7}).output_names
        ['fer2013', 'ferplus']
    """
    faces = keras.Input((None, None, 1), name="faces")
    features = layers.Dropout(dropout, name="dropout")(embed_faces(arch, faces, design or Design()))
    logits = {name: layers.Dense(count, name=name, dtype="float32")(features) for name, count in heads.items()}
    return keras.Model(faces, logits, name=arch)


def embed_faces(arch: str, faces: keras.KerasTensor, design: Design) -> keras.KerasTensor:
    """Returns features (n, channels) of faces (n, height, width, 1), each first set to zero mean and unit contrast.

    Raises:
        UsageError: No network is called `arch`.
    """
    if arch not in ARCHITECTURES:
        raise UsageError(f"unknown network {arch!r}: known are {', '.join(ARCHITECTURES)}")
    normalise = layers.GroupNormalization(
        groups=1, epsilon=PIXEL_NOISE**2, center=False, scale=False, dtype="float32", name="normalise"
    )
    return ARCHITECTURES[arch](normalise(faces), design)


def export_head(
    model: keras.Model, arch: str, head: str, design: Design | None = None, *, side_px: int = 48
) -> keras.Model:
    """Cuts one head out of a trained network as a float32 model of fixed input size, ready to be saved.

    Args:
        model: A trained network of `build_network`.
        arch: Its architecture.
        head: Name of the head to keep.
        design: Its design; what is only for training is left out.
        side_px: Side of the square input.

    Returns:
        A model from (n, side_px, side_px, 1), values 0..255, to float32 logits (n, labels).
    """
    design = design or Design()
    faces = keras.Input((side_px, side_px, 1), name="faces")
    features = embed_faces(arch, faces, Design(width=design.width, depth=design.depth))
    trained = model.get_layer(head)
    exported = keras.Model(faces, layers.Dense(trained.units, name=head)(features), name=f"{head}_{arch}")
    for layer in exported.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return exported

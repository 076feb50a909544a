"""Networks that read an expression from a small gray face, written with backend-neutral Keras layers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
from keras import layers

from videmo.errors import UsageError

Trunk = Callable[[keras.KerasTensor, str], keras.KerasTensor]

WIDTHS = (48, 96, 192)
BLOCKS = (2, 2, 1)
PIXEL_NOISE = 4.0
"""Gray levels below which contrast is taken for noise when a face is normalised."""


def build_network(arch: str, heads: Mapping[str, int], *, dtype: str = "float32", dropout: float = 0.2) -> keras.Model:
    """Builds one trunk with a linear head for each label set.

    Args:
        arch: A name in `ARCHITECTURES`.
        heads: Number of labels by head name.
        dtype: Keras dtype policy of the trunk, e.g. "float32" or "mixed_bfloat16"; heads always compute in float32.
        dropout: Share of the features dropped before the heads in training.

    Returns:
        A model from gray faces (n, height, width, 1), values 0..255, to float32 logits (n, labels) by head name.
        Trunks are fully convolutional: any side from 24 px works.

    Raises:
        UsageError: No network is called `arch`.

    Example:
        >>> build_network("resnet", {"ferplus": 8}).output_shape
        {'ferplus': (None, 8)}
    """
    if arch not in ARCHITECTURES:
        raise UsageError(f"unknown network {arch!r}: known are {', '.join(ARCHITECTURES)}")
    faces = keras.Input((None, None, 1), name="faces")
    features = layers.Dropout(dropout, name="dropout")(embed_faces(arch, faces, dtype))
    logits = {name: layers.Dense(count, name=name, dtype="float32")(features) for name, count in heads.items()}
    return keras.Model(faces, logits, name=arch)


def embed_faces(arch: str, faces: keras.KerasTensor, dtype: str) -> keras.KerasTensor:
    """Returns features (n, channels) of faces (n, height, width, 1), each first set to zero mean and unit contrast."""
    normalise = layers.GroupNormalization(
        groups=1, epsilon=PIXEL_NOISE**2, center=False, scale=False, dtype="float32", name="normalise"
    )
    return ARCHITECTURES[arch](normalise(faces), dtype)


def export_head(model: keras.Model, arch: str, head: str, *, side_px: int = 48) -> keras.Model:
    """Cuts one head out of a trained network as a float32 model of fixed input size, ready to be saved.

    Args:
        model: A trained network of `build_network`.
        arch: Its architecture.
        head: Name of the head to keep.
        side_px: Side of the square input.

    Returns:
        A model from (n, side_px, side_px, 1), values 0..255, to float32 logits (n, labels).
    """
    faces = keras.Input((side_px, side_px, 1), name="faces")
    features = embed_faces(arch, faces, "float32")
    trained = model.get_layer(head)
    exported = keras.Model(faces, layers.Dense(trained.units, name=head)(features), name=f"{head}_{arch}")
    for layer in exported.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return exported


def _resnet(x: keras.KerasTensor, dtype: str) -> keras.KerasTensor:
    """Residual network (He et al., 2016) with squeeze-excitation (Hu et al., 2018), halving the side in each stage."""
    x = layers.Conv2D(24, 3, padding="same", activation="relu", dtype=dtype, name="stem")(x)
    for stage, (width, blocks) in enumerate(zip(WIDTHS, BLOCKS, strict=True)):
        for block in range(blocks):
            x = _residual_block(x, width, stride=2 if block == 0 else 1, name=f"stage{stage}_block{block}", dtype=dtype)
    return layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)


def _residual_block(x: keras.KerasTensor, width: int, *, stride: int, name: str, dtype: str) -> keras.KerasTensor:
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool", dtype=dtype)(shortcut)
        shortcut = _convolve(shortcut, width, kernel=1, name=f"{name}_shortcut", dtype=dtype)
    x = _convolve(x, width, stride=stride, name=f"{name}_conv0", dtype=dtype)
    x = layers.Activation("relu", name=f"{name}_relu0", dtype=dtype)(x)
    x = _convolve(x, width, name=f"{name}_conv1", dtype=dtype)
    x = _excite(x, width, name=f"{name}_se", dtype=dtype)
    x = layers.Add(name=f"{name}_add", dtype=dtype)([x, shortcut])
    return layers.Activation("relu", name=f"{name}_relu1", dtype=dtype)(x)


def _convolve(
    x: keras.KerasTensor, width: int, *, name: str, dtype: str, kernel: int = 3, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
        dtype=dtype,
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm", dtype=dtype)(x)


def _excite(x: keras.KerasTensor, width: int, *, name: str, dtype: str) -> keras.KerasTensor:
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_pool", dtype=dtype)(x)
    gate = layers.Dense(width // 8, activation="relu", name=f"{name}_squeeze", dtype=dtype)(gate)
    gate = layers.Dense(width, activation="sigmoid", name=f"{name}_excite", dtype=dtype)(gate)
    return layers.Multiply(name=f"{name}_scale", dtype=dtype)([x, gate])


ARCHITECTURES: Mapping[str, Trunk] = {"resnet": _resnet}
"""Trunks by name: from normalised faces (n, height, width, 1) and a dtype policy to float32 features (n, channels)."""

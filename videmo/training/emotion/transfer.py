"""Fine-tuning: a training that starts with the weights of a preset."""

from __future__ import annotations

from typing import Any

import keras

from videmo.errors import UsageError
from videmo.inference.keras_network import load_model
from videmo.presets import Preset
from videmo.training.emotion.network import HEADS


def take_over(preset: Preset, network: keras.Model) -> str:
    """Gives a network of `build_network` the weights of a preset: the trunk, and the head that has the same labels.

    Heads with other labels than the preset keep their random weights.

    Returns:
        What was taken over, in one line.

    Raises:
        UsageError: The preset has another architecture or another size.
        PresetError: The preset's weights are damaged.
    """
    *trunk, head = [layer for layer in load_model(preset.check_weights()).layers if layer.weights]
    wanted = {layer.name: layer for layer in network.layers if layer.weights and layer.name not in HEADS}
    if _shapes(trunk) != _shapes(wanted.values()):
        raise UsageError(
            f"preset {preset.name} is no {network.name} of this width and depth, so that its weights do not fit: "
            "train with the same arch, width and depth as in its config.json"
        )
    for layer in trunk:
        wanted[layer.name].set_weights(layer.get_weights())
    same = [name for name, labels in HEADS.items() if labels == preset.labels]
    for name in same:
        network.get_layer(name).set_weights(head.get_weights())
    fresh = [name for name in HEADS if name not in same]
    taken = f"{len(trunk)} layers" + "".join(f" and the head {name}" for name in same)
    return f"took {taken} over from {preset.name}" + (f"; anew: the head {' and '.join(fresh)}" if fresh else "")


def _shapes(layers: Any) -> dict[str, list[tuple[int, ...]]]:
    return {layer.name: [tuple(weight.shape) for weight in layer.weights] for layer in layers}

"""Fine-tuning: a training that starts with the weights of a preset."""

from __future__ import annotations

from collections.abc import Iterable

import keras
from keras import layers

from videmo.errors import UsageError
from videmo.inference.keras_network import load_model
from videmo.presets import Preset
from videmo.training.emotion.network import HEADS


def take_over(preset: Preset, network: keras.Model) -> str:
    """Gives a network of `build_network` the weights of a preset: the trunk, and the head that has the same labels.

    Heads with other labels than the preset keep their random weights. A network may have more residual blocks than the
    preset: these pass on what they get until they have learned, so that a deeper network starts with the same answers
    (Net2DeeperNet, Chen et al., 2016; a last scale of zero, Goyal et al., 2017).

    Returns:
        What was taken over, in one line.

    Raises:
        UsageError: The preset has another architecture or another size, and is no shallower one of the same.
        PresetError: The preset's weights are damaged.
    """
    *trunk, head = [layer for layer in load_model(preset.check_weights()).layers if layer.weights]
    wanted = {layer.name: layer for layer in network.layers if layer.weights and layer.name not in HEADS}
    new = _new_blocks(network, {layer.name for layer in trunk})
    if _shapes(trunk) != _shapes(layer for name, layer in wanted.items() if not name.startswith(new)):
        raise UsageError(
            f"preset {preset.name} is no {network.name} of this width and depth, so that its weights do not fit: "
            "train with the same arch and width as in its config.json, and no less depth"
        )
    for layer in trunk:
        wanted[layer.name].set_weights(layer.get_weights())
    for block in new:
        _pass_through([layer for name, layer in wanted.items() if name.startswith(block)])
    same = [name for name, labels in HEADS.items() if labels == preset.labels]
    for name in same:
        network.get_layer(name).set_weights(head.get_weights())
    taken = f"{len(trunk)} layers" + "".join(f" and the head {name}" for name in same)
    fresh = [f"the head {name}" for name in HEADS if name not in same] + [block.rstrip("_") for block in new]
    return f"took {taken} over from {preset.name}" + (f"; anew: {' and '.join(fresh)}" if fresh else "")


def _new_blocks(network: keras.Model, known: set[str]) -> tuple[str, ...]:
    """Returns the prefixes of the names of layers in residual blocks without any known layer."""
    blocks = [layer.name.removesuffix("add") for layer in network.layers if isinstance(layer, layers.Add)]
    return tuple(block for block in blocks if not any(name.startswith(block) for name in known))


def _pass_through(block: list[keras.Layer]) -> None:
    """Scales a block's branch by zero where it is last normalised; branches without that are built as zero."""
    norms = [layer for layer in block if isinstance(layer, layers.BatchNormalization)]
    for norm in norms[-1:]:
        norm.gamma.assign(keras.ops.zeros_like(norm.gamma))


def _shapes(weighty: Iterable[keras.Layer]) -> dict[str, list[tuple[int, ...]]]:
    return {layer.name: [tuple(weight.shape) for weight in layer.weights] for layer in weighty}

"""Fine-tuning: a training that starts with the weights of a preset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.inference.keras_network import load_model
from videmo.presets import Preset
from videmo.training.emotion.network import HEADS


def take_over(preset: Preset, network: keras.Model) -> str:
    """Gives a network of `build_network` the weights of a preset: the trunk, and the head that has the same labels.

    Heads with other labels than the preset keep their random weights. A network may have more residual blocks than the
    preset: these pass on what they get until they have learned, so that a deeper network starts with the same answers
    (Net2DeeperNet, Chen et al., 2016; a last scale of zero, Goyal et al., 2017). It may also have a multiple of the
    preset's channels: each is repeated, and what reads it divides its weight among the copies by chance, so that they
    learn different things (Net2WiderNet, of the same).

    Returns:
        What was taken over, in one line.

    Raises:
        UsageError: The preset has another architecture or another size, and is no smaller one of the same.
        PresetError: The preset's weights are damaged.
    """
    *trunk, head = [layer for layer in load_model(preset.check_weights()).layers if layer.weights]
    wanted = {layer.name: layer for layer in network.layers if layer.weights and layer.name not in HEADS}
    new = _new_blocks(network, {layer.name for layer in trunk})
    if not _fits(trunk, [layer for name, layer in wanted.items() if not name.startswith(new)]):
        raise UsageError(
            f"preset {preset.name} is no {network.name} of this width and depth, so that its weights do not fit: "
            "train with the same arch and width as in its config.json, or a multiple of it, and no less depth"
        )
    rng = np.random.default_rng(0)
    for layer in trunk:
        _widen(layer, wanted[layer.name], rng)
    for block in new:
        _pass_through([layer for name, layer in wanted.items() if name.startswith(block)])
    same = [name for name, labels in HEADS.items() if labels == preset.labels]
    for name in same:
        _widen(head, network.get_layer(name), rng)
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


def _fits(known: Sequence[keras.Layer], wanted: Sequence[keras.Layer]) -> bool:
    """Whether layers have the same names and weights, or weights that are a multiple of the known ones in each axis."""
    sizes, larger = _shapes(known), _shapes(wanted)
    if {name: len(shape) for name, shape in sizes.items()} != {name: len(shape) for name, shape in larger.items()}:
        return False
    return all(
        more % size == 0 for name, shape in sizes.items() for size, more in zip(shape, larger[name], strict=True)
    )


def _shapes(weighty: Iterable[keras.Layer]) -> dict[str, tuple[int, ...]]:
    """Returns the sizes of all weights of each layer in a row."""
    return {layer.name: tuple(size for weight in layer.weights for size in weight.shape) for layer in weighty}


def _widen(known: keras.Layer, wanted: keras.Layer, rng: np.random.Generator) -> None:
    """Gives a layer the weights of one with fewer channels, each channel repeated; or just the weights."""
    mixing, weights = _mixing_kernel(wanted), []
    for weight, variable in zip(known.get_weights(), wanted.weights, strict=True):
        times = [large // small for small, large in zip(weight.shape, variable.shape, strict=True)]
        tiled = np.tile(weight, times)
        if variable is mixing:
            tiled *= _shares(tiled.shape, times[-2], rng)
        weights.append(tiled)
    wanted.set_weights(weights)


def _mixing_kernel(layer: keras.Layer) -> keras.Variable | None:
    """Returns the kernel (..., inputs, outputs) of a layer whose outputs read all inputs, None of others."""
    if isinstance(layer, layers.SeparableConv2D):
        return layer.pointwise_kernel
    return layer.kernel if isinstance(layer, layers.Dense | layers.Conv2D) else None


def _shares(shape: tuple[int, ...], copies: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns random shares, shaped as a kernel (..., inputs, outputs); those of an input's copies have a sum of 1."""
    *places, inputs, outputs = shape
    parts = rng.dirichlet([1.0] * copies, (*places, inputs // copies, outputs))
    return np.moveaxis(parts, -1, -3).reshape(shape).astype(np.float32)

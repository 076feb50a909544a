"""A training that starts with the weights of a preset: the same network, or one with fewer channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.inference.keras_network import load_model
from videmo.presets import Preset
from videmo.training.detector.network import BLANK, HEAD_DEPTH, SIZES, STRIDES, build_network
from videmo.training.detector.pictures import LabelledPicture

_LOOKED_AT: Final = 80
_SIDE_PX: Final = 320
_PER_CALL: Final = 8
_ANSWERS: Final = ("score", "centre", "side", "landmarks")

Read = tuple[str, str]
"""A layer, and one that reads what it gives."""
Kept = dict[tuple[str, str], NDArray[np.intp]]
"""Channels that stay, by ("in", layer that reads them) and ("out", layer that writes them)."""


def take_over(preset: Preset, network: keras.Model, pictures: Sequence[LabelledPicture]) -> None:
    """Gives a network of `build_network` the weights of a preset.

    Where it has fewer channels, those stay that matter most: whose values, squared and averaged over pictures, times
    the squared weights that read them, are largest (weights times what they read, as in Wanda, Sun et al., 2024).

    Args:
        preset: A detector.
        network: What is to be trained.
        pictures: Some of them tell how large the values are.

    Raises:
        UsageError: The preset is no network of this family, or has fewer channels.
        PresetError: The preset's weights are damaged.
    """
    wide, blocks = _rebuild(preset)
    kept: Kept = {}
    for writers, reads in _groups(blocks):
        channels, wanted = wide.get_layer(writers[0]).filters, network.get_layer(writers[0]).filters
        if wanted > channels:
            raise UsageError(f"preset {preset.name} has fewer channels than this size: start with a wider one")
        if wanted < channels:
            rows = np.sort(np.argsort(-_importance(wide, reads, pictures), kind="stable")[:wanted])
            kept |= {("out", writer): rows for writer in writers} | {("in", reader): rows for _, reader in reads}
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_narrowed(wide.get_layer(layer.name), kept))


def _rebuild(preset: Preset) -> tuple[keras.Model, tuple[int, ...]]:
    """Returns the preset as a network of `build_network`, and the blocks in each of its stages."""
    weights = load_model(preset.check_weights()).get_weights()
    for size in SIZES:
        network = build_network(size)
        if [value.shape for value in weights] == [tuple(weight.shape) for weight in network.weights]:
            network.set_weights(weights)
            return network, SIZES[size].blocks
    raise UsageError(f"preset {preset.name} is no network of videmo train detector: its weights do not fit")


def _groups(blocks: tuple[int, ...]) -> Iterator[tuple[list[str], list[Read]]]:
    """Yields layers that write the same channels, and who reads these."""
    for stage, count in enumerate(blocks):
        names = [f"stage{stage}_block{block}" for block in range(count)]
        last = f"{names[-1]}_add" if names else f"stage{stage}_down_relu"
        after = [f"pyramid{2 << stage}"] if 2 << stage in STRIDES else []
        after.append(f"stage{stage + 1}_down" if stage + 1 < len(blocks) else f"pyramid{STRIDES[-1]}")
        given = [f"stage{stage}_down_relu", *(f"{name}_add" for name in names)]
        reads = [*zip(given, names, strict=False), *((last, reader) for reader in after)]
        yield [f"stage{stage}_down", *names], reads
    for depth in range(HEAD_DEPTH):
        readers = [f"head{depth + 1}"] if depth + 1 < HEAD_DEPTH else _ANSWERS
        given = [f"head{depth}_relu{stride}" for stride in STRIDES]
        yield [f"head{depth}"], [(layer, reader) for layer in given for reader in readers]


def _importance(
    network: keras.Model, reads: Iterable[Read], pictures: Sequence[LabelledPicture]
) -> NDArray[np.float32]:
    readers = defaultdict(list)
    for given, reader in reads:
        readers[given].append(network.get_layer(reader).get_weights()[0])
    shown = _show(pictures[:: max(1, len(pictures) // _LOOKED_AT)])
    seen = keras.Model(network.input, [network.get_layer(name).output for name in readers])
    values = seen.predict(shown, batch_size=_PER_CALL, verbose=0)
    strengths = [np.square(value).mean(axis=(0, 1, 2)) for value in (values if isinstance(values, list) else [values])]
    weights = [sum(np.square(kernel).sum(axis=(0, 1, 3)) for kernel in kernels) for kernels in readers.values()]
    total: NDArray[np.float32] = np.sum([a * b for a, b in zip(strengths, weights, strict=True)], axis=0)
    return total


def _show(pictures: Sequence[LabelledPicture]) -> NDArray[np.float32]:
    """Returns the upper left of each picture, filled up: (n, side, side, 3)."""
    shown = np.full((len(pictures), _SIDE_PX, _SIDE_PX, 3), BLANK, np.float32)
    for row, picture in zip(shown, pictures, strict=True):
        part = picture.image[:_SIDE_PX, :_SIDE_PX]
        row[: part.shape[0], : part.shape[1]] = part
    return shown


def _narrowed(layer: keras.Layer, kept: Kept) -> list[NDArray[Any]]:
    """Returns the weights of a layer for the channels that are kept of what it reads and writes."""
    writer = layer.name.split("_norm")[0]
    values = [np.asarray(value) for value in layer.get_weights()]
    if ("in", layer.name) in kept:
        values[0] = values[0][:, :, kept["in", layer.name]]
    return [value[..., kept["out", writer]] if ("out", writer) in kept else value for value in values]

"""Expressions by a preset: logits from the network, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, UInt8Array
from videmo.errors import PresetError
from videmo.inference import Network, choose_engine
from videmo.presets import Preset, find_preset
from videmo.settings import Settings

GPU_BATCH = 256
CPU_BATCH = 32


class PresetClassifier:
    """Runs an emotion preset on gray crops; probabilities are softmax(logits / temperature) (Guo et al., 2017)."""

    def __init__(self, preset: Preset, network: Network, batch_size: int) -> None:
        self.labels: Sequence[str] = preset.labels
        self.batch_size = batch_size
        self.crop_side_px = preset.side_px
        self._temperature = preset.number("temperature", 1e-3, 1e3)
        self._network = network
        self._check(preset)

    def classify(self, crops: UInt8Array) -> Float32Array:
        """Return probabilities (n, E) float32 of crops (n, S, S, 1) uint8."""
        return probabilities(self._network(crops), self._temperature)

    def _check(self, preset: Preset) -> None:
        """Raise PresetError when the network is not what the card says; it is compiled by its first batch."""
        side_px, labels = self.crop_side_px, len(self.labels)
        inputs, outputs = self._network.input_shape, self._network.output_shape
        if inputs != (side_px, side_px, 1):
            raise PresetError(f"preset {preset.name}: gray faces of {side_px} px but inputs of shape {inputs}")
        if outputs != (labels,):
            raise PresetError(f"preset {preset.name}: {labels} labels but outputs of shape {outputs}")


def probabilities(logits: NDArray[Any], temperature: float) -> Float32Array:
    """Return calibrated probabilities (n, E) float32 of logits (n, E)."""
    # As scipy.special.softmax does, whose import would make every run start later.
    scaled = logits / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def build(settings: Settings) -> PresetClassifier:
    """Return the classifier that the settings name; raises PresetError or UsageError (device, runtime)."""
    preset = find_preset(settings.model, "emotion")
    engine = choose_engine(settings.device, settings.runtime)
    batch_size = settings.batch_size or (GPU_BATCH if engine.device == "gpu" else CPU_BATCH)
    return PresetClassifier(preset, engine.load(preset, batch_size=batch_size), batch_size)

"""Expressions by a Keras preset: logits from the network, calibrated probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from videmo.datatypes import Float32Array, UInt8Array
from videmo.errors import PresetError
from videmo.inference import KerasModel, choose_device
from videmo.presets import Preset, find_preset
from videmo.settings import Settings

GPU_BATCH = 256
CPU_BATCH = 32


class KerasClassifier:
    """Runs an emotion preset on gray crops; probabilities are softmax(logits / temperature) (Guo et al., 2017)."""

    def __init__(self, preset: Preset, batch_size: int) -> None:
        self.labels: Sequence[str] = preset.labels
        self.batch_size = batch_size
        self.crop_side_px = int(preset.config["input"]["height_px"])
        self._temperature = float(preset.config["temperature"])
        self._model = KerasModel(preset.check_weights(), batch_size=batch_size)
        self._check(preset)
        self._model.warm_up()

    def classify(self, crops: UInt8Array) -> Float32Array:
        """Return probabilities (n, E) float32 of crops (n, S, S, 1) uint8."""
        return probabilities(self._model(crops), self._temperature)

    def _check(self, preset: Preset) -> None:
        """Raise PresetError when the network does not do what the card says."""
        outputs = self._model(np.zeros((1, self.crop_side_px, self.crop_side_px, 1), np.float32)).shape
        if outputs != (1, len(self.labels)):
            raise PresetError(f"preset {preset.name}: {len(self.labels)} labels but outputs of shape {outputs}")


def probabilities(logits: NDArray[Any], temperature: float) -> Float32Array:
    """Return calibrated probabilities (n, E) float32 of logits (n, E)."""
    return np.asarray(softmax(logits / temperature, axis=1), np.float32)


def build(settings: Settings) -> KerasClassifier:
    """Return the classifier that the settings name; raises PresetError or UsageError (device)."""
    preset = find_preset(settings.model, "emotion")
    device = choose_device(settings.device)
    return KerasClassifier(preset, settings.batch_size or (GPU_BATCH if device == "gpu" else CPU_BATCH))

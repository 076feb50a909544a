"""What a preset's card says of its network is checked before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from videmo.emotion.preset_classifier import PresetClassifier
from videmo.errors import PresetError
from videmo.presets import find_preset

PRESET = find_preset("ferplus-resnet-48", "emotion")


class Zeros:
    """A network of given shapes that must not be run before its shapes were found to be right."""

    def __init__(self, input_shape: tuple[int | None, ...], output_shape: tuple[int | None, ...]) -> None:
        self.input_shape, self.output_shape = input_shape, output_shape
        self.calls = 0

    def __call__(self, rows: Any) -> Any:
        self.calls += 1
        return np.zeros((len(rows), *self.output_shape), np.float32)


@pytest.mark.parametrize(
    ("input_shape", "output_shape", "said"),
    [
        ((48, 48, 1), (7,), "8 labels but outputs of shape (7,)"),
        ((48, 48, 1), (1, 8), "8 labels but outputs of shape (1, 8)"),
        ((64, 64, 1), (8,), "gray faces of 48 px but inputs of shape (64, 64, 1)"),
        ((48, 48, 3), (8,), "gray faces of 48 px but inputs of shape (48, 48, 3)"),
    ],
)
def test_a_network_unlike_its_card_is_refused_in_one_line(
    input_shape: tuple[int, ...], output_shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(PresetError) as refused:
        PresetClassifier(PRESET, Zeros(input_shape, output_shape), 4)
    assert str(refused.value) == f"preset ferplus-resnet-48: {said}"


def test_nothing_is_computed_before_the_first_faces() -> None:
    network = Zeros((48, 48, 1), (8,))
    classifier = PresetClassifier(PRESET, network, 4)
    assert network.calls == 0
    assert classifier.classify(np.zeros((3, 48, 48, 1), np.uint8)).tolist() == [[0.125] * 8] * 3

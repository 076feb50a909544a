from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from videmo.detection.neural import load
from videmo.errors import PresetError
from videmo.inference import Engine
from videmo.training.detector.export import write_detector
from videmo.training.detector.network import BLANK, COLUMNS, STRIDES, build_network, export_network

pytestmark = [
    pytest.mark.usefixtures("small_network"),
    # Keras' own way to read a TensorFlow variable when it saves a model.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]

ENGINE = Engine("openvino", "cpu")


def half(values: np.ndarray) -> np.ndarray:
    """Rounds as presets do."""
    return values.astype(np.float16).astype(np.float32)


def test_cells_go_by_level_and_row_and_know_their_place() -> None:
    network = build_network()

    cells = np.asarray(network.predict_on_batch(np.zeros((1, 64, 96, 3), np.float32)))[0, :, COLUMNS:]

    counts = [-(-64 // stride) * -(-96 // stride) for stride in STRIDES]
    assert cells[:, 2].tolist() == np.repeat(STRIDES, counts).tolist()
    np.testing.assert_array_equal(cells[:3, :2], [[4, 4], [12, 4], [20, 4]])
    np.testing.assert_array_equal(cells[12, :2], [4, 12])
    np.testing.assert_array_equal(cells[-1, :2], [96, 32])


def test_a_young_network_expects_no_face() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3)).astype(np.float32)

    logits = np.asarray(build_network().predict_on_batch(pictures))[0, :, 0]

    assert -12 < logits.mean() < -2


def test_padding_says_nothing_to_the_first_layer() -> None:
    rescale = build_network().get_layer("rescale")

    assert not np.asarray(rescale(np.full((1, 8, 8, 3), BLANK, np.float32))).any()


def test_a_written_preset_answers_like_the_trained_network(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    trained = build_network(dtype="mixed_bfloat16")
    pictures = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3)).astype(np.float32)
    exported = export_network(trained)

    preset = write_detector(exported, tmp_path / "mine", min_score=0.01, trained_with={"steps": 0})
    detector = load(preset, ENGINE, batch_size=2)
    found = detector.detect([pictures[0].astype(np.uint8), pictures[1, :50].astype(np.uint8)])

    expected = build_network()
    expected.set_weights([half(values) for values in trained.get_weights()])
    cells = np.asarray(expected.predict_on_batch(pictures[:1]))[0, :, :COLUMNS]
    best = cells[cells[:, 0].argmax()]
    np.testing.assert_allclose(found[0].boxes[0], np.clip(best[1:5], 0, [96, 64, 96, 64]), atol=1e-2)
    assert (preset.task, preset.labels, preset.config["min_score"]) == ("detection", ("face",), 0.01)
    assert found[1].boxes[:, 3].max(initial=0) <= 50


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    pictures = keras.Input((None, None, 3))
    cells = keras.layers.Reshape((-1, 4))(keras.layers.Conv2D(4, 32, strides=32)(pictures))
    preset = write_detector(keras.Model(pictures, cells), tmp_path / "odd", min_score=0.5, trained_with={})

    with pytest.raises(PresetError, match=r"expected 15 values for each cell, got \(None, 4\)"):
        load(preset, ENGINE, batch_size=1)

    faces = keras.Input((48, 48, 1))
    preset = write_detector(keras.Model(faces, faces), tmp_path / "gray", min_score=0.5, trained_with={})
    with pytest.raises(PresetError, match="expected RGB pictures of any size"):
        load(preset, ENGINE, batch_size=1)

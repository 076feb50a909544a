from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from videmo.emotion.labels import EMOTIONS
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.inference import Engine
from videmo.training.emotion.architectures import ARCHITECTURES, Design
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.export import export_preset
from videmo.training.emotion.fit import Training
from videmo.training.emotion.network import HEADS, build_network
from videmo.training.emotion.recipe import Recipe

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TINY = 0.125
COUNTS = {head: len(labels) for head, labels in HEADS.items()}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_architecture_trains_for_an_epoch_and_becomes_a_preset_that_classifies(
    arch: str, ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    recipe = replace(small_recipe, arch=arch, width=TINY, depth=0.1, drop_path=0.1, epochs=1)
    training = Training(recipe, training_faces(splits), splits["valid"], tmp_path / "run")
    before = training.model.get_weights()

    training.run()
    export_preset(tmp_path / "run", "ferplus", splits, tmp_path / "mine")

    assert np.isfinite([training.history[0]["loss"], training.history[0]["score"]]).all()
    moved = [not np.allclose(old, new) for old, new in zip(before, training.model.get_weights(), strict=True)]
    assert np.mean(moved) > 0.8
    assert_both_runtimes_agree(tmp_path / "mine", splits["test"].images)


def assert_both_runtimes_agree(folder: Path, images: np.ndarray) -> None:
    """Both give probabilities of the eight labels, the same ones."""
    from videmo.presets import read_preset

    preset = read_preset(folder)
    answers = [
        PresetClassifier(preset, Engine(runtime, "cpu", strict=True).load(preset, batch_size=16), 16).classify(
            images[..., None]
        )
        for runtime in ("keras", "openvino")
    ]
    assert preset.labels == EMOTIONS
    assert answers[0].shape == (len(images), len(EMOTIONS))
    np.testing.assert_allclose(answers[0].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-4)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_trunk_takes_faces_of_any_side_and_names_no_layer_twice(arch: str) -> None:
    network = build_network(arch, COUNTS, Design(width=TINY, depth=0.1))

    names = [layer.name for layer in network.layers]
    assert len(set(names)) == len(names)
    for side_px in (24, 48, 96):
        faces = np.random.default_rng(0).integers(0, 256, (2, side_px, side_px, 1)).astype(np.float32)
        logits = network.predict_on_batch(faces)
        assert {head: values.shape for head, values in logits.items()} == {"ferplus": (2, 8), "fer2013": (2, 7)}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_width_gives_a_network_more_parameters(arch: str) -> None:
    narrow, wide = (build_network(arch, COUNTS, Design(width=width, depth=0.1)) for width in (0.25, 0.5))

    assert wide.count_params() > 1.5 * narrow.count_params()


@pytest.mark.parametrize("arch", ["resnet", "efficientnet", "convnext"])
def test_depth_gives_a_network_more_blocks(arch: str) -> None:
    shallow, deep = (build_network(arch, COUNTS, Design(width=TINY, depth=depth)) for depth in (1, 2))

    assert len(deep.layers) > 1.5 * len(shallow.layers)


def test_drop_path_skips_more_of_the_later_blocks_and_only_in_training() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (4, 24, 24, 1)).astype(np.float32)
    network = build_network("resnet", COUNTS, Design(width=TINY, drop_path=0.5), dropout=0.0)
    rates = [layer.rate for layer in network.layers if layer.name.endswith("_drop")]

    assert rates == sorted(rates)
    assert (rates[0], rates[-1]) == (0.1, 0.5)
    plain, again = (network(faces, training=False)["ferplus"] for _ in range(2))
    np.testing.assert_array_equal(plain, again)
    dropped, other = (network(faces, training=True)["ferplus"] for _ in range(2))
    assert not np.allclose(dropped, other)

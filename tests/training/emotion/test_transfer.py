from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import PresetError, UsageError
from videmo.presets import Preset
from videmo.training.card import write_model
from videmo.training.emotion.architectures import Design
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.fit import Training
from videmo.training.emotion.network import HEADS, build_network, export_head
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.transfer import take_over

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TINY = Design(width=0.125)
COUNTS = {head: len(labels) for head, labels in HEADS.items()}
FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)


@pytest.fixture
def make_preset(tmp_path: Path):
    def make(labels: tuple[str, ...]) -> Preset:
        network = export_head(build_network("resnet", {"head": len(labels)}, TINY), "resnet", "head", TINY)
        return write_model(network, tmp_path / f"labels{len(labels)}", labels=labels, temperature=1.0)

    return make


@pytest.mark.parametrize(
    ("labels", "same", "fresh"), [(EMOTIONS, "ferplus", "fer2013"), (FER2013_EMOTIONS, "fer2013", "ferplus")]
)
def test_trunk_and_the_head_of_the_same_labels_are_taken_over(make_preset, labels, same: str, fresh: str) -> None:
    preset = make_preset(labels)
    network = build_network("resnet", COUNTS, TINY)
    untouched = network.get_layer(fresh).get_weights()

    told = take_over(preset, network)

    assert told.endswith(f"and the head {same} over from {preset.name}; anew: the head {fresh}")
    from videmo.inference.keras_network import load_model

    expected = load_model(preset.weights).predict_on_batch(FACES)
    np.testing.assert_allclose(network.predict_on_batch(FACES)[same], expected, atol=1e-5)
    for kept, weights in zip(untouched, network.get_layer(fresh).get_weights(), strict=True):
        np.testing.assert_array_equal(weights, kept)


def test_with_other_labels_both_heads_start_anew(make_preset) -> None:
    told = take_over(make_preset(("smile", "none")), build_network("resnet", COUNTS, TINY))

    assert told.endswith("over from labels2; anew: the head ferplus and the head fer2013")


@pytest.mark.parametrize(("arch", "width"), [("cnn4", 0.125), ("resnet", 0.2), ("resnet", 0.0625)])
def test_another_architecture_or_width_is_refused_in_one_line(make_preset, arch: str, width: float) -> None:
    with pytest.raises(UsageError, match=f"preset labels8 is no {arch} of this width and depth"):
        take_over(make_preset(EMOTIONS), build_network(arch, COUNTS, Design(width=width)))


@pytest.mark.parametrize("arch", ["resnet", "efficientnet", "convnext"])
def test_a_deeper_network_starts_with_the_answers_of_the_shallower_and_its_newest_block_learns(
    arch: str, tmp_path: Path
) -> None:
    shallow = export_head(build_network(arch, {"head": len(EMOTIONS)}, TINY), arch, "head", TINY)
    preset = write_model(shallow, tmp_path / "shallow", labels=EMOTIONS, temperature=1.0)
    deeper = build_network(arch, COUNTS, replace(TINY, depth=3.0))

    told = take_over(preset, deeper)

    assert "anew: the head fer2013 and stage" in told
    expected = shallow.predict_on_batch(FACES)
    np.testing.assert_allclose(deeper.predict_on_batch(FACES)["ferplus"], expected, atol=1e-5)
    newest = told.split(" and ")[-1]
    branch = keras.Model(deeper.inputs, deeper.get_layer(f"{newest}_add").input[0])
    assert not branch.predict_on_batch(FACES).any()
    deeper.compile(keras.optimizers.SGD(1.0), loss=dict.fromkeys(HEADS, keras.losses.CategoricalCrossentropy(True)))
    targets = {head: np.eye(count, dtype=np.float32)[:3] for head, count in COUNTS.items()}
    deeper.train_on_batch(FACES, targets)
    assert branch.predict_on_batch(FACES).any()


@pytest.mark.parametrize(
    ("arch", "narrow", "wide"),
    [("resnet", 1 / 3, 2 / 3), ("efficientnet", 1 / 8, 1 / 4), ("convnext", 1 / 3, 1.0), ("mini_xception", 1.0, 2.0)],
)
def test_a_wider_network_starts_with_the_answers_of_the_narrower_and_its_channels_learn_different_things(
    arch: str, narrow: float, wide: float, tmp_path: Path
) -> None:
    small = Design(width=narrow)
    network = export_head(build_network(arch, {"head": len(EMOTIONS)}, small), arch, "head", small)
    preset = write_model(network, tmp_path / "narrow", labels=EMOTIONS, temperature=1.0)
    wider = build_network(arch, COUNTS, replace(small, width=wide))

    take_over(preset, wider)

    expected = network.predict_on_batch(FACES)
    np.testing.assert_allclose(wider.predict_on_batch(FACES)["ferplus"], expected, atol=1e-4)
    features = keras.Model(wider.inputs, wider.get_layer("features").output)
    copies = round(wide / narrow)

    def spread() -> float:
        return float(np.ptp(features.predict_on_batch(FACES).reshape(len(FACES), copies, -1), axis=1).max())

    assert spread() < 1e-4
    wider.compile(keras.optimizers.SGD(1.0), loss=dict.fromkeys(HEADS, keras.losses.CategoricalCrossentropy(True)))
    targets = {head: np.eye(count, dtype=np.float32)[:3] for head, count in COUNTS.items()}
    wider.train_on_batch(FACES, targets)
    assert spread() > 1e-2


def test_a_shallower_network_cannot_start_with_a_deeper_one(tmp_path: Path) -> None:
    deep = replace(TINY, depth=2.0)
    network = export_head(build_network("resnet", {"head": len(EMOTIONS)}, deep), "resnet", "head", deep)
    preset = write_model(network, tmp_path / "deep", labels=EMOTIONS, temperature=1.0)

    with pytest.raises(UsageError, match="deep is no resnet of this width and depth"):
        take_over(preset, build_network("resnet", COUNTS, TINY))


def test_a_training_starts_with_the_preset_that_its_recipe_names(
    make_preset, ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    preset = make_preset(EMOTIONS)
    recipe = replace(small_recipe, width=0.125, init=str(preset.folder))

    training = Training(recipe, training_faces(splits), splits["valid"], tmp_path / "run")

    assert training.started_with is not None
    from videmo.inference.keras_network import load_model

    expected = load_model(preset.weights).predict_on_batch(FACES)
    np.testing.assert_allclose(training.model.predict_on_batch(FACES)["ferplus"], expected, atol=1e-5)
    np.testing.assert_array_equal(training.average[0], training.model.get_weights()[0])
    with pytest.raises(PresetError, match="unknown preset 'no_such_preset'"):
        Training(replace(recipe, init="no_such_preset"), training.train, training.valid, tmp_path / "run")

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.errors import UsageError
from videmo.inference import Engine
from videmo.presets import Preset
from videmo.training.card import write_model
from videmo.training.emotion.architectures import Design
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.ensemble import build_ensemble, write_ensemble
from videmo.training.emotion.network import build_network, export_head

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TINY = Design(width=0.125)


@pytest.fixture
def make_preset(tmp_path: Path):
    def make(name: str, temperature: float = 0.05) -> Preset:
        network = export_head(build_network("cnn4", {"head": len(EMOTIONS)}, TINY), "cnn4", "head", TINY)
        return write_model(network, tmp_path / name, labels=EMOTIONS, temperature=temperature)

    return make


def classify(preset: Preset, images: np.ndarray, runtime: str = "keras") -> np.ndarray:
    network = Engine(runtime, "cpu", strict=True).load(preset, batch_size=16)
    return PresetClassifier(preset, network, 16).classify(images[..., None])


def test_an_ensemble_gives_the_mean_of_its_members_probabilities_on_both_runtimes(make_preset, tmp_path: Path) -> None:
    members = [make_preset("one"), make_preset("two", 0.1)]
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)

    preset = write_ensemble(members, tmp_path / "both")

    expected = np.mean([classify(member, images) for member in members], axis=0)
    assert expected.std(axis=1).min() > 0.01
    for runtime in ("keras", "openvino"):
        np.testing.assert_allclose(classify(preset, images, runtime), expected, atol=1e-4)
    assert preset.config["trained_with"]["members"][1] == {"name": "two", "weights_sha256": members[1].sha256}


def test_with_mirrors_a_face_and_its_mirror_get_the_same_answer(make_preset, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    members = [make_preset("one", 1.0), make_preset("two", 2.0)]
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)
    views = [classify(member, faces) for member in members for faces in (images, images[:, :, ::-1])]
    assert np.abs(views[0] - views[1]).max() > 0.01

    both = write_ensemble(members, tmp_path / "both", mirror=True)
    alone = write_ensemble(members[:1], tmp_path / "alone", mirror=True)

    for runtime in ("keras", "openvino"):
        np.testing.assert_allclose(classify(both, images, runtime), np.mean(views, axis=0), atol=1e-4)
        np.testing.assert_allclose(classify(alone, images, runtime), np.mean(views[:2], axis=0), atol=1e-4)
    assert both.config["trained_with"]["mirror"] is True
    assert both.config["parameters"] == 2 * alone.config["parameters"]


def test_with_faces_the_temperature_is_fitted_and_the_card_names_the_members(
    make_preset, ferplus_folder: Path, tmp_path: Path
) -> None:
    members = [make_preset("one"), make_preset("two")]

    preset = write_ensemble(members, tmp_path / "both", read_faces(ferplus_folder))

    assert preset.config["temperature"] != 1.0
    assert (preset.folder / "metrics.json").is_file()
    assert "`videmo train ensemble`: the mean of the probabilities of one, two" in (
        preset.folder / "README.md"
    ).read_text(encoding="utf-8")


def test_members_of_different_kinds_are_refused(make_preset) -> None:
    one = make_preset("one")

    for what, value in (("labels", list(FER2013_EMOTIONS)), ("input", {"height_px": 64, "width_px": 64})):
        other = replace(one, name="two", config=one.config | {what: value})
        with pytest.raises(UsageError, match=f"two and one differ in their {what}"):
            build_ensemble([one, other])
    with pytest.raises(UsageError, match="ensemble of 1 preset: name two or more, or one with --mirror"):
        build_ensemble([one])
    with pytest.raises(UsageError, match="ensemble of 0 preset"):
        build_ensemble([], mirror=True)

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import DataError, PresetError
from videmo.presets import read_preset
from videmo.training.emotion.cases import protocols
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.evaluate import evaluate
from videmo.training.emotion.export import check_measurable, export_preset
from videmo.training.emotion.fit import Training
from videmo.training.emotion.recipe import Recipe

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.usefixtures("small_network")
def test_a_training_becomes_presets_whose_figures_evaluate_reproduces(
    ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    training = Training(small_recipe, training_faces(splits), splits["valid"], tmp_path / "run")
    training.run()

    written = export_preset(tmp_path / "run", "ferplus", splits, tmp_path / "models" / "mine")

    preset = read_preset(tmp_path / "models" / "mine")
    assert preset.labels == EMOTIONS
    assert preset.config["temperature"] > 0
    assert preset.config["trained_with"]["recipe"]["seed"] == 0
    assert evaluate(preset, splits) == written
    assert json.loads((preset.folder / "metrics.json").read_text())["results"] == written
    sizes = {(r["protocol"], r["split"], r["deduplicated"]): r["n"] for r in written}
    assert sizes[("ferplus-majority", "test", False)] == 14
    assert sizes[("ferplus-majority", "test", True)] == 13
    card = (preset.folder / "README.md").read_text()
    assert "# mine" in card
    assert "| ferplus-majority | test | yes | 13 |" in card
    assert "Forbidden use" in card


@pytest.mark.usefixtures("small_network")
def test_data_without_test_faces_give_a_preset_whose_card_says_so(
    ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    splits["test"] = splits["test"].select(slice(0, 0))
    check_measurable(splits, "ferplus")
    Training(replace(small_recipe, epochs=1), training_faces(splits), splits["valid"], tmp_path / "run").run()

    written = export_preset(tmp_path / "run", "ferplus", splits, tmp_path / "mine")

    assert {figures["split"] for figures in written} == {"valid"}
    card = (tmp_path / "mine" / "README.md").read_text()
    assert "There were no test faces" in card
    assert "Per class (ferplus-majority, valid, n = 14)" in card


def test_faces_that_cannot_be_measured_are_told_before_the_training(ferplus_folder: Path) -> None:
    (ferplus_folder / "fer2013_labels.csv").unlink()
    splits = read_faces(ferplus_folder)

    check_measurable(splits, "ferplus")
    with pytest.raises(DataError, match="no valid face counts under the protocol fer2013"):
        check_measurable(splits, "fer2013")
    with pytest.raises(DataError, match="no validation faces"):
        check_measurable(splits | {"valid": splits["valid"].select(slice(0, 0))}, "ferplus")


def test_protocols_follow_the_labels(ferplus_folder: Path) -> None:
    faces = read_faces(ferplus_folder)["test"]

    assert list(protocols(faces, EMOTIONS)) == ["ferplus-majority", "ferplus-argmax"]
    counted, answers = protocols(faces, FER2013_EMOTIONS)["fer2013"]
    assert counted.all()
    np.testing.assert_array_equal(answers, faces.labels)
    with pytest.raises(PresetError, match="no protocol for the labels cat, dog"):
        protocols(faces, ("cat", "dog"))

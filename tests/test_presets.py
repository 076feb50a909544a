"""Presets: found in the order promised, refused when damaged, with the way out."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from videmo.errors import PresetError
from videmo.presets import find_preset, list_presets, model_folders


def make_preset(folder: Path, weights: bytes = b"weights", **changes: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(weights)
    config = {
        "schema": 1,
        "name": folder.name,
        "task": "emotion",
        "labels": ["neutral", "happiness"],
        "weights": {"file": "model.keras", "sha256": hashlib.sha256(weights).hexdigest()},
    }
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("VIDEMO_MODELS", str(folder))
    return folder


def test_named_folder_is_searched_first(models: Path) -> None:
    make_preset(models / "mine")
    assert model_folders()[0] == models
    assert find_preset("mine", "emotion").labels == ("neutral", "happiness")
    assert "mine" in [preset.name for preset in list_presets("emotion")]


def test_a_preset_can_be_named_by_its_folder(tmp_path: Path) -> None:
    assert find_preset(make_preset(tmp_path / "own"), "emotion").name == "own"


def test_unknown_preset_names_the_known_ones(models: Path) -> None:
    make_preset(models / "mine")
    with pytest.raises(PresetError, match=r"unknown preset 'yours': known for emotion are mine"):
        find_preset("yours", "emotion")


def test_wrong_task_is_refused(models: Path) -> None:
    make_preset(models / "boxes", task="detection")
    with pytest.raises(PresetError, match="made for detection, not for emotion"):
        find_preset("boxes", "emotion")


def test_changed_weights_are_refused_by_their_hash(models: Path) -> None:
    (make_preset(models / "mine") / "model.keras").write_bytes(b"other")
    with pytest.raises(PresetError, match=r"is corrupt .*reinstall videmo or restore the file"):
        find_preset("mine", "emotion").check_weights()


def test_missing_weights_are_named(models: Path) -> None:
    (make_preset(models / "mine") / "model.keras").unlink()
    with pytest.raises(PresetError, match=r"model\.keras is missing"):
        find_preset("mine", "emotion").check_weights()


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', "\x00", '{"schema": 2}'])
def test_damaged_config_is_one_line_that_names_the_file(models: Path, text: str) -> None:
    path = make_preset(models / "mine") / "config.json"
    path.write_text(text)
    with pytest.raises(PresetError, match=r"config\.json") as caught:
        find_preset("mine", "emotion")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("schema", [0, 2, "1.0", "2.0", None, True, [1], "x" * 10_000])
@pytest.mark.parametrize("task", ["emotion", "detection"])
def test_a_preset_of_an_unknown_schema_is_refused_with_the_way_out(models: Path, task: str, schema: object) -> None:
    make_preset(models / "mine", task=task, schema=schema)
    with pytest.raises(
        PresetError, match=r"config\.json: a preset of schema .{1,60}, this videmo reads 1: use the videmo"
    ):
        find_preset("mine", task)


def test_a_folder_in_the_working_directory_does_not_stand_in_for_a_known_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = find_preset("ferplus-resnet-48", "emotion")
    shutil.copytree(known.folder, tmp_path / known.name)
    shutil.copytree(known.folder, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)

    assert find_preset(known.name, "emotion").folder == known.folder
    assert find_preset(f"./{known.name}", "emotion").folder.resolve() == tmp_path / known.name
    assert find_preset("mine", "emotion").folder.resolve() == tmp_path / "mine"
    assert find_preset(tmp_path / known.name, "emotion").folder == tmp_path / known.name

"""A preset of which one byte changed is refused, on every way to a network, in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from videmo.errors import PresetError
from videmo.inference import choose_engine
from videmo.presets import find_preset

pytestmark = pytest.mark.timeout(120)  # Keras is imported, networks are built

Cli = Callable[..., tuple[int, str, str]]
EMOTION, DETECTOR = "ferplus-resnet-48", "faces-fpn-64"


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of our presets, which are found before the installed ones."""
    for name in (EMOTION, DETECTOR):
        task = "emotion" if name == EMOTION else "detection"
        shutil.copytree(find_preset(name, task).folder, tmp_path / "models" / name)
    monkeypatch.setenv("VIDEMO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.mark.parametrize("given", ["by name", "by folder"])
@pytest.mark.parametrize("name", [EMOTION, DETECTOR])
@pytest.mark.parametrize(("runtime", "file"), [("keras", "model.keras"), ("openvino", "openvino.zip")])
def test_a_byte_that_changed_is_one_line_and_exit_code_2(
    models: Path, tmp_path: Path, run_cli: Cli, runtime: str, file: str, name: str, given: str
) -> None:
    flip_a_byte(models / name / file)
    model = EMOTION if given == "by name" else models / EMOTION
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not looked at")
    code, out, err = run_cli("analyze", clip, "--out", tmp_path / "out", "--model", model, "--runtime", runtime)
    assert (code, out) == (2, "")
    assert f"{models / name / file} is corrupt (sha256 " in err
    assert err.count("\n") == 1
    assert not list((tmp_path / "out").rglob("*.parquet.partial"))


def test_no_other_runtime_stands_in_for_a_damaged_file(models: Path) -> None:
    flip_a_byte(models / EMOTION / "openvino.zip")
    with pytest.raises(PresetError, match=r"openvino\.zip is corrupt"):
        choose_engine("cpu").load(find_preset(EMOTION, "emotion"), batch_size=1)


def test_trainings_refuse_changed_weights_too(models: Path) -> None:
    from videmo.training.emotion.distil import ask_teachers
    from videmo.training.emotion.embeddings import build_embedder
    from videmo.training.emotion.ensemble import build_ensemble
    from videmo.training.emotion.network import build_network
    from videmo.training.emotion.transfer import take_over

    for file in ("model.keras", "openvino.zip"):
        flip_a_byte(models / EMOTION / file)
    damaged = find_preset(EMOTION, "emotion")
    faces = np.zeros((1, 48, 48), np.uint8)
    ways: list[Callable[[], object]] = [
        lambda: take_over(damaged, build_network("resnet", {"ferplus": 8})),
        lambda: ask_teachers([damaged], faces, 1.0),
        lambda: build_ensemble([damaged, damaged]),
        lambda: build_embedder(damaged),
    ]
    for way in ways:
        with pytest.raises(PresetError, match="is corrupt"):
            way()

"""Training on Keras' other backends, each in a process of its own: Keras takes one for its whole life."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from videmo.inference import choose_engine
from videmo.presets import read_preset
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.evaluate import evaluate

RECIPE = 'arch = "resnet"\nwidth = 0.25\nepochs = 1\nsides_px = [[0.0, 24]]\ndtype = "float32"\nbatch = 10\n'


@pytest.mark.timeout(180)  # starts another backend, which compiles each step
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_what_another_backend_trains_runs_on_tensorflow(backend: str, ferplus_folder: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install {backend}")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    options = ["--recipe", recipe, "--out", tmp_path / "mine", "--work", tmp_path / "work"]
    command = [sys.executable, "-m", "videmo", "train", "emotion", ferplus_folder, *options]
    done = subprocess.run(
        list(map(str, command)), env=os.environ | {"KERAS_BACKEND": backend}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    preset = read_preset(tmp_path / "mine")
    assert preset.config["trained_with"]["backend"] == backend
    assert not preset.has_openvino
    assert choose_engine("cpu").load(preset, batch_size=4).input_shape == (24, 24, 1)
    written = json.loads((preset.folder / "metrics.json").read_text(encoding="utf-8"))["results"]
    for there, here in zip(written, evaluate(preset, read_faces(ferplus_folder, side_px=24)), strict=True):
        assert here["ece"] == pytest.approx(there["ece"], abs=1e-4)
        assert here["accuracy"] == there["accuracy"]

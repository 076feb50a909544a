from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from videmo.detection.neural import PRESET
from videmo.presets import read_preset
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.evaluate import evaluate
from videmo.training.detector.export import load_for_measuring

FOLDER = Path(__file__).resolve().parents[3] / "models" / PRESET
FIGURES = ("ap50", "ap75", "ap", "ar", "landmark_error")
MOST_BYTES = 2_000_000


def committed_size(long_side_px: int) -> dict[str, Any]:
    results = json.loads((FOLDER / "metrics.json").read_text())["results"]
    return next(size for size in results[0]["sizes"] if size["long_side_px"] == long_side_px)


@pytest.mark.shared
@pytest.mark.timeout(180)  # finds the faces of 400 pictures
def test_committed_figures_are_those_of_the_committed_weights(shared: Path) -> None:
    preset = read_preset(FOLDER)
    pictures = read_pictures(shared / "data" / "faces_coco.zip", "val")

    found = evaluate(load_for_measuring(preset).detect, pictures, 320)

    assert json.loads((FOLDER / "metrics.json").read_text())["weights_sha256"] == preset.sha256
    expected = committed_size(320)
    assert {name: found[name] for name in FIGURES} == pytest.approx(
        {name: expected[name] for name in FIGURES}, abs=2e-3
    )


@pytest.mark.parametrize("long_side_px", [320, 480, 640])
def test_the_card_states_the_committed_figures(long_side_px: int) -> None:
    size = committed_size(long_side_px)

    assert f"| {long_side_px} | {size['ap50']:.3f} | {size['ap75']:.3f} |" in (FOLDER / "README.md").read_text()


def test_the_preset_is_small() -> None:
    preset = read_preset(FOLDER)
    assert preset.weights.stat().st_size + preset.check_openvino().stat().st_size <= MOST_BYTES

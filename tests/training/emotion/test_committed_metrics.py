from __future__ import annotations

import json
from pathlib import Path

import pytest

from videmo.presets import read_preset
from videmo.training.emotion.dataset import LabelledFaces, read_faces
from videmo.training.emotion.evaluate import evaluate

MODELS = Path(__file__).resolve().parents[3] / "models"
PRESETS = ("ferplus-resnet-48", "fer2013-resnet-48")
SHARES = ("accuracy", "balanced_accuracy", "balanced_accuracy_shared", "macro_f1", "ece")


@pytest.fixture(scope="module")
def splits(shared: Path) -> dict[str, LabelledFaces]:
    return read_faces(shared / "data" / "ferplus.zip")


@pytest.mark.shared
@pytest.mark.timeout(180)  # reads 35,706 pictures and classifies 7,151 of them
@pytest.mark.parametrize("name", PRESETS)
def test_committed_figures_are_those_of_the_committed_weights(name: str, splits: dict[str, LabelledFaces]) -> None:
    preset = read_preset(MODELS / name)
    committed = json.loads((preset.folder / "metrics.json").read_text())

    assert committed["weights_sha256"] == preset.sha256
    for expected, found in zip(committed["results"], evaluate(preset, splits), strict=True):
        assert {key: found[key] for key in ("protocol", "split", "deduplicated", "n")} == {
            key: expected[key] for key in ("protocol", "split", "deduplicated", "n")
        }
        # Another processor rounds differently: a face or two may change sides.
        assert {key: found[key] for key in SHARES} == pytest.approx({key: expected[key] for key in SHARES}, abs=2e-3)


@pytest.mark.parametrize("name", PRESETS)
def test_the_card_states_the_committed_headline(name: str) -> None:
    folder = MODELS / name
    results = json.loads((folder / "metrics.json").read_text())["results"]
    headline = next(result for result in results if result["split"] == "test" and not result["deduplicated"])

    row = f"| {headline['protocol']} | test | no | {headline['n']} | {headline['accuracy']:.3f} |"
    assert row in (folder / "README.md").read_text()

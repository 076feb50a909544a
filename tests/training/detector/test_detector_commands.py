from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from videmo.cli import evaluate_detector, train_detector
from videmo.errors import VidemoError
from videmo.training.detector import fit, recipe
from videmo.training.detector.charts import draw_precision_recall
from videmo.training.detector.recipe import Recipe

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture
def app() -> typer.Typer:
    commands = typer.Typer()
    commands.command("train")(train_detector.detector)
    commands.command("evaluate")(evaluate_detector.detector)
    return commands


@pytest.mark.usefixtures("small_network")
def test_train_writes_a_preset_and_evaluate_repeats_its_figures(
    app: typer.Typer, coco_folder: Path, tmp_path: Path, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "Recipe", lambda **asked: replace(small_recipe, gentle=asked["gentle"]))
    models, work, out = tmp_path / "models", tmp_path / "work", tmp_path / "figures.json"
    chart = tmp_path / "curve.png"

    options = ["train", coco_folder, "--out", models / "mine", "--work", work, "--gentle", 0.25]
    trained = CliRunner().invoke(app, list(map(str, options)), catch_exceptions=False)
    options = ["evaluate", models / "mine", coco_folder, "--out", out, "--chart", chart]
    evaluated = CliRunner().invoke(app, list(map(str, options)), catch_exceptions=False)

    assert (trained.exit_code, evaluated.exit_code) == (0, 0)
    assert "ap50" in trained.stdout
    assert "640 px  n 2  ap50" in evaluated.stdout
    metrics = json.loads((models / "mine" / "metrics.json").read_text())
    again = json.loads(out.read_text())
    assert again["weights_sha256"] == metrics["weights_sha256"]
    assert again["results"][0]["sizes"] == metrics["results"][0]["sizes"]
    config = json.loads((models / "mine" / "config.json").read_text())
    assert config["trained_with"]["recipe"]["gentle"] == 0.25
    card = (models / "mine" / "README.md").read_text()
    assert "# mine" in card
    assert "{" not in card
    assert (work / "mine" / "curves.png").read_bytes()[:4] == chart.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("option", "name", "told"),
    [
        ("--chart", "x.foo", "not a PNG file; give it a name that ends in .png"),
        ("--out", "folder", "folder: a folder; name a file in it"),
        ("--out", "file/x.json", "x.json: cannot be written"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    option: str, name: str, told: str, tmp_path: Path, app: typer.Typer
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(VidemoError, match=told):
        CliRunner().invoke(
            app, ["evaluate", "no-such-preset", "no-such-data", option, str(tmp_path / name)], catch_exceptions=False
        )


def test_a_precision_recall_chart_has_a_panel_for_each_size(tmp_path: Path) -> None:
    sizes = [{"long_side_px": side_px, "ap50": 0.5, "precision50": [1.0, 0.5, 0.0]} for side_px in (320, 640)]

    sizes[1]["ap50"] = None  # no picture has a face
    draw_precision_recall([{"detector": "mine", "sizes": sizes}], tmp_path / "new" / "chart.png")

    assert (tmp_path / "new" / "chart.png").stat().st_size > 5000
    assert set(fit.PANELS) == {"Training loss", "Validation pictures, 320 px", "Learning rate"}

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from videmo.cli import evaluate, train
from videmo.cli.app import app
from videmo.cli.extras import require_extra
from videmo.errors import UsageError
from videmo.presets import read_preset

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.mark.usefixtures("small_network")
def test_train_writes_both_presets_and_evaluate_repeats_their_figures(ferplus_folder: Path, tmp_path: Path) -> None:
    models, work, runner = tmp_path / "models", tmp_path / "work", CliRunner()
    options = ["--out", models / "mine", "--fer2013-out", models / "mine7", "--epochs", 1, "--work", work]

    trained = runner.invoke(train.app, ["emotion", str(ferplus_folder), *map(str, options)], catch_exceptions=False)

    assert trained.exit_code == 0
    assert "ferplus_accuracy" in trained.stdout
    assert (work / "mine" / "curves.png").is_file()
    assert (models / "mine" / "README.md").is_file()
    for name, protocol in (("mine", "ferplus-majority"), ("mine7", "fer2013")):
        out = tmp_path / f"evaluation of {name}"
        arguments = ["emotion", str(models / name), str(ferplus_folder), "--out", str(out)]
        evaluated = runner.invoke(evaluate.app, arguments, catch_exceptions=False)
        assert evaluated.exit_code == 0
        assert re.search(rf"{protocol} +test +standard +{name} +14 ", evaluated.stdout)
        assert json.loads((out / "metrics.json").read_text()) == json.loads(
            (models / name / "metrics.json").read_text()
        )


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """The smallest network there is, for a training of one epoch."""
    path = tmp_path / "recipe.toml"
    path.write_text('arch = "cnn4"\nwidth = 0.125\nepochs = 1\nsides_px = [[0.0, 24]]\ndtype = "float32"\nbatch = 10\n')
    return path


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_recipe_trains_fine_tunes_distils_and_joins(ferplus_folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    one, two, both = (tmp_path / "models" / name for name in ("one", "two", "both"))
    options = ["--recipe", recipe_file, "--work", tmp_path / "work"]

    told = run("train", "emotion", ferplus_folder, "--out", one, *options, "--augmentation-sheet", tmp_path / "a.png")
    assert f"wrote {tmp_path / 'a.png'}" in told
    assert (tmp_path / "a.png").stat().st_size > 10_000
    told = run("train", "emotion", ferplus_folder, "--out", two, *options, "--init", one, "--teacher", one, "--seed", 7)
    assert "and the head ferplus over from one; anew: the head fer2013" in told
    told = run("train", "ensemble", one, two, "--out", both, "--data", ferplus_folder)

    assert f"wrote {both}: " in told
    trained_with = read_preset(two).config["trained_with"]["recipe"]
    wanted = {"arch": "cnn4", "width": 0.125, "seed": 7, "init": str(one), "teachers": [str(one)]}
    assert {name: trained_with[name] for name in wanted} == wanted
    preset = read_preset(both)
    assert preset.config["input"]["height_px"] == 24
    assert [member["name"] for member in preset.config["trained_with"]["members"]] == ["one", "two"]


def test_epochs_on_the_command_line_win_over_minutes_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("minutes = 5.0\nepochs = 3\nwidth = 2\n")

    recipe = train.read_options(path, None, 4, None, width=1.5)

    assert (recipe.epochs, recipe.minutes, recipe.width, recipe.arch) == (4, None, 1.5, "resnet")
    assert train.read_options(path, None, None, 7.0).minutes == 7.0
    assert train.read_options(path, None, None, None).minutes == 5.0


def test_an_architecture_brings_its_learning_rate_unless_a_file_or_an_option_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("learning_rate = 0.002\n")

    assert train.read_options(None, "convnext", None, None).learning_rate == 1e-3
    assert train.read_options(None, "resnet", None, None).learning_rate == 3e-3
    assert train.read_options(path, "convnext", None, None).learning_rate == 2e-3
    assert train.read_options(None, "convnext", None, None, learning_rate=5e-4).learning_rate == 5e-4
    path.write_text('arch = "convnext"\n')
    assert train.read_options(path, None, None, None).learning_rate == 1e-3
    assert train.read_options(path, "resnet", None, None).learning_rate == 3e-3
    path.write_text("dropout = 0.1\n")
    assert train.read_options(path, "vgg13", None, None).learning_rate == 1e-3


# KerasTuner asks threading for the name of its thread in the old way.
@pytest.mark.filterwarnings("ignore:(currentThread|getName)\\(\\) is deprecated:DeprecationWarning")
def test_tune_writes_a_recipe_that_train_reads(ferplus_folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "best.toml"
    budget = ["--minutes", 0.01, "--trial-minutes", 0.01, "--work", tmp_path / "work"]

    told = run("tune", ferplus_folder, "--out", out, "--recipe", recipe_file, *budget)

    assert "trial 1  learning_rate 0.003" in told
    assert out.with_suffix(".csv").is_file()
    assert train.read_options(out, None, None, None) == train.read_options(recipe_file, None, None, None)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "emotion", "DATA", "--out", "file"], "--out file: a file; name a folder"),
        (["train", "emotion", "DATA", "--out", "file/m1"], "file: a file; name a folder"),
        (["train", "emotion", "DATA", "--out", "m1", "--fer2013-out", "file"], "--fer2013-out file: a file"),
        (["train", "emotion", "DATA", "--out", "m1", "--fer2013-out", "./m1"], "--out and --fer2013-out are both m1"),
        (["train", "detector", "DATA", "--out", "file"], "--out file: a file; name a folder"),
        (["train", "ensemble", "one", "two", "--out", "file"], "--out file: a file; name a folder"),
        (["evaluate", "emotion", "one", "DATA", "--out", "file"], "--out file: a file; name a folder"),
        (["data", "check", "DATA", "--out", "file"], "--out file: a file; name a folder"),
        (["tune", "DATA", "--minutes", "1", "--out", "best.csv"], "--out best.csv: expected a name that ends in .toml"),
    ],
)
def test_where_results_cannot_go_is_said_before_anything_is_read(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()

    with pytest.raises(UsageError, match=re.escape(reason)):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_resuming_without_a_checkpoint_says_so(ferplus_folder: Path, tmp_path: Path) -> None:
    arguments = ["emotion", str(ferplus_folder), "--out", str(tmp_path / "mine"), "--work", str(tmp_path), "--resume"]

    with pytest.raises(UsageError, match="no checkpoint to continue from"):
        CliRunner().invoke(train.app, arguments, catch_exceptions=False)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    with (
        pytest.raises(UsageError, match=r'needs no_such_package: pip install "videmo\[train\]"'),
        require_extra("train"),
    ):
        __import__("no_such_package")

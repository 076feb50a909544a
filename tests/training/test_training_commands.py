from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from videmo.cli import evaluate, train
from videmo.cli.extras import require_extra
from videmo.errors import UsageError

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
    for name, protocol in (("mine", "ferplus-majority"), ("mine7", "fer2013")):
        out = tmp_path / f"{name}.json"
        arguments = ["emotion", str(models / name), str(ferplus_folder), "--out", str(out)]
        evaluated = runner.invoke(evaluate.app, arguments, catch_exceptions=False)
        assert evaluated.exit_code == 0
        assert f"{protocol:17} test   standard      n 14" in evaluated.stdout
        assert json.loads(out.read_text()) == json.loads((models / name / "metrics.json").read_text())


def test_resuming_without_a_checkpoint_says_so(ferplus_folder: Path, tmp_path: Path) -> None:
    arguments = ["emotion", str(ferplus_folder), "--out", str(tmp_path / "mine"), "--work", str(tmp_path), "--resume"]

    with pytest.raises(UsageError, match="no checkpoint to continue from"):
        CliRunner().invoke(train.app, arguments, catch_exceptions=False)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    with (
        pytest.raises(UsageError, match=r"needs no_such_package: pip install 'videmo\[train\]'"),
        require_extra("train"),
    ):
        __import__("no_such_package")

"""The small commands, and that every command and option can be found."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import synthetic
from typer.main import get_command

from videmo.cli.app import app
from videmo.cli.summarize import format_tables
from videmo.cli.values import parse_detect_every, parse_seconds
from videmo.errors import UsageError

Cli = Callable[..., tuple[int, str, str]]
README = Path(__file__).resolve().parents[2] / "README.md"


def names_of(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield before + name
        yield from names_of(command, f"{before}{name} ") if hasattr(command, "commands") else ()


COMMANDS = tuple(names_of(get_command(app)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(command: str, run_cli: Cli) -> None:
    code, out, _ = run_cli(*command.split(), "--help")
    assert code == 0
    assert "Usage" in out
    assert f"videmo {command}" in README.read_text(encoding="utf-8")


def test_help_lists_every_command_and_the_exit_codes(run_cli: Cli) -> None:
    code, out, _ = run_cli("--help")
    assert code == 0
    for command in COMMANDS:
        assert re.search(rf"\b{command.split()[0]}\b", out)
    assert "130" in out


def test_version(run_cli: Cli) -> None:
    code, out, _ = run_cli("--version")
    assert code == 0
    assert re.fullmatch(r"videmo \d+\.\d+\.\d+\n", out)


def test_names_that_stdout_cannot_spell_are_escaped(
    run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "日本.mp4").touch()
    told = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(told, "cp1252", write_through=True))
    code, _, err = run_cli("analyze", tmp_path, "--out", tmp_path / "out", "--dry-run")
    assert (code, err) == (0, "")
    assert rb"\u65e5\u672c.mp4" in told.getvalue()


def test_doctor_finds_all_well_here(run_cli: Cli, tmp_path: Path) -> None:
    code, out, _ = run_cli("doctor", "--out", tmp_path / "not" / "yet" / "there")
    assert code == 0, out
    assert "all is well" in out
    for what in ("tensorflow", "codec libx264", "preset ferplus-resnet-48", f"{tmp_path} can be written to"):
        assert what in out


def test_doctor_says_what_to_mend(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(dir: Path) -> None:
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr("videmo.cli.doctor._devices", lambda: iter(()))
    code, out, _ = run_cli("doctor", "--out", tmp_path)
    assert code == 1
    assert f"FIX  {tmp_path} cannot be written to (Permission denied): choose another folder" in out


@pytest.mark.parametrize(("package", "what"), [("av", "codecs"), ("keras", "devices")])
def test_doctor_names_what_cannot_be_imported(
    package: str, what: str, run_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    if package != "keras":
        monkeypatch.setattr("videmo.cli.doctor._devices", lambda: iter(()))
    code, out, err = run_cli("doctor")
    assert (code, err) == (1, "")
    assert f"FIX  {what} cannot be checked: ModuleNotFoundError: import of {package} halted" in out
    assert "can be written to" in out


def test_models_are_listed_and_shown(run_cli: Cli) -> None:
    code, out, _ = run_cli("models", "list")
    assert code == 0
    assert re.search(r"ferplus-resnet-48 +emotion +\d+\.\d MB  neutral happiness", out)
    assert "Intended use" in run_cli("models", "show", "ferplus-resnet-48")[1]
    assert json.loads(run_cli("models", "show", "ferplus-resnet-48", "--config")[1])["task"] == "emotion"
    code, _, err = run_cli("models", "show", "nobody")
    assert code == 2
    assert "unknown preset 'nobody': known are " in err


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("500ms", 0.5), ("2min", 120), ("0.25", 0.25)])
def test_times_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_seconds(text, "--epoch") == seconds


@pytest.mark.parametrize("text", ["0s", "soon", "-1s", "1h", ""])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=rf"^--epoch {text!r}: expected a time such as 1s"):
        parse_seconds(text, "--epoch")


@pytest.mark.parametrize(
    ("text", "frames", "seconds"),
    [("3", 3, None), ("0.5s", 1, 0.5), ("500ms", 1, 0.5), ("1min", 1, 60), ("1", 1, None)],
)
def test_how_often_to_detect_is_read_as_frames_or_time(text: str, frames: int, seconds: float | None) -> None:
    assert parse_detect_every(text) == {"detect_every_frames": frames, "detect_every_s": seconds}


@pytest.mark.parametrize("text", ["often", "0", "0s", "-1", "2.5", "1h", "True"])
def test_how_often_to_detect_must_be_said_plainly(text: str, run_cli: Cli, tmp_path: Path) -> None:
    code, _, err = run_cli("analyze", tmp_path, "--out", tmp_path / "out", f"--detect-every={text}")
    assert code == 2
    assert f"--detect-every '{text}': expected a number of frames such as 3, or a time such as 0.5s" in err


@pytest.mark.parametrize(
    ("toml", "options", "told"),
    [
        ("", ["--detect-every", "0.5s"], "detect_every_s=0.5"),
        ("", ["--detect-every", "3"], "detect_every_frames=3"),
        ("detect-every = 4", [], "detect_every_frames=4"),
        ('detect_every = "2s"', [], "detect_every_s=2.0"),
        ("detect_every_s = 0.25", [], "detect_every_s=0.25"),
        ("detect_every_s = 0.25", ["--detect-every", "3"], "detect_every_frames=3"),
        ("detect_every_frames = 4", ["--detect-every", "1s"], "detect_every_s=1.0"),
        ("fps = 5", ["--stride", "2"], "stride=2"),
        ("stride = 2", ["--fps", "5"], "fps=5.0"),
        ("overwrite = true", ["--resume"], "existing=resume"),
        ("no-video = false\noverwrite = false\nresume = true", [], "existing=resume"),
    ],
)
def test_settings_may_stand_in_a_file_and_the_command_line_wins(
    toml: str, options: list[str], told: str, run_cli: Cli, tmp_path: Path
) -> None:
    synthetic.moving_face_clip(tmp_path / "face.mp4", duration_s=0.2)
    (tmp_path / "run.toml").write_text(toml)
    config = ["--config", tmp_path / "run.toml"]
    code, out, _ = run_cli("analyze", tmp_path, "--out", tmp_path / "out", "--dry-run", *config, *options)
    assert code == 0
    assert f"settings: {told}\n" in out


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("overwrite = true\nresume = true", "resume and another line both set existing: leave one of them out"),
        ("min-face = 30\nmin_face_px = 40", "min_face_px and another line both set min_face_px"),
        ('no_video = "false"', "no_video = 'false' cannot be used: expected true or false"),
        ('manifest = "study.csv"', "unknown setting 'manifest'; known: annotated_video, anonymize, batch_size, "),
        ("fps = 5\nstride = 2", "setting fps = 5 cannot be used: expected either fps or stride, not both"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(toml: str, says: str, run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(toml)
    code, _, err = run_cli("analyze", tmp_path, "--out", tmp_path / "out", "--config", tmp_path / "run.toml")
    assert code == 2
    assert err.startswith(f"videmo: {tmp_path / 'run.toml'}: {says}")
    assert len(err.splitlines()) == 1


def test_summary_without_a_face_says_so() -> None:
    assert list(format_tables(pd.DataFrame(), ())) == ["no face was seen"]


@pytest.mark.parametrize("command", ["verify", "timelines", "moments", "identities"])
def test_parquet_asks_for_its_file_before_the_work(command: str, run_cli: Cli, tmp_path: Path) -> None:
    code, _, err = run_cli(command, tmp_path / "not looked for", "--format", "parquet")
    assert (code, err) == (2, "videmo: --format parquet needs --output FILE\n")


@pytest.mark.parametrize("command", [["summarize"], ["render"]])
def test_a_folder_that_is_no_run_is_named(command: list[str], run_cli: Cli, tmp_path: Path) -> None:
    code, _, err = run_cli(*command, tmp_path)
    assert code == 2
    assert f"{tmp_path}: no results of videmo in it" in err

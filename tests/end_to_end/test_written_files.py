"""What a run leaves behind: the files that README names, and nothing anywhere else."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import videmo
from videmo.datatypes import RunReport

Cli = Callable[..., tuple[int, str, str]]
README = Path(__file__).resolve().parents[2] / "README.md"
ON_DEMAND = {"study.parquet", "segments.parquet", "identities.csv"}
"""Written with `--manifest`, `--segments` and by `videmo identities` only."""


def documented(video_id: str) -> set[str]:
    """Return the files that README promises for one video."""
    table = README.read_text(encoding="utf-8").split("## What you get")[1].split("```")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    names = {name for row in rows for name in re.findall(r"`results/([^`]+)`", row)}
    assert len(names) >= 7
    return {name.replace("<video>", video_id) for name in names - ON_DEMAND}


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_default_run_writes_the_documented_files_and_nothing_else(run: tuple[Path, RunReport]) -> None:
    assert written(run[0]) == documented("face")


def test_without_video_and_charts_nothing_but_numbers_is_written_anywhere(
    clip: Path, run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = {name: tmp_path / name for name in ("here", "temporary", "home")}
    for folder in elsewhere.values():
        folder.mkdir()
    monkeypatch.chdir(elsewhere["here"])
    monkeypatch.setenv("HOME", str(elsewhere["home"]))
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere["temporary"]))
    beside = written(clip.parent)
    assert (
        run_cli("analyze", clip, "--out", tmp_path / "out", "--no-video", "--no-charts", "--progress", "none")[0] == 0
    )
    numbers = {name for name in documented("face") if name.endswith((".parquet", ".json", ".sha256"))}
    assert written(tmp_path / "out") == numbers
    assert written(clip.parent) == beside
    assert {name: written(folder) for name, folder in elsewhere.items()} == {name: set() for name in elsewhere}


def test_without_video_only_the_chart_is_a_picture(clip: Path, tmp_path: Path) -> None:
    videmo.analyze([clip], tmp_path, videmo.Settings(annotated_video=False, fps=5))
    assert documented("face") - written(tmp_path) == {"annotated/face.mp4"}
    assert written(tmp_path) <= documented("face")

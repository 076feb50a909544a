"""`videmo demo`: its own results are made anew, those of others stay; the clip itself is in `tests/test_demo.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def short_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videmo.demo.write_demo_clip", lambda path: synthetic.moving_face_clip(path, duration_s=0.2))


def test_may_be_repeated(run_cli: Cli, tmp_path: Path) -> None:
    for _ in range(2):
        code, out, _ = run_cli("demo", "--out", tmp_path / "demo")
        assert code == 0
        assert f"look at   {tmp_path / 'demo' / 'annotated' / 'astronaut'}.mp4" in out


def test_results_of_other_videos_stay(run_cli: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "faces" / "holiday.parquet"
    kept.parent.mkdir()
    kept.write_text("much work")

    code, _, err = run_cli("demo", "--out", tmp_path)

    assert code == 2
    assert err == f"videmo: {tmp_path} holds results of other videos: name another folder with --out\n"
    assert kept.exists()
    assert not (tmp_path / "astronaut.mp4").exists()


def test_a_folder_that_cannot_be_made_is_named(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    code, _, err = run_cli("demo", "--out", tmp_path / "file")

    assert code == 1
    assert f"videmo: {tmp_path / 'file'}: cannot be written: " in err


def test_a_clip_that_fails_is_not_shown(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("videmo.demo.write_demo_clip", lambda path: path.write_text("no video"))

    code, out, err = run_cli("demo", "--out", tmp_path)

    assert code == 3
    assert "look at" not in out
    assert f"failed: {tmp_path / 'astronaut.mp4'}" in err

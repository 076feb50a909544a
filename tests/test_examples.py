"""The examples run as they stand."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import synthetic

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.timeout(60)


def run(name: str, *arguments: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_stream_one_video(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("01_stream_one_video.py", monkeypatch=monkeypatch)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    seen = {(time_s[0], face) for time_s, _, _, face, *_ in lines}
    assert seen == {(s, "1") for s in "01234"} | {(s, "2") for s in "34"} | {(s, "3") for s in "67"}
    assert {expression for *_, expression, _ in lines} == {"happiness"}


def test_analyze_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "videos").mkdir()
    synthetic.moving_face_clip(tmp_path / "videos" / "clip.mp4", duration_s=1)
    (tmp_path / "videos" / "broken.mp4").write_text("no video")
    run("02_analyze_a_folder.py", tmp_path / "videos", tmp_path / "out", monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert "not analysed: " in told
    assert "clip" in told

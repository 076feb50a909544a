"""Bars go by media time, end where the video ends, and take their text from what really passed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from videmo.cli import progress
from videmo.cli.progress import Bars, JsonLines, open_progress
from videmo.cli.values import Progress
from videmo.datatypes import VideoInfo, VideoReport
from videmo.pipeline.progress import NoProgress


def info(name: str, duration_s: float | None) -> VideoInfo:
    return VideoInfo(name, Path(name), 64, 48, Fraction(25), Fraction(1, 25), duration_s)


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bars:
    monkeypatch.setattr(progress, "UPDATE_S", -1.0)
    return Bars()


def test_run_is_as_long_as_all_videos_by_the_mean_of_those_opened(bars: Bars) -> None:
    bars.begun(3)
    bars.started(info("a", 10.0))
    bars.started(info("b", 30.0))
    bars.advanced(info("a", 10.0), 5.0, 125, 7)
    assert bars._run is not None
    assert bars._run.total == 60.0
    assert bars._run.n == 5.0
    bars.finished(VideoReport("a", "a", frames_decoded=250, duration_s=10.0))
    assert bars._run.n == 10.0
    assert list(bars._bars) == ["b"]
    bars.close()


def test_unknown_and_wrong_durations_do_no_harm(bars: Bars) -> None:
    bars.begun(2)
    for name, duration_s in (("unknown", None), ("short", 1.0)):
        bars.started(info(name, duration_s))
        bars.advanced(info(name, duration_s), 4.0, 100, 0)
        bars.finished(VideoReport(name, name, frames_decoded=100, duration_s=duration_s))
    bars.finished(VideoReport("never opened", "x", status="failed", error="not a video"))
    assert bars._run is not None
    assert bars._run.n == 8.0
    bars.close()


def test_bars_are_silent_when_nobody_watches() -> None:
    with open_progress(Progress.BAR) as listener:
        assert isinstance(listener, NoProgress)


def test_json_is_one_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr("sys.stderr", told)
    lines = JsonLines()
    lines.begun(1)
    lines.started(info("a", 2.0))
    lines.advanced(info("a", 2.0), 1.0, 25, 3)
    lines.advanced(info("a", 2.0), 1.1, 26, 3)
    lines.finished(VideoReport("a", "a", frames_decoded=50, faces=6))
    events = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["begun", "started", "advanced", "finished"]
    assert events[-1]["frames"] == 50


def test_a_watcher_that_has_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(line: str) -> int:
        tried.append(json.loads(line)["event"])
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr.write", refuse)
    told = JsonLines()
    told.begun(1)
    told.finished(VideoReport("a", "a"))
    assert tried == ["begun", "finished"]


def test_notes_and_failures_are_objects_too(run_cli: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no video")

    code, _, err = run_cli("analyze", tmp_path, "-o", tmp_path / "out", "--anonymize", "box", "--progress", "json")

    assert code == 3
    events = [json.loads(line) for line in err.splitlines()]
    assert [event["event"] for event in events] == ["note", "begun", "finished"]
    assert events[0]["note"].startswith("faces are hidden where they were found")
    assert "bad.mp4" in events[-1]["error"]

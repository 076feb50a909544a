"""Killed in the middle, resumed: finished videos are not redone, half-written ones are, the tables are the same."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import synthetic

import videmo
from videmo.analysis.folder import RunFolder
from videmo.errors import UsageError, VidemoError
from videmo.findings.report.page import write_report
from videmo.findings.tables import Run

TABLES = ("videos.parquet", "tracks.parquet", "frames", "faces")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(4):
        synthetic.moving_face_clip(folder / f"clip{number}.mp4", duration_s=2 + number, fps=10, side_px=140)
    return folder


def read(out: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(out / name) for name in TABLES}


@pytest.fixture(scope="module")
def uninterrupted(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    out = tmp_path_factory.mktemp("whole") / "out"
    videmo.analyze([clips], out, videmo.Settings(jobs=1))
    return read(out)


def assert_same_tables(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(found[name], expected[name], rtol=0, atol=1e-4)


@pytest.mark.timeout(120)
def test_killed_and_resumed_equals_uninterrupted(
    clips: Path, uninterrupted: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "videmo", "analyze", str(clips), "--out", str(out), "--jobs", "1"]
    process = subprocess.Popen([*command, "--progress", "none"], stdout=subprocess.DEVNULL)
    finished = out / "frames" / "clip1.parquet"
    while not finished.exists():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in (out / "frames").glob("*.parquet")}
    assert 2 <= len(done) < 4, "the kill must come in the middle"
    report = videmo.analyze([clips], out, videmo.Settings(jobs=1, existing="resume"))
    assert [video.resumed for video in report.videos] == [
        f"clip{n}.parquet" in {p.name for p in done} for n in range(4)
    ]
    assert {path: path.stat().st_mtime_ns for path in done} == done, "finished videos are not written again"
    assert_same_tables(read(out), uninterrupted)
    assert not list(out.rglob("*.partial"))


def test_half_written_files_are_never_taken_for_complete(
    clips: Path, uninterrupted: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    videmo.analyze([clips / "clip0.mp4"], out, videmo.Settings(annotated_video=False, charts=False))
    for folder in ("frames", "faces"):
        whole = out / folder / "clip0.parquet"
        shutil.copy(whole, whole.with_name("clip1.parquet.partial"))
    (out / "frames" / "clip0.parquet").unlink()
    settings = videmo.Settings(annotated_video=False, charts=False, existing="resume")
    report = videmo.analyze([clips / "clip0.mp4"], out, settings)
    assert not report.videos[0].resumed
    assert not list(out.rglob("*.partial"))


def test_resume_with_other_settings_or_another_source_does_the_video_again(clips: Path, tmp_path: Path) -> None:
    out, source = tmp_path / "out", tmp_path / "clip.mp4"
    shutil.copy(clips / "clip0.mp4", source)
    plain = videmo.Settings(annotated_video=False, charts=False, existing="resume")

    def resumed(settings: videmo.Settings) -> bool:
        return videmo.analyze([source], out, settings).videos[0].resumed

    assert [resumed(plain), resumed(plain)] == [False, True]
    assert not resumed(plain.merged({"stride": 2}))
    shutil.copy(clips / "clip1.mp4", source)
    assert not resumed(plain.merged({"stride": 2}))
    assert resumed(plain.merged({"stride": 2, "jobs": 2}))


def test_a_setting_that_cannot_be_used_touches_no_result(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    plain = videmo.Settings(annotated_video=False, charts=False)
    videmo.analyze([clips / "clip0.mp4"], out, plain)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for wrong in ({"detector": "yuno"}, {"detector_model": Path("nobody")}):
        with pytest.raises(VidemoError, match=r"nobody|yuno"):
            videmo.analyze([clips / "clip0.mp4"], out, plain.merged({"existing": "overwrite", **wrong}))
        with pytest.raises(VidemoError, match=r"nobody|yuno"):
            videmo.analyze([clips / "clip0.mp4"], tmp_path / "new", plain.merged(wrong))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert not list((tmp_path / "new").iterdir())


def test_results_that_no_input_stands_for_are_not_mixed_with_new_ones(clips: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "clips"
    (folder / "more").mkdir(parents=True)
    for name in ("one.mp4", "two.mp4"):
        shutil.copy(clips / "clip0.mp4", folder / name)
    resume = videmo.Settings(annotated_video=False, charts=False, existing="resume")
    videmo.analyze([folder], out, resume)
    with pytest.raises(UsageError, match="out holds results of two, which no input stands for: name their files"):
        videmo.analyze([folder / "one.mp4"], out, resume)
    # A second file of a name gives both another id: the tables of the first go by the new one, and nobody counts twice.
    shutil.copy(clips / "clip1.mp4", folder / "more" / "one.mp4")
    report = videmo.analyze([folder], out, resume)
    assert Run(out).video_ids == sorted(video.video_id for video in report.videos)
    assert [video.resumed for video in report.videos if video.video_id == "two"] == [True]


def test_videos_that_were_moved_are_taken_over_from_where_they_lie_now(
    clips: Path, tmp_path: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    before, after, out = tmp_path / "before", tmp_path / "after", tmp_path / "out"
    before.mkdir()
    shutil.copy(clips / "clip0.mp4", before)
    settings = videmo.Settings(charts=False, existing="resume")
    videmo.analyze([before], out, settings)
    tables = read(out)
    before.rename(after)
    (video,) = videmo.analyze([after], out, settings).videos
    assert (video.resumed, video.path) == (True, str(after / "clip0.mp4"))
    assert run_cli("verify", out)[0] == 0
    assert run_cli("render", out)[0] == 0
    for name in ("frames", "faces", "tracks.parquet"):
        pd.testing.assert_frame_equal(read(out)[name], tables[name])


def test_videos_of_two_models_never_lie_side_by_side(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = videmo.Settings(annotated_video=False, charts=False, existing="resume", jobs=1)
    videmo.analyze([clips], tmp_path / "out", settings)
    finished = RunFolder.complete

    def stop(folder: RunFolder, video_id: str) -> None:
        finished(folder, video_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "complete", stop)
    with pytest.raises(KeyboardInterrupt):
        videmo.analyze([clips], tmp_path / "out", settings.merged({"model": "fer2013-resnet-48"}))
    assert Run(tmp_path / "out").video_ids == ["clip0"]


def test_a_hidden_video_is_kept_where_the_next_run_wants_none(clips: Path, tmp_path: Path) -> None:
    settings = videmo.Settings(charts=False, existing="resume", anonymize="blur")
    videmo.analyze([clips / "clip0.mp4"], tmp_path / "out", settings)
    for anonymize in ("blur", None):
        again = settings.merged({"annotated_video": False, "anonymize": anonymize})
        assert videmo.analyze([clips / "clip0.mp4"], tmp_path / "out", again).videos[0].resumed
    assert (tmp_path / "out" / "annotated" / "clip0.mp4").exists()


def test_a_folder_of_the_users_own_is_not_taken_for_results(clips: Path, tmp_path: Path) -> None:
    own = tmp_path / "out" / "charts" / "mine.png"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    videmo.analyze([clips / "clip0.mp4"], tmp_path / "out", videmo.Settings(annotated_video=False, charts=False))
    assert own.read_bytes() == b"mine"


def test_resume_with_another_version_of_the_detector_does_the_video_again(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = videmo.Settings(detector="haar", annotated_video=False, charts=False, existing="resume")

    def resumed() -> bool:
        return videmo.analyze([clips / "clip0.mp4"], tmp_path / "out", settings).videos[0].resumed

    assert [resumed(), resumed()] == [False, True]
    monkeypatch.setattr("cv2.__version__", "4.99")
    assert not resumed()


def test_a_missing_chart_is_drawn_and_a_missing_video_made_again(clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = [clips / "clip0.mp4"]
    videmo.analyze(source, out)
    chart, annotated = out / "charts" / "clip0.png", out / "annotated" / "clip0.mp4"
    chart.unlink()
    assert videmo.analyze(source, out, videmo.Settings(existing="resume")).videos[0].resumed
    assert chart.exists()
    annotated.unlink()
    assert not videmo.analyze(source, out, videmo.Settings(existing="resume")).videos[0].resumed
    assert annotated.exists()


def test_overwrite_replaces_what_was_there(clips: Path, tmp_path: Path, run_cli: Callable[..., object]) -> None:
    out = tmp_path / "out"
    plain = videmo.Settings(annotated_video=False, charts=False)
    videmo.analyze([clips / "clip0.mp4"], out, plain)
    (out / "notes.txt").write_text("mine")
    write_report(Run(out))
    videmo.analyze([clips / "clip1.mp4"], out, plain.merged({"existing": "overwrite"}))
    assert [path.name for path in (out / "frames").iterdir()] == ["clip1.parquet"]
    assert not (out / "report.html").exists(), "a report on results that are gone"
    assert not list((out / "findings").iterdir())
    assert (out / "notes.txt").read_text() == "mine", "files that are not ours are left alone"

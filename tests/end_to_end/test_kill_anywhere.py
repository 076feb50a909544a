"""Stopped at any moment, a run loses nothing that was finished, leaves no half of a file, and --resume completes it."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic
from stopped_runs import (
    assert_same_tables,
    check_every_file_opens,
    read_tables,
    short_clips,
    start,
    stop,
    wait_for,
)

import videmo
from videmo.analysis import verify
from videmo.output.lock import LOCK, hold_folder

pytestmark = pytest.mark.timeout(120)  # models are loaded several times

CLIPS, KILLS, SIGNALS = 6, 50, 12
STOPS_WITHIN_S = 3.0
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
RESUME = videmo.Settings(jobs=2, existing="resume")

Tables = dict[str, pd.DataFrame]
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return short_clips(tmp_path_factory.mktemp("clips"), CLIPS)


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    videmo.analyze([clips], out, videmo.Settings(jobs=2), manifest=clips / "study.csv")
    return out


def check_resumed(clips: Path, out: Path, expected: Tables) -> None:
    """Go on with a run to its end and compare."""
    videmo.analyze([clips], out, RESUME, manifest=clips / "study.csv")
    assert_same_tables(read_tables(out), expected)
    assert not [path for path in out.rglob("*") if path.suffix == ".partial" or path.name == LOCK]
    check_every_file_opens(out)
    checks = verify(out)
    assert not checks["harms"].any(), checks[checks["harms"]]


def test_killed_again_and_again_in_one_folder(clips: Path, whole: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ["--manifest", str(clips / "study.csv"), "--jobs", "2", "--resume"]
    for appears in ("run.json", "annotated/*.partial", "frames/*.parquet", "tracks.parquet"):
        process = start([clips], out, *options)
        wait_for(lambda name=appears: any(out.glob(name)), process)
        assert stop(process, signal.SIGKILL)[0] == 137
        check_every_file_opens(out)
    assert (out / LOCK).exists(), "a killed run leaves the file of the lock, which locks nobody out"
    check_resumed(clips, out, read_tables(whole))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_fifty_moments(clips: Path, whole: Path, tmp_path: Path) -> None:
    expected, finished = read_tables(whole), []
    options = ["--manifest", str(clips / "study.csv"), "--jobs", "2"]
    life_s = measure_life(clips, tmp_path / "measured", *options)
    for number, share in enumerate(spread(KILLS)):
        out = tmp_path / f"out{number}"
        process = start([clips], out, *options)
        time.sleep(share * life_s)
        stop(process, signal.SIGKILL)
        finished.append(len(list((out / "frames").glob("*.parquet"))))
        check_every_file_opens(out)
        check_resumed(clips, out, expected)
    logging.info("life %.1f s; videos finished when killed: %s", life_s, finished)
    assert 0 in finished
    assert any(0 < count < CLIPS for count in finished)


@pytest.mark.parametrize("number", CODES)
def test_a_signal_stops_soon_and_keeps_what_was_finished(
    number: int, clips: Path, tmp_path: Path, run_cli: Cli
) -> None:
    out, long = tmp_path / "out", tmp_path / "long.mp4"
    synthetic.moving_face_clip(long, duration_s=60, fps=10, side_px=140)  # not done before the signal is heard
    inputs = [clips / "clip0.mp4", long, clips / "clip3.mp4"]
    process = start(inputs, out, "--jobs", "1")
    wait_for((out / "frames" / "clip0.parquet").exists, process)
    wait_for((out / "annotated" / "long.mp4.partial").exists, process)
    code, told, seconds = stop(process, number)
    assert code == CODES[number]
    assert told.splitlines() == [f"videmo: interrupted: what was finished is in {out}; go on with --resume"]
    assert seconds < STOPS_WITHIN_S
    videos = pd.read_parquet(out / "videos.parquet").set_index("video_id")
    assert videos["status"].to_dict() == {"clip0": "done", "long": "cancelled", "clip3": "cancelled"}
    assert pd.read_parquet(out / "tracks.parquet")["video_id"].unique().tolist() == ["clip0"]
    assert not [path for path in out.rglob("*") if path.suffix == ".partial" or path.name == LOCK]
    assert not verify(out)["harms"].any()


def test_a_stopped_resume_keeps_the_rows_of_what_was_finished_before(
    clips: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    videmo.analyze([clips / "clip0.mp4", clips / "clip1.mp4"], out, videmo.Settings(jobs=1))
    rows = pd.read_parquet(out / "tracks.parquet")

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    # Until the models are there nothing is touched.
    for place, others in (("open_models", []), ("run_lanes", ["cancelled"] * (CLIPS - 2))):
        with monkeypatch.context() as patch:
            patch.setattr(f"videmo.analysis.run.{place}", interrupted)
            with pytest.raises(KeyboardInterrupt):
                videmo.analyze([clips], out, RESUME)
        statuses = pd.read_parquet(out / "videos.parquet")["status"].tolist()
        assert statuses == ["done"] * 2 + others
        pd.testing.assert_frame_equal(pd.read_parquet(out / "tracks.parquet"), rows)
        assert not verify(out)["harms"].any()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", CODES)
def test_signals_at_many_moments(number: int, clips: Path, whole: Path, tmp_path: Path) -> None:
    expected, took_s = read_tables(whole), []
    options = ["--manifest", str(clips / "study.csv"), "--jobs", "2"]
    life_s = measure_life(clips, tmp_path / "measured", *options)
    for at, share in enumerate(spread(SIGNALS)):
        out = tmp_path / f"out{at}"
        process = start([clips], out, *options)
        time.sleep(share * life_s)
        code, told, seconds = stop(process, number)
        took_s.append(round(seconds, 2))
        assert code in (CODES[number], 0), told
        assert not list(out.rglob("*.partial"))
        check_every_file_opens(out)
        check_resumed(clips, out, expected)
    logging.info("signal %d: seconds to stop %s", number, took_s)
    assert max(took_s) < STOPS_WITHIN_S


def test_a_folder_in_use_is_refused_before_anything_is_touched(
    clips: Path, whole: Path, run_cli: Cli, tmp_path: Path
) -> None:
    def tree() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in whole.rglob("*")}

    (tmp_path / "who.csv").write_text("video_id,track_id,identity\nclip0,1,Anna\n")
    with hold_folder(whole):
        before = tree()
        for command in (
            ("analyze", clips, "--out", whole),
            ("analyze", clips, "--out", whole, "--overwrite"),
            ("analyze", clips, "--out", whole, "--resume"),
            ("render", whole),
            ("identities", whole, "--decisions", tmp_path / "who.csv"),
            ("identities", whole, "--clear"),
        ):
            code, _, err = run_cli(*command)
            assert code == 2
            assert err.startswith(f"videmo: {whole}: another videmo is writing to this folder: wait until")
            assert len(err.splitlines()) == 1
        assert tree() == before
    assert not (whole / LOCK).exists()


def spread(times: int) -> np.ndarray:
    """Return shares of a life (0..1): one random moment in each of as many equal parts."""
    return (np.arange(times) + np.random.default_rng(7).uniform(size=times)) / times


def measure_life(clips: Path, out: Path, *options: str) -> float:
    """Return the seconds that an undisturbed process takes, its start included."""
    begun_s = time.monotonic()
    process = start([clips], out, *options)
    assert process.wait() == 0, process.communicate()[1]
    process.communicate()
    return time.monotonic() - begun_s

"""Hundreds of damaged files in one batch: no crash, no hang, each accounted for, and the good ones as if alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from damage import Damaged, good_clips, make_damaged

import videmo
from videmo.analysis.rendering import render
from videmo.filenames import show_name
from videmo.presets import hash_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="makes files that only Linux allows")

STALL_LIMIT_S = 20
ABSENT = "absent.mp4"


@dataclass(frozen=True, slots=True)
class Batch:
    """A finished run of the command over `bad` and `good` files, and a run over the good ones alone."""

    bad: Sequence[Damaged]
    good: Sequence[Path]
    out: Path
    alone: Path
    ended: subprocess.CompletedProcess[str]

    def videos(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "videos.parquet").set_index("path")


def analyze(inputs: Sequence[Path], out: Path, *options: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run `videmo analyze` as its users do, in a process of its own: a crash of a decoder would end it."""
    config = out.with_suffix(".toml")
    config.write_text(f"stall_limit_s = {STALL_LIMIT_S}\n")
    command = [sys.executable, "-m", "videmo", "analyze", *inputs, "--out", out, "--config", config, "--jobs", "2"]
    return subprocess.run(
        [*map(str, command), *options], capture_output=True, text=True, errors="replace", timeout=limit_s
    )


def run_batch(
    folder: Path, inputs: Sequence[Path], bad: Sequence[Damaged], good: Sequence[Path], *options: str, limit_s: float
) -> Batch:
    hashes = [hash_file(path) for path in good]
    ended = analyze([*inputs, *good, folder / ABSENT], folder / "out", *options, limit_s=limit_s)
    videmo.analyze(good, folder / "alone", videmo.Settings(annotated_video=False, charts=False))
    assert [hash_file(path) for path in good] == hashes
    return Batch(bad, good, folder / "out", folder / "alone", ended)


def check_batch(batch: Batch) -> None:
    assert batch.ended.returncode == 3, batch.ended.stderr[-3000:]
    assert "Traceback" not in batch.ended.stderr
    videos = batch.videos()
    assert videos["video_id"].str.casefold().is_unique
    shown = [show_name(item.path) for item in batch.bad]
    assert sorted(videos.index) == sorted([*shown, *map(str, batch.good), str(batch.out.parent / ABSENT)])
    for item, path in zip(batch.bad, shown, strict=True):
        check_row(item, path, videos.loc[path])
    check_failures_are_told(videos, batch.ended.stderr)
    check_files(batch)
    for path in batch.good:
        check_same_tables(batch, videos.loc[str(path), "video_id"])


def check_row(item: Damaged, path: str, row: pd.Series) -> None:
    """A failed file names itself, the cause and the way out on one line; a file that is done holds frames."""
    assert row["status"] in (["failed", "done"] if item.done is None else ["done"] if item.done else ["failed"]), row
    if row["status"] == "done":
        assert pd.isna(row["error"])
        assert row["frames_decoded"] > 0
        return
    assert row["error"].startswith(f"{path}: ")
    assert row["error"].removeprefix(path).count(": ") >= 2
    assert len(row["error"].splitlines()) == 1
    assert item.cause in row["error"] or item.done is None
    assert "gave no frame for" not in row["error"]


def check_failures_are_told(videos: pd.DataFrame, err: str) -> None:
    """Each failure is one line on stderr, and nothing else is."""
    told = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert told == [f"failed: {error}" for error in videos["error"].dropna()]


def check_files(batch: Batch) -> None:
    """What is done has all its files, what failed has none, nothing is half written."""
    videos = batch.videos()
    done = set(videos.loc[videos["status"] == "done", "video_id"])
    written = [path for path in batch.out.rglob("*") if path.is_file() and path.parent != batch.out]
    assert {path.stem for path in written} == done
    assert not list(batch.out.rglob("*.partial"))
    rows = videos.set_index("video_id")["frames_analysed"]
    for video_id in done:
        assert len(pd.read_parquet(batch.out / "frames" / f"{video_id}.parquet")) == rows[video_id]


def check_same_tables(batch: Batch, video_id: str) -> None:
    for part in ("frames", "faces"):
        here, alone = (pd.read_parquet(out / part / f"{video_id}.parquet") for out in (batch.out, batch.alone))
        assert len(alone) > 0
        pd.testing.assert_frame_equal(here, alone, rtol=0, atol=1e-4)


def check_sources_are_found_again(batch: Batch) -> None:
    """The path in the table leads back to the file, also where its name is written otherwise."""
    videos = batch.videos()
    shown = [(show_name(item.path), item) for item in batch.bad if item.kind == "name"]
    named = [videos.loc[name, "video_id"] for name, item in shown if name != str(item.path)]
    assert len(named) >= 5
    assert [path.stem for path in render(batch.out, named)] == named


def test_one_of_each_kind_of_broken_file(tmp_path: Path) -> None:
    good = good_clips(tmp_path / "good")
    made = make_damaged(tmp_path / "bad", good, repeats=1)
    bad = [item for number, item in enumerate(made) if item.kind not in {other.kind for other in made[:number]}]
    bad += [item for item in made if item.kind == "name" and item not in bad]
    inputs = [item.path for item in bad]
    batch = run_batch(tmp_path, inputs, bad, [good["mp4"], good["webm"]], "--no-video", "--no-charts", limit_s=40)
    check_batch(batch)
    check_sources_are_found_again(batch)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_hundreds_of_broken_files_with_all_outputs(tmp_path: Path) -> None:
    good = good_clips(tmp_path / "good")
    bad = make_damaged(tmp_path / "bad", good, repeats=8)
    assert len(bad) >= 300
    check_batch(run_batch(tmp_path, [tmp_path / "bad"], bad, list(good.values()), limit_s=900))

"""Faces that cannot be judged stay in the tables with their reason, and do not count in the summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import synthetic

import videmo
from videmo.datatypes import UInt8Array
from videmo.findings.tables import Run
from videmo.findings.timeline import timelines
from videmo.output.schema import QUALITY_COLUMNS

OUTPUTS = videmo.Settings(annotated_video=False, charts=False)


def walking_out(frames: int) -> Iterator[UInt8Array]:
    """Yield pictures of a face that stands for a third of the time and then leaves to the right."""
    for x_px in np.interp(np.linspace(0, 3, frames), [0, 1, 3], [60, 60, 260]).round().astype(int):
        canvas = synthetic.plain(320, 240)
        synthetic.face_at(canvas, int(x_px), 40, 160)
        yield canvas


@pytest.fixture(scope="module")
def leaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaving")
    clip = synthetic.write_clip(folder / "leaving.mp4", walking_out(45), fps=15)
    videmo.analyze([clip], folder / "out", OUTPUTS)
    return folder / "out"


def test_a_face_that_walks_out_is_cut_off_from_then_on(leaving: Path) -> None:
    faces = pd.read_parquet(leaving / "faces")
    standing = faces[faces["time_s"] < 0.9]
    assert standing["usable"].all()
    assert (standing["share_cut_off"] < 0.05).all()
    assert (faces["usable"] == faces["exclude_reason"].isna()).all()
    assert set(faces.loc[~faces["usable"], "exclude_reason"]) == {"cut_off"}
    assert faces["share_cut_off"].iloc[-1] > 0.2
    assert (faces[[*QUALITY_COLUMNS]].notna()).all(axis=None)
    share = faces["share_cut_off"].to_numpy()
    assert (np.diff(share) > -0.05).all(), "it only ever leaves"


def test_only_the_usable_time_counts(leaving: Path) -> None:
    faces = pd.read_parquet(leaving / "faces")
    (track,) = pd.read_parquet(leaving / "tracks.parquet").to_dict("records")
    assert (track["rows"], track["usable_rows"]) == (len(faces), faces["usable"].sum())
    assert track["usable_share"] == pytest.approx(faces["usable"].mean(), abs=1e-6)
    assert 0.3 < track["usable_share"] < 1
    means = faces.loc[faces["usable"], "happiness"].astype(float).mean()
    assert track["mean_happiness"] == pytest.approx(means, rel=1e-5)
    run = Run(leaving)
    (line,) = timelines(run.frames("leaving"), run.faces("leaving"), run.labels)
    assert line.ends_s[-1] == pytest.approx(faces.loc[faces["usable"], "time_s"].max() + 1 / 15, abs=0.01)


def test_the_summary_tells_the_usable_share(leaving: Path, run_cli: Callable[..., tuple[int, str, str]]) -> None:
    share = pd.read_parquet(leaving / "tracks.parquet")["usable_share"][0]
    status, text, _ = run_cli("summarize", leaving)
    assert status == 0
    assert f"{share:.0%} of it usable" in text


def test_limits_come_from_the_configuration_file(
    tmp_path: Path, clip: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    config = tmp_path / "strict.toml"
    config.write_text("quality_min_face_px = 500\n")
    options = ["--config", config, "--fps", "2", "--no-video", "--no-charts", "--progress", "none"]
    assert run_cli("analyze", clip, "--out", tmp_path / "out", *options)[0] == 0
    faces = pd.read_parquet(tmp_path / "out" / "faces")
    assert set(faces["exclude_reason"]) == {"too_small"}
    tracks = pd.read_parquet(tmp_path / "out" / "tracks.parquet")
    assert (tracks["usable_share"] == 0).all()
    assert tracks["mean_happiness"].notna().all()


def test_the_same_scene_out_of_focus_is_blurred(tmp_path: Path) -> None:
    canvas = synthetic.plain(320, 240)
    synthetic.face_at(canvas, 60, 30, 180)
    soft = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 5), np.uint8)
    clip = synthetic.write_clip(tmp_path / "focus.mp4", [canvas] * 4 + [soft] * 4, fps=5)
    videmo.analyze([clip], tmp_path / "out", OUTPUTS)
    faces = pd.read_parquet(tmp_path / "out" / "faces").set_index("frame_index")
    assert faces["usable"].loc[:3].all()
    assert set(faces["exclude_reason"].loc[4:]) == {"blurred"}

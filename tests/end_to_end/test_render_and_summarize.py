"""What is made from the tables of a run: pictures again, summaries in every format."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from videmo.datatypes import RunReport
from videmo.emotion.labels import EMOTIONS

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def copy(run: tuple[Path, RunReport], tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(run[0], tmp_path / "run"))


def pictures(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]).astype(int)


def test_rendered_again_is_the_same_video(copy: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    annotated = copy / "annotated" / "face.mp4"
    before = pictures(annotated)
    annotated.unlink()
    monkeypatch.setattr("videmo.inference.Engine.load", lambda *_, **__: pytest.fail("a model was loaded"))
    code, out, _ = run_cli("render", copy, "--video", "face")
    assert code == 0
    assert out.strip() == str(annotated)
    np.testing.assert_array_equal(pictures(annotated), before)


def test_names_are_drawn_beside_the_ids(copy: Path, run_cli: Cli, tmp_path: Path) -> None:
    before = pictures(copy / "annotated" / "face.mp4")
    (tmp_path / "who.csv").write_text("video_id,track_id,identity\nface,1,Eileen\n")
    assert run_cli("identities", copy, "--decisions", tmp_path / "who.csv")[0] == 0
    assert run_cli("render", copy)[0] == 0
    changed = (np.abs(pictures(copy / "annotated" / "face.mp4") - before) > 60).any(axis=(1, 2))
    assert changed.all(), "the tag is wider in every frame"
    assert run_cli("identities", copy, "--clear")[0] == 0
    assert run_cli("render", copy)[0] == 0
    np.testing.assert_array_equal(pictures(copy / "annotated" / "face.mp4"), before)


def test_a_video_without_frames_leaves_the_others_to_be_rendered(copy: Path, run_cli: Cli, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dark.png"), np.zeros((48, 64, 3), np.uint8))
    assert run_cli("analyze", tmp_path / "dark.png", "--out", tmp_path / "late", "--start", 5, "--no-charts")[0] == 0
    assert run_cli("render", tmp_path / "late")[:2] == (0, "")


def test_unknown_video_is_named(copy: Path, run_cli: Cli) -> None:
    code, _, err = run_cli("render", copy, "--video", "other")
    assert code == 2
    assert "no finished video other: known are face" in err


def test_source_that_is_gone_is_named(copy: Path, run_cli: Cli) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(copy / "videos.parquet")
    moved = table.set_column(1, table.schema.field(1), [["/gone/face.mp4"]])
    pq.write_table(moved, copy / "videos.parquet")
    code, _, err = run_cli("render", copy)
    assert code in (2, 3)
    assert "/gone/face.mp4: no such file" in err


def test_summary_formats_agree(copy: Path, run_cli: Cli, tmp_path: Path) -> None:
    csv = pd.read_csv(io.StringIO(run_cli("summarize", copy, "--format", "csv")[1]))
    records = pd.DataFrame(json.loads(run_cli("summarize", copy, "--format", "json")[1]))
    assert run_cli("summarize", copy, "--format", "parquet", "--output", tmp_path / "s.parquet")[0] == 0
    parquet = pd.read_parquet(tmp_path / "s.parquet")
    for other in (records, parquet):
        assert csv.columns.tolist() == other.columns.tolist()
        np.testing.assert_allclose(csv["seen_s"], other["seen_s"])
    assert csv[[f"share_{label}" for label in EMOTIONS]].sum(axis=1).tolist() == pytest.approx([1.0])
    assert csv.loc[0, "dominant"] == "happiness"
    table = run_cli("summarize", copy)[1]
    assert table.startswith("face, track 1: seen 1.6 s")


def test_epochs_cover_the_time_seen(copy: Path, run_cli: Cli) -> None:
    whole = pd.read_csv(io.StringIO(run_cli("summarize", copy, "--format", "csv")[1]))
    epochs = pd.read_csv(io.StringIO(run_cli("summarize", copy, "--epoch", "500ms", "--format", "csv")[1]))
    assert epochs["seen_s"].sum() == pytest.approx(whole["seen_s"].sum())
    assert (epochs["epoch_end_s"] - epochs["epoch_start_s"]).unique() == pytest.approx([0.5])


def test_parquet_needs_a_file(copy: Path, run_cli: Cli) -> None:
    code, _, err = run_cli("summarize", copy, "--format", "parquet")
    assert code == 2
    assert "needs --output FILE" in err

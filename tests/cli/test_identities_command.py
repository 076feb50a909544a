"""`videmo identities` on tables written without any model."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from written_runs import write_video

from videmo.findings.tables import Run
from videmo.findings.tracks import summarize_tracks
from videmo.output.parquet import write_table

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of one video: track 1 is seen at 0 and 1 s, track 2 at 2 s."""
    out = tmp_path / "out"
    faces = pd.DataFrame({"frame_index": [0, 1, 2], "track_id": [1, 1, 2], "happiness": [0.9, 0.9, 0.1]})
    write_video(out, "a", [0.0, 1.0, 2.0], faces)
    tracks = summarize_tracks(Run(out, as_recorded=True), "a")
    write_table(out / "tracks.parquet", pa.concat_tables([tracks]), {})
    return out


def listed(out: str) -> list[list[str]]:
    rows = pd.read_csv(io.StringIO(out), dtype=str, keep_default_na=False)
    return rows[["track_id", "identity", "rows", "dominant"]].to_numpy().tolist()


def test_tracks_are_listed_named_and_taken_back(folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    code, out, err = run_cli("identities", folder, "--format", "csv")
    assert (code, err) == (0, "")
    recorded = [["1", "", "2", "happiness"], ["2", "", "1", "neutral"]]
    assert listed(out) == recorded
    template = tmp_path / "who.csv"
    assert run_cli("identities", folder, "--write-template", template)[:2] == (0, f"{template}\n")
    rows = pd.read_csv(template, dtype=str)
    rows.assign(identity="Anna").to_csv(template, index=False, sep=";")
    code, out, _ = run_cli("identities", folder, "--decisions", template, "--format", "csv")
    assert (code, listed(out)) == (0, [["1", "Anna", "3", "happiness"]])
    assert run_cli("summarize", folder)[1].startswith("a, track 1 (Anna): seen 3.0 s")
    told = pd.read_csv(io.StringIO(run_cli("summarize", folder, "--format", "csv")[1]))
    assert told[["track_id", "identity"]].to_numpy().tolist() == [[1, "Anna"]]
    assert run_cli("identities", folder)[1].split()[-8:] == ["a", "1", "Anna", "0.00", "2.00", "3", "1.00", "happiness"]
    assert listed(run_cli("identities", folder, "--clear", "--format", "csv")[1]) == recorded


def test_a_track_that_nobody_named_has_no_name(folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "who.csv"
    path.write_text("video_id,track_id,identity\na,1,Anna\n")
    run_cli("identities", folder, "--decisions", path)

    lines = run_cli("summarize", folder)[1].splitlines()

    assert [line.split(":")[0] for line in lines if line.startswith("a, ")] == ["a, track 1 (Anna)", "a, track 2"]


def test_wrong_use_is_one_line(folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "who.csv"
    path.write_text("video_id,track_id,identity\na,7,Anna\n")
    good = tmp_path / "good.csv"
    good.write_text("video_id,track_id,identity\na,1,Anna\n")
    for arguments, says in (
        ([folder, "--decisions", path], f"videmo: {path}, line 2: 'a' has no track 7, its ids go from 1 to 2"),
        ([folder, "--decisions", path, "--clear"], "videmo: --decisions, --clear and --write-template exclude each"),
        ([folder, "--decisions", tmp_path / "none.csv"], f"videmo: {tmp_path / 'none.csv'}: cannot be read"),
        ([folder, "--write-template", tmp_path / "t.csv", "--output", path], "videmo: --write-template writes only"),
        ([folder, "--decisions", good, "--format", "parquet"], "videmo: --format parquet needs --output FILE"),
        ([folder, "--write-template", path], f"videmo: {path}: is there already"),
        ([tmp_path], f"videmo: {tmp_path}: no results of videmo in it"),
    ):
        code, out, err = run_cli("identities", *arguments)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert err.startswith(says)
    assert not (folder / "identities.csv").exists()

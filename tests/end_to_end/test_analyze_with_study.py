"""`analyze` with a study: refused before anything is written, carried into every table, kept by --resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import synthetic

import videmo
from videmo.findings.tables import Run

Cli = Callable[..., tuple[int, str, str]]
PLAIN = videmo.Settings(annotated_video=False, charts=False, jobs=1)
RESUME = PLAIN.merged({"existing": "resume"})
PARTS = ("videos.parquet", "tracks.parquet", "frames/one.parquet", "faces/one.parquet", "frames/two.parquet")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of one face, a study that names the first, and a segment."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("one", "two"):
        synthetic.moving_face_clip(folder / f"{name}.mp4", duration_s=0.5, fps=10, side_px=140)
    (folder / "study.csv").write_text("file,respondent,group,offset_s,town\none.mp4,r1,old,0.1,Bonn\n")
    (folder / "scenes.csv").write_text("start,end,name\n0,0.2,intro\n")
    return folder


def tree(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def columns(out: Path) -> set[tuple[object, ...]]:
    """Return what the tables say of the study: video and values."""
    found = set()
    for part in PARTS:
        table = pd.read_parquet(out / part).astype(object)
        rows = table[["video_id", "respondent", "condition", "offset_s", "town"]]
        found |= set(rows.where(rows.notna(), None).itertuples(index=False, name=None))
    return found


EXPECTED = {("one", "r1", "old", 0.1, "Bonn"), ("two", None, None, None, None)}


def test_study_and_segments_reach_every_table_and_stay(clips: Path, tmp_path: Path) -> None:
    out, notes = tmp_path / "out", []
    given = {"manifest": clips / "study.csv", "segments": clips / "scenes.csv", "noted": notes.append}
    videmo.analyze([clips], out, PLAIN, **given)
    assert [note.split(": ", 1)[1] for note in notes] == [
        "further columns kept: town",
        "no row for two: the study's columns stay empty there",
    ]
    assert columns(out) == EXPECTED
    assert Run(out).study().to_dict("index") == {
        "one": {"respondent": "r1", "condition": "old", "offset_s": 0.1, "town": "Bonn"}
    }
    segments = [("one", "intro", pytest.approx(0.1), pytest.approx(0.3))]
    assert list(Run(out).segments().itertuples(index=False, name=None)) == segments

    (out / "identities.csv").write_text("video_id,track_id,identity\none,1,Anna\n")
    before = tree(out / "frames") | tree(out / "faces")
    report = videmo.analyze([clips], out, RESUME)
    assert all(video.resumed for video in report.videos)
    assert tree(out / "frames") | tree(out / "faces") == before, "tables that carry the study are not written again"
    assert columns(out) == EXPECTED
    assert Run(out).names("one") == {1: "Anna"}
    assert len(notes) == 2
    videmo.analyze([clips], out, RESUME.merged({"stride": 2}), noted=notes.append)
    assert notes[2:] == ["identities.csv: one analysed again: check that the track ids in it still mean the same"]
    assert columns(out) == EXPECTED
    assert list(Run(out).segments().itertuples(index=False, name=None)) == segments

    videmo.analyze([clips], out, PLAIN.merged({"existing": "overwrite"}))
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {"run.json", "checksums.sha256", *PARTS, "faces/two.parquet"}
    assert "respondent" not in pq.read_schema(out / "frames" / "one.parquet").names


def test_a_study_comes_late_and_changes(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while the columns are written loses nothing: the next run goes on with them."""
    out, later = tmp_path / "out", clips / "later.csv"
    videmo.analyze([clips], out, PLAIN)
    whole = {path: pq.read_table(path) for path in out.rglob("*.parquet")}
    calls = []

    def killed(path: Path, study: pd.DataFrame) -> bool:
        calls.append(path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("videmo.analysis.overall.carry_study", killed)
        with pytest.raises(KeyboardInterrupt):
            videmo.analyze([clips], out, RESUME, manifest=clips / "study.csv")
    assert calls
    assert {path: pq.read_table(path) for path in whole} == whole
    report = videmo.analyze([clips], out, RESUME)
    assert all(video.resumed for video in report.videos)
    assert columns(out) == EXPECTED
    later.write_text("file,respondent,condition,offset_s,town\ntwo.mp4,r2,new,0,Ulm\none.mp4,r1,old,0.1,Bonn\n")
    assert all(video.resumed for video in videmo.analyze([clips], out, RESUME, manifest=later).videos)
    assert columns(out) == {("one", "r1", "old", 0.1, "Bonn"), ("two", "r2", "new", 0.0, "Ulm")}


@pytest.mark.parametrize(
    ("manifest", "segments", "tier", "says"),
    [
        (None, None, None, "study.csv: cannot be read: No such file"),
        ("file,respondent\nthree.mp4,r\n", None, None, "study.csv, line 2: file 'three.mp4' is not among the 2 videos"),
        ("file,respondent\none.mp4,r\none.mp4,s\n", None, None, "study.csv, lines 2, 3: the same file"),
        ("file,who\none.mp4,r\n", None, None, "study.csv: no column 'respondent' in the header"),
        ("file,respondent,faces\none.mp4,r,1\n", None, None, "study.csv: column 'faces': videmo's tables have"),
        ("file,respondent\none.mp4,r\n", "start,end,name\n2,1,a\n", None, "scenes.csv, line 2: 'a' ends at 1 s"),
        ("file,respondent\none.mp4,r\n", None, "words", "--tier names a tier of the segments: name their file"),
    ],
)
def test_wrong_files_are_told_before_anything_is_done(
    manifest: str | None, segments: str | None, tier: str | None, says: str, clips: Path, tmp_path: Path, run_cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("videmo.analysis.run.open_models", lambda *_: pytest.fail("a model was loaded"))
    options: list[object] = ["--manifest", tmp_path / "study.csv"]
    if manifest:
        (tmp_path / "study.csv").write_text(manifest.replace("one.mp4", str(clips / "one.mp4")))
    if segments:
        (tmp_path / "scenes.csv").write_text(segments)
        options += ["--segments", tmp_path / "scenes.csv"]
    options += ["--tier", tier] if tier else []
    for further in ([], ["--dry-run"]):
        code, _, err = run_cli("analyze", clips, "--out", tmp_path / "out", *options, *further)
        assert code == 2
        assert says in err
        assert len(err.splitlines()) == 1
        assert not (tmp_path / "out").exists()


def test_the_plan_tells_the_notes(clips: Path, tmp_path: Path, run_cli: Cli) -> None:
    options = ["--manifest", clips / "study.csv", "--dry-run"]
    code, _, err = run_cli("analyze", clips, "--out", tmp_path / "out", *options)
    assert code == 0
    assert f"note: {clips / 'study.csv'}: no row for two" in err


def test_nothing_is_written_where_a_manifest_points(clips: Path, tmp_path: Path, run_cli: Cli) -> None:
    """Values of a manifest are values, whatever they look like; files it names are matched, never opened or written."""
    inside = tmp_path / "inside"
    inside.mkdir()
    study, out = inside / "study.csv", inside / "out"
    far = ("../../evil", "/tmp/evil", "..\\evil", "con", "=cmd")
    study.write_text(
        "file,respondent,stimulus,condition,town\n"
        f"{clips}/../{clips.name}/one.mp4,{far[0]},{far[1]},{far[2]},{far[3]}\n{clips}/two.mp4,{far[4]},s,c,t\n"
    )
    before = tree(clips) | dict.fromkeys(tmp_path.iterdir(), 0)
    options = ["--manifest", study, "--no-video", "--no-charts", "--progress", "none"]
    assert run_cli("analyze", clips, "--out", out, *options)[0] == 0
    assert tree(clips) | dict.fromkeys(tmp_path.iterdir(), 0) == before
    written = {str(path.relative_to(inside)) for path in inside.rglob("*") if path.is_file()}
    assert written == {
        "study.csv", "out/run.json", "out/checksums.sha256", "out/study.parquet",
        *(f"out/{part}" for part in (*PARTS, "faces/two.parquet"))
    }  # fmt: skip
    study.write_text("file,respondent\n../../../../etc/passwd,r\n")
    code, _, err = run_cli("analyze", clips, "--out", out, "--resume", *options)
    assert (code, "'../../../../etc/passwd' is not among the 2 videos" in err) == (2, True)


def test_summaries_take_the_runs_own_study(clips: Path, tmp_path: Path, run_cli: Cli) -> None:
    out = tmp_path / "out"
    videmo.analyze([clips / "one.mp4"], out, PLAIN, manifest=clips / "study.csv")
    assert (
        run_cli("summarize", out, "--format", "csv")[1].splitlines()[0].endswith("respondent,condition,offset_s,town")
    )
    (tmp_path / "other.csv").write_text(f"file,respondent\n{clips / 'one.mp4'},r9\n")
    told = run_cli("summarize", out, "--format", "csv", "--manifest", tmp_path / "other.csv")[1].splitlines()
    assert (told[0].endswith(",respondent,offset_s"), told[1].endswith(",r9,0.0")) == (True, True)

"""`videmo summarize` with a study and segments, on tables written without any model."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_frames import scored_frames, video_info
from written_runs import write_study

from videmo.emotion.labels import EMOTIONS
from videmo.output.parquet import TablesSink, write_table

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Two finished videos of 1 s, 25 frames/s: one face in `a`, none in `b`; and a study beside them."""
    out = tmp_path / "out"
    for video_id, faces in (("a", 1), ("b", 0)):
        video = video_info(tmp_path, video_id=video_id)
        sink = TablesSink(out, video, EMOTIONS, {})
        for item in scored_frames(video, [faces] * 25):
            sink.write(item)
        sink.close()
        # The faces are made of random numbers: whether their pose is usable is not what is tested here.
        table = pq.read_table(out / "faces" / f"{video_id}.parquet")
        names = [name for name in table.column_names if name != "usable"]
        pq.write_table(table.select(names), out / "faces" / f"{video_id}.parquet")
    paths = [str(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    write_table(out / "videos.parquet", pa.table({"video_id": ["a", "b"], "path": paths}), {})
    (tmp_path / "study.csv").write_text("file;respondent;group;offset_s\na.mp4;r1;old;0,5\nb.mp4;r2;new;0\n")
    (tmp_path / "scenes.csv").write_text("start,end,name\n0,0.4,intro\n0.4,9,rest\n")
    return out


def options(folder: Path) -> list[object]:
    return ["--manifest", folder.parent / "study.csv", "--segments", folder.parent / "scenes.csv"]


def test_segments_carry_the_study(run_folder: Path, run_cli: Cli) -> None:
    code, out, err = run_cli("summarize", run_folder, *options(run_folder), "--by", "video", "--format", "csv")
    assert (code, err) == (0, "")
    rows = pd.read_csv(io.StringIO(out))
    keys = ["video_id", "segment", "start_s", "end_s", "respondent", "condition", "seen_s"]
    assert list(rows[keys].itertuples(index=False, name=None)) == [
        ("a", "intro", 0.5, 0.9, "r1", "old", pytest.approx(0.4)),
        ("a", "rest", 0.9, 9.5, "r1", "old", pytest.approx(0.1)),
        ("b", "intro", 0.0, 0.4, "r2", "new", 0.0),
        ("b", "rest", 0.4, 9.0, "r2", "new", 0.0),
    ]


def test_segments_go_to_parquet_and_to_people(run_folder: Path, run_cli: Cli) -> None:
    path = run_folder / "segments.parquet"
    assert run_cli("summarize", run_folder, *options(run_folder), "--format", "parquet", "--output", path)[0] == 0
    table = pd.read_parquet(path)
    assert table["segment"].tolist() == ["intro", "rest"]
    assert table[[f"share_{label}" for label in EMOTIONS]].sum(axis=1).tolist() == pytest.approx([1.0, 1.0])
    shown = run_cli("summarize", run_folder, *options(run_folder))[1].splitlines()
    assert len(shown) == 3
    assert shown[0].split()[:5] == ["video_id", "track_id", "segment", "start_s", "end_s"]


@pytest.mark.parametrize("epoch", [[], ["--epoch", "1s"]])
def test_other_summaries_carry_the_study_too(run_folder: Path, run_cli: Cli, epoch: list[str]) -> None:
    manifest = ["--manifest", run_folder.parent / "study.csv"]
    code, out, _ = run_cli("summarize", run_folder, *manifest, *epoch, "--format", "csv")
    assert code == 0
    assert pd.read_csv(io.StringIO(out))["condition"].tolist() == ["old"]


def test_the_study_of_the_run_needs_no_manifest(run_folder: Path, run_cli: Cli) -> None:
    write_study(run_folder, {"a": {"respondent": "r9", "offset_s": 0.5}})
    _, out, _ = run_cli("summarize", run_folder, "--segments", run_folder.parent / "scenes.csv", "--format", "csv")
    rows = pd.read_csv(io.StringIO(out))
    assert rows[["segment", "start_s", "respondent"]].to_numpy().tolist() == [["intro", 0.5, "r9"], ["rest", 0.9, "r9"]]


def test_what_is_assumed_is_told(run_folder: Path, run_cli: Cli) -> None:
    path = run_folder.parent / "study.csv"
    path.write_bytes("file,respondent,town\na.mp4,José,Köln\n".encode("cp1252"))
    code, out, err = run_cli("summarize", run_folder, "--manifest", path, "--format", "csv")
    assert code == 0
    assert "José" in out
    for says in ("taken for Windows-1252", "further columns kept: town", "no row for b"):
        assert f"note: {path}" in err
        assert says in err


def test_wrong_files_and_options_are_named(run_folder: Path, run_cli: Cli) -> None:
    (run_folder.parent / "study.csv").write_text("file,respondent\nc.mp4,r\n")
    code, _, err = run_cli("summarize", run_folder, *options(run_folder))
    assert (code, "line 2: file 'c.mp4' is not among the 2 videos of this run" in err) == (2, True)
    code, _, err = run_cli("summarize", run_folder, "--segments", "x.csv", "--epoch", "1s")
    assert (code, "--epoch and --segments" in err) == (2, True)


def test_respondents_are_summed_up(run_folder: Path, run_cli: Cli) -> None:
    code, out, err = run_cli(
        "summarize", run_folder, "--manifest", run_folder.parent / "study.csv", "--by", "respondent"
    )
    assert (code, err) == (0, "")
    assert "r1, videos: 1, tracks: 1, seen 1.0 s, 100% of it usable" in out
    assert "r2" not in out  # nobody was seen


def test_respondents_have_no_epochs_here(run_folder: Path, run_cli: Cli) -> None:
    code, _, err = run_cli("summarize", run_folder, "--by", "respondent", "--epoch", "1s")
    assert code == 2
    assert "use `videmo timelines`" in err


ODD = {"share_code": "x", "mean_age": "old", "peak_hour": "noon"}


@pytest.mark.parametrize("further", [[], ["--by", "video"], ["--by", "respondent"], ["--epoch", "1s"]])
@pytest.mark.parametrize("named", [ODD, {"segment": "s"}, {"signal": "s"}], ids=",".join)
def test_columns_that_look_like_ours_are_the_studys(
    named: dict[str, str], further: list[str], run_folder: Path, run_cli: Cli
) -> None:
    """Runs of older versions may have names that `analyze` refuses today."""
    _, plain, _ = run_cli("summarize", run_folder, "--manifest", run_folder.parent / "study.csv", *further)
    study = {"respondent": "r1", "condition": "old", "offset_s": 0.5}
    write_study(run_folder, {"a": study | named})
    code, out, err = run_cli("summarize", run_folder, *further)
    assert (code, err) == (0, "")
    if "--epoch" in further:
        assert set(out.split()) - set(plain.split()) == {*named, *named.values()} - {"old"}
    else:
        assert out == plain


def test_names_of_ours_are_refused(run_folder: Path, run_cli: Cli) -> None:
    manifest = run_folder.parent / "study.csv"
    manifest.write_text("file,respondent,seen_s\na.mp4,r1,9\n")
    said = f"{manifest}: column 'seen_s': videmo's tables have a column of this name: rename it"
    for by in ("track", "respondent"):
        code, _, err = run_cli("summarize", run_folder, "--manifest", manifest, "--by", by)
        assert (code, said in err) == (2, True)
    write_study(run_folder, {"a": {"respondent": "r1", "seen_s": "9"}})
    for by in ("track", "respondent"):
        code, _, err = run_cli("summarize", run_folder, "--by", by)
        assert (code, "manifest column seen_s: videmo's table has columns of this name: rename it" in err) == (2, True)

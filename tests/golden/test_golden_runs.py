"""Runs of older table versions are read as their own videmo read them; those of unknown ones are refused."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import pandas as pd
import pytest
from golden.make import FRAMES, GOLDEN, SUMMARIES, write_inputs
from golden_copies import VERSIONS, add_novelties, copy_run, rewrite, rewrite_all

import videmo
from videmo.analysis.folder import FINGERPRINT, RunFolder
from videmo.analysis.verification import verify
from videmo.findings.export import FORMATS
from videmo.findings.tables import Run
from videmo.output.checksums import CHECKSUMS, read_checksums
from videmo.output.schema import SCHEMA_VERSION

pytestmark = pytest.mark.timeout(120)  # charts and pages are drawn, whole clips analysed

Cli = Callable[..., tuple[int, str, str]]

CLIPS = ("one-face.y4m", "two-faces.y4m", "broken.mp4")
TABLES = ("videos.parquet", "tracks.parquet", "frames", "faces")
UNKNOWN = ["2.0", "0.9", "10.0", None, "", "1", "1.x", "one", "1.3\n"]

READERS: dict[str, Sequence[str]] = {
    **{f"summarize {name}": ("summarize", "run", *options) for name, options in SUMMARIES.items()},
    "timelines": ("timelines", "run", "--baseline", "0-0.4s"),
    "moments": ("moments", "run", "--min-duration", "0.1s"),
    "identities": ("identities", "run"),
    "template": ("identities", "run", "--write-template", "who.csv"),
    "charts": ("charts", "run", "--out", "charts"),
    "report": ("report", "run"),
    **{f"export {name}": ("export", "run", "--to", name) for name in FORMATS},
}
"""What reads the tables of a run and nothing else."""

HANDED_ON = {
    *("faces.csv", "faces.jsonl", "videmo.csv", "codebook.csv", "segment_summary.parquet"),
    *("report.html", "provenance.parquet", "one-face.eaf", "two-faces.eaf"),
}
"""Files with whole rows of a table, also columns this videmo does not know; with the schema version; with a date."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the test, where commands run: golden runs name their inputs relative to it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(out: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(out / name) for name in TABLES}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_one_line(err: str, says: str) -> None:
    assert err.startswith("videmo: ")
    assert err.count("\n") == 1, err
    assert says in err


def test_every_minor_version_has_its_golden_run() -> None:
    major, minor = SCHEMA_VERSION.split(".")
    assert [f"{major}.{number}" for number in range(int(minor) + 1)] == VERSIONS, "make the one that is missing"
    assert [Run(GOLDEN / version / "run").videos().shape[0] for version in VERSIONS] == [3] * len(VERSIONS)


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("version", VERSIONS)
def test_summaries_say_what_they_said_then(version: str, name: str, run_cli: Cli) -> None:
    code, out, err = run_cli("summarize", GOLDEN / version / "run", *SUMMARIES[name], "--format", "csv")
    assert (code, err) == (0, "")
    said, says = pd.read_csv(GOLDEN / version / name), pd.read_csv(io.StringIO(out))
    assert len(said) > 1
    pd.testing.assert_frame_equal(says[said.columns], said, rtol=1e-6)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_reads_every_minor_version(version: str, reader: str, here: Path, run_cli: Cli) -> None:
    before = set(contents(copy_run(version, here / "run")))
    code, out, _ = run_cli(*READERS[reader])
    assert code == 0
    assert "one-face" in out or any(path.stat().st_size for path in here.rglob("*") if path not in before)


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_that_are_exported_are_those_of_the_tables(version: str, here: Path, run_cli: Cli) -> None:
    out = copy_run(version, here / "run")
    assert run_cli("export", out, "--to", "csv", "--output", here / "csv")[0] == 0
    exported, faces = pd.read_csv(here / "csv" / "faces.csv"), pd.read_parquet(out / "faces")
    assert len(exported) == len(faces) == 3 * FRAMES
    for name in ("time_s", "x1", "happiness", "disgust"):
        assert exported[name].to_numpy() == pytest.approx(faces[name].to_numpy(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("version", VERSIONS)
def test_to_aggregate_says_what_a_golden_run_lacks(version: str, here: Path, run_cli: Cli) -> None:
    out = copy_run(version, here / "run")
    code, _, err = run_cli("aggregate", out)
    assert code == 2
    assert_one_line(err, "fewer than 3 usable respondents" if Run(out).study().size else "no study in this run")


@pytest.mark.parametrize("version", VERSIONS)
def test_render_wants_the_inputs_and_draws_the_tables(version: str, here: Path, run_cli: Cli) -> None:
    copy_run(version, here / "run")
    code, _, err = run_cli("render", "run")
    assert code == 2
    assert_one_line(err, "one-face.y4m: no such file or folder")
    write_inputs(here)
    assert run_cli("render", "run")[0] == 0
    with av.open(str(here / "run" / "annotated" / "two-faces.mp4")) as drawn:
        assert len(list(drawn.decode(video=0))) == FRAMES


@pytest.mark.parametrize("version", VERSIONS)
def test_verify_finds_golden_runs_unchanged_or_without_a_record(version: str, here: Path, run_cli: Cli) -> None:
    out = copy_run(version, here / "run")
    write_inputs(here)
    if not read_checksums(out):
        code, _, err = run_cli("verify", out)
        assert code == 2
        assert_one_line(err, "checksums.sha256: missing: no run has ended here, or an older videmo's")
        return
    checks = verify(out)
    ours = checks[checks["kind"] != "preset"]  # presets may have been trained further since
    assert not ours["harms"].any(), ours[ours["harms"]]
    assert set(ours["kind"]) == {"input", "output"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The tables of the inputs of golden runs as this videmo writes them."""
    folder = tmp_path_factory.mktemp("fresh")
    write_inputs(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        videmo.analyze(CLIPS, "run", videmo.Settings(annotated_video=False, charts=False))
    return read(folder / "run")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_run_ends_with_the_tables_of_a_new_one(
    version: str, here: Path, run_cli: Cli, fresh: dict[str, pd.DataFrame]
) -> None:
    out = copy_run(version, here / "run")
    write_inputs(here)
    study = Run(out).study().columns
    assert run_cli("analyze", *CLIPS, "--out", out, "--resume", "--no-video", "--no-charts")[0] == 3
    for name, found in read(out).items():
        own = found.drop(columns=study, errors="ignore")
        pd.testing.assert_frame_equal(own, fresh[name], rtol=0, atol=1e-4, obj=name)


def test_a_video_is_taken_over_with_all_columns_of_this_version_only(here: Path) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    folder, metadata = RunFolder(out), Run(out).footer("one-face")
    assert folder.finished("one-face", metadata) is not None
    rewrite(out / "frames" / "one-face.parquet", "1.0")
    assert folder.finished("one-face", metadata) is None
    assert folder.finished("one-face", metadata, FINGERPRINT[:1]) is not None


@pytest.mark.parametrize("reader", READERS)
def test_a_newer_minor_version_is_read_without_what_it_added(
    reader: str, tmp_path: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ours", "newer"):
        copy_run(SCHEMA_VERSION, tmp_path / name / "run")
    add_novelties(tmp_path / "newer" / "run")
    rewrite_all(tmp_path / "newer" / "run", "1.99")
    told, made = {}, {}
    for name in ("ours", "newer"):
        monkeypatch.chdir(tmp_path / name)
        before = contents(Path())
        told[name] = run_cli(*READERS[reader])
        made[name] = {path: content for path, content in contents(Path()).items() if path not in before}
    assert told["newer"] == told["ours"]
    assert told["ours"][0] == 0
    assert made["newer"].keys() == made["ours"].keys()
    for path in (path for path in made["ours"] if path.name not in HANDED_ON):
        assert made["newer"][path] == made["ours"][path], path


def test_a_newer_minor_version_is_rendered_and_verified(here: Path, run_cli: Cli) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    write_inputs(here)
    add_novelties(out)
    rewrite_all(out, "1.99")
    assert run_cli("render", out)[0] == 0
    checks = verify(out)
    assert not checks["harms"][checks["kind"] != "preset"].any()


def test_a_run_of_a_newer_minor_version_is_not_gone_on_with(here: Path, run_cli: Cli) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    write_inputs(here)
    rewrite_all(out, "1.99")
    before = contents(out)
    code, _, err = run_cli("analyze", *CLIPS, "--out", out, "--resume")
    assert code == 2
    assert_one_line(
        err, f"tables of version 1.99 are newer than this videmo, which writes {SCHEMA_VERSION}: update videmo"
    )
    assert contents(out) == before
    assert run_cli("analyze", *CLIPS, "--out", out, "--overwrite", "--no-video", "--no-charts")[0] == 3
    assert Run(out).footer("one-face")["videmo.schema_version"] == SCHEMA_VERSION


WHOLE_RUN_READERS = READERS | {
    "render": ("render", "run"),
    "verify": ("verify", "run"),
    "aggregate": ("aggregate", "run"),
}


@pytest.mark.parametrize("reader", WHOLE_RUN_READERS)
def test_an_unknown_major_version_is_refused_by_every_command(reader: str, here: Path, run_cli: Cli) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    rewrite_all(out, "2.0")
    before = contents(out)
    code, _, err = run_cli(*WHOLE_RUN_READERS[reader])
    assert code == 2
    assert_one_line(
        err, ": tables of version 2.0, this videmo reads 1.x: use the videmo that wrote them or analyse again"
    )
    assert contents(out) == before
    assert [path for path in here.rglob("*") if path.is_file() and not path.is_relative_to(out)] == []


# Where each file that says a version is read, every other one being of this version.
READ_BY = {
    "frames/one-face.parquet": ("summarize", "run"),
    "faces/one-face.parquet": ("summarize", "run"),
    "study.parquet": ("summarize", "run"),
    "segments.parquet": ("timelines", "run", "--baseline", "opening"),
    "tracks.parquet": ("identities", "run"),
    "videos.parquet": ("render", "run"),
    "run.json": ("report", "run"),
}


@pytest.mark.parametrize("version", UNKNOWN, ids=repr)
@pytest.mark.parametrize("name", READ_BY)
def test_every_file_that_says_a_version_is_held_to_it(name: str, version: str | None, here: Path, run_cli: Cli) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    rewrite(out / name, version)
    code, _, err = run_cli(*READ_BY[name])
    assert code == 2
    assert_one_line(err, f"{Path(name).name}: tables of version")


@pytest.mark.parametrize("name", [name for name in READ_BY if name.endswith(".parquet")])
@pytest.mark.parametrize("version", ["2.0", None])
def test_a_run_of_an_unknown_major_version_is_not_gone_on_with(
    version: str | None, name: str, here: Path, run_cli: Cli
) -> None:
    out = copy_run(SCHEMA_VERSION, here / "run")
    write_inputs(here)
    rewrite(out / name, version)
    before = contents(out)
    code, _, err = run_cli("analyze", *CLIPS, "--out", out, "--resume")
    assert code == 2
    assert_one_line(err, f"{Path(name).name}: tables of version {version or 'none'}, this videmo reads 1.x")
    assert contents(out) == before
    assert CHECKSUMS in {path.name for path in before}

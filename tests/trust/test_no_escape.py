"""Names and paths from anywhere: results stay in the folder of the run, whatever files, studies and tables say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from reported_runs import finish, write_face
from written_runs import write_segments, write_study

import videmo
from videmo.analysis import render, verify
from videmo.analysis.folder import PARTS, RunFolder
from videmo.errors import UsageError, VideoError
from videmo.filenames import is_plain
from videmo.findings.export import FORMATS, export
from videmo.findings.group_charts import _FileNames
from videmo.findings.report.page import write_report
from videmo.findings.tables import Run
from videmo.output.checksums import CHECKSUMS
from videmo.output.lock import hold_folder
from videmo.output.names import IDENTITIES
from videmo.output.parquet import write_table
from videmo.video.discover import discover

pytestmark = pytest.mark.timeout(120)  # videos are analysed

Cli = Callable[..., tuple[int, str, str]]
ESCAPES = ["../evil", "../../evil", "/tmp/evil", "..", ".", "", "a/../../evil", "C:evil", "..\\evil", "a\0b"]

# What file systems take, and what people and attackers put there.
_NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.sampled_from(
        ["..x", "...", "C:evil", "..\\..\\evil", "~", "-rf", "con", "nul.mp4", "%2e%2e%2fevil", "a\nb", " "]
    ),
    st.binary(min_size=1, max_size=60).map(
        lambda name: os.fsdecode(name.replace(b"/", b"").replace(b"\0", b"") or b"x")
    ),
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 250)


@given(st.lists(_NAMES, min_size=1, max_size=4, unique=True), st.lists(_NAMES, max_size=2))
@settings(max_examples=60)
def test_files_of_any_name_get_ids_that_stay_in_the_folder(names: list[str], folders: list[str]) -> None:
    with TemporaryDirectory() as root:
        inputs = Path(root, "in", *folders)
        inputs.mkdir(parents=True)
        for name in names:
            (inputs / f"{name}.mp4").touch()
        found = discover([inputs / f"{name}.mp4" for name in names])
        assert len({item.video_id.casefold() for item in found}) == len(names)
        for item in found:
            assert is_plain(item.video_id)
            for part in PARTS:
                path = RunFolder(Path(root, "out")).part(part, item.video_id)
                assert Path(os.path.normpath(path)).parent == Path(root, "out", part)


@given(st.text() | st.sampled_from(ESCAPES))
def test_a_plain_name_is_a_file_in_the_folder_on_any_system(name: str) -> None:
    if is_plain(name):
        assert (PurePosixPath("/out") / name).parent == PurePosixPath("/out")
        assert (PureWindowsPath("C:/out") / name).parent == PureWindowsPath("C:/out")
        assert name not in (".", "..")


@pytest.mark.parametrize("name", ESCAPES)
def test_paths_are_no_plain_names(name: str) -> None:
    assert not is_plain(name)


@given(st.lists(st.lists(st.text() | st.sampled_from(ESCAPES), min_size=1, max_size=3), min_size=1, max_size=5))
def test_charts_named_by_the_study_stay_in_their_folder(words: list[list[str]]) -> None:
    names = _FileNames(Path("/charts"), "png")
    paths = [names.new("curves", *own) for own in words]
    assert {Path(os.path.normpath(path)).parent for path in paths} == {Path("/charts")}
    assert len({str(path).casefold() for path in paths}) == len(words)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = (picture for picture, _ in synthetic.moving_face(5))
    return synthetic.write_clip(
        tmp_path_factory.mktemp("clips") / "clip.mp4", pictures, times_s=[0.04 * index for index in range(5)]
    )


def files_below(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[None]:
    """Hold what lies beside the folder of the run against what lay there before."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "kept.parquet").write_bytes(b"somebody else's")
    yield
    assert files_below(beside) == {beside / "kept.parquet": b"somebody else's"}
    assert not list(tmp_path.glob("evil*"))


@pytest.mark.usefixtures("untouched")
def test_a_run_over_hostile_names_stays_in_its_folder(clip: Path, tmp_path: Path, run_cli: Cli) -> None:
    inputs = tmp_path / "in" / ".. "
    inputs.mkdir(parents=True)
    names = ("-rf.mp4", "C:evil.mp4", "x\\..\\..\\evil.mp4", "~.mp4", "a\nb.mp4", "$(touch evil).mp4")
    for name in names:
        shutil.copy(clip, inputs / name)
    (tmp_path / "link").symlink_to(inputs)
    manifest = tmp_path / "study.csv"
    manifest.write_text("file,respondent,note\nlink/-rf.mp4,../../evil,/evil\n", encoding="utf-8")
    before = set(files_below(tmp_path))
    options = ("--out", tmp_path / "out", "--manifest", manifest, "--progress", "none")
    code, _, err = run_cli("analyze", tmp_path / "link", *options)
    assert code == 0, err
    added = set(files_below(tmp_path)) - before
    assert len(Run(tmp_path / "out").video_ids) == len(names)
    assert all(path.is_relative_to(tmp_path / "out") for path in added)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "file", ["../../evil.mp4", "/etc/passwd", "..", "C:\\evil.mp4", "a\0.mp4", "file:///etc/passwd"]
)
def test_a_manifest_names_inputs_and_nothing_else(clip: Path, tmp_path: Path, run_cli: Cli, file: str) -> None:
    manifest = tmp_path / "study.csv"
    manifest.write_text(f'file,respondent\n"{file}",p1\n', encoding="utf-8")
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out", "--manifest", manifest)
    assert code == 2
    assert ("not a text file" if "\0" in file else "is not among the 1 videos of this run") in err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_face(tmp_path / "out", "v", 2, fps=10)
    write_study(tmp_path / "out", {"v": {"respondent": "p", "condition": "c"}})
    write_segments(tmp_path / "out", ("v", "first", 0.0, 1.0))
    return finish(tmp_path / "out")


def rename_ids(path: Path, video_id: str) -> None:
    """Give all rows of a table another id, as whoever made the folder could."""
    with pq.ParquetFile(path) as file:
        table, said = file.read(), {k.decode(): v.decode() for k, v in file.metadata.metadata.items()}
    ids = pa.array([video_id] * len(table), pa.string())
    table = table.set_column(table.schema.get_field_index("video_id"), "video_id", ids)
    write_table(path, table.replace_schema_metadata(None), {k: v for k, v in said.items() if k != "ARROW:schema"})


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("video_id", ["../../beside/kept", "../faces/v", "/etc/passwd", ".."])
def test_ids_in_the_tables_lead_nowhere(run: Run, video_id: str) -> None:
    for name in ("videos.parquet", "study.parquet", "segments.parquet"):
        rename_ids(run.out / name, video_id)
    with pytest.raises(UsageError, match="is no id of a video"):
        render(run.out)
    with pytest.raises(UsageError, match="is no id of a video"):
        render(run.out, [video_id])
    before = {path for path in run.out.rglob("*") if path.is_file()}
    for form in FORMATS:
        export(run, form)
        with pytest.raises(UsageError, match="no finished video"):
            export(run, form, video_ids=[video_id])
    added = {path for path in run.out.rglob("*") if path.is_file()} - before
    assert added
    assert all(path.is_relative_to(run.out / "export") for path in added)


@pytest.mark.usefixtures("untouched")
def test_the_report_of_a_foreign_run_stays_in_its_folder(run: Run, tmp_path: Path) -> None:
    rows = [("../../beside/kept", 1, "../../evil"), ("v", 1, "/etc/evil")]
    decided = pd.DataFrame(rows, columns=["video_id", "track_id", "identity"])
    decided.to_csv(run.out / IDENTITIES, index=False)
    rename_ids(run.out / "segments.parquet", "../../beside/kept")
    before = set(files_below(tmp_path))
    write_report(run)
    added = {path.relative_to(run.out).parts[0] for path in set(files_below(tmp_path)) - before}
    assert added == {"findings", "report.html"}


def test_checksums_of_files_elsewhere_are_not_looked_at(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    names = ["../secret", str(secret), "frames/../../secret"]
    (run.out / CHECKSUMS).write_text("".join(f"{'0' * 64}  {name}\n" for name in names), encoding="utf-8")
    checks = verify(run.out).set_index("name")
    assert checks.loc[names, "status"].tolist() == ["missing"] * 3


@pytest.mark.parametrize(
    "name", ["annotated", "charts", "faces", "frames", "findings", "videos.parquet", ".videmo.lock"]
)
@pytest.mark.usefixtures("untouched")
def test_links_in_a_folder_from_elsewhere_are_not_followed(
    run: Run, clip: Path, tmp_path: Path, run_cli: Cli, name: str
) -> None:
    outside = tmp_path / "beside"
    if (run.out / name).exists() and (run.out / name).is_dir():
        shutil.rmtree(run.out / name)
    (run.out / name).unlink(missing_ok=True)
    (run.out / name).symlink_to(outside if "." not in name else outside / "kept.parquet")
    for command in (("analyze", clip, "--overwrite", "--out"), ("report",), ("render",)):
        code, _, err = run_cli(*command, run.out)
        assert (code, err.count("\n")) == (2, 1)
        # A report reads first, and finds no table where it was.
        assert command[0] == "report" or f"{run.out / name}: a link out of" in err


@pytest.mark.usefixtures("untouched")
def test_exports_do_not_follow_links_out_of_the_run(run: Run, tmp_path: Path) -> None:
    (run.out / "export").mkdir()
    (run.out / "export" / "csv").symlink_to(tmp_path / "beside")
    with pytest.raises(UsageError, match="a link out of"):
        export(run, "csv")


def test_a_partial_file_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "table.parquet.partial").symlink_to(tmp_path / "target")
    write_table(tmp_path / "table.parquet", pa.table({"a": [1]}), {})
    assert (tmp_path / "target").read_text() == "kept"
    assert pq.read_table(tmp_path / "table.parquet")["a"].to_pylist() == [1]


def test_links_inside_the_folder_are_the_owners(tmp_path: Path) -> None:
    (tmp_path / "out" / "elsewhere").mkdir(parents=True)
    (tmp_path / "out" / "annotated").symlink_to(tmp_path / "out" / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with hold_folder(tmp_path / "link"):
        assert (tmp_path / "out" / ".videmo.lock").exists()


# A video may be a list of other files, or of addresses in a network.

LISTS = {
    "other.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n",
    "network.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/clip.ts\n#EXT-X-ENDLIST\n",
    "list.mp4": "ffconcat version 1.0\nfile {clip}\n",
    "stream.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_is_not_played(clip: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(clip, tmp_path / "clip.mp4")
    (tmp_path / name).write_text(LISTS[name].format(clip="clip.mp4"))
    with pytest.raises(VideoError, match=r"a playlist, not a video|not a video file that FFmpeg can read"):
        list(videmo.stream(tmp_path / name))

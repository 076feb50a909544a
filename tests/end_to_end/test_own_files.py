"""A run removes and replaces no file that videmo did not write, least of all its own input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic

import videmo
from videmo.analysis.folder import RunFolder
from videmo.errors import UsageError
from videmo.settings import Settings
from videmo.video.discover import discover

Cli = Callable[..., tuple[int, str, str]]
PLAIN = Settings(detector="haar", annotated_video=False, charts=False)
MINE = b"mine, by hand"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    synthetic.moving_face_clip(path, duration_s=0.4, fps=10, side_px=140)
    return path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(path: Path, content: bytes = MINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def refused(run_cli: Cli, *arguments: object) -> str:
    code, _, err = run_cli(*arguments)
    assert (code, err.count("\n")) == (2, 1), err
    return err


@pytest.mark.parametrize("option", ["--detector=haar", "--overwrite", "--resume", "--dry-run"])
@pytest.mark.parametrize("name", ["annotated/clip.mp4", "charts/clip.png", "faces/clip.mp4"])
def test_an_input_where_results_go_is_refused(
    short: Path, tmp_path: Path, run_cli: Cli, name: str, option: str
) -> None:
    put(tmp_path / name, short.read_bytes())
    before = contents(tmp_path)
    err = refused(run_cli, "analyze", tmp_path / name, "--out", tmp_path, option)
    assert f"{tmp_path / name}: lies in {(tmp_path / name).parent}, where results go: name another folder" in err
    assert contents(tmp_path) == before


def test_an_input_among_the_results_of_a_run_is_not_removed_before_it_is_read(
    short: Path, tmp_path: Path, run_cli: Cli
) -> None:
    videmo.analyze([short], tmp_path / "out", PLAIN)
    other = put(tmp_path / "out" / "annotated" / "other.mp4", short.read_bytes())
    (tmp_path / "link.mp4").symlink_to(other)
    before = contents(tmp_path)
    for name in (other, tmp_path / "link.mp4", other.parent):
        refused(run_cli, "analyze", name, "--out", tmp_path / "out", "--overwrite")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("existing", ["overwrite", "resume"])
def test_files_of_the_users_own_outlive_runs_that_do_not_write_them(short: Path, tmp_path: Path, existing: str) -> None:
    out = tmp_path / "out"
    names = ("annotated/clip.mp4", "charts/clip.png", "annotated/a.mp4", "report.html")
    own = [put(out / name) for name in names]
    for settings in (PLAIN, PLAIN.merged({"existing": existing, "stride": 2})):
        videmo.analyze([short], out, settings)
        assert [path.read_bytes() for path in own] == [MINE] * len(own)
    assert "annotated/clip.mp4" not in (out / "checksums.sha256").read_text()


@pytest.mark.parametrize("name", ["annotated/clip.mp4", "charts/clip.png", "frames/clip.parquet", "run.json"])
def test_a_file_of_the_users_own_is_not_replaced(short: Path, tmp_path: Path, run_cli: Cli, name: str) -> None:
    own = put(tmp_path / "out" / name)
    for option in ("--dry-run", "--stride=1", "--overwrite", "--resume"):
        err = refused(run_cli, "analyze", short, "--out", tmp_path / "out", option)
        assert f"{own}: is there already and was not written by videmo: move it away, or name another folder" in err
        assert contents(tmp_path / "out") == {own: MINE}


def test_nor_by_render_or_the_demo(short: Path, tmp_path: Path, run_cli: Cli) -> None:
    clip = put(tmp_path / "demo" / "astronaut.mp4")
    assert f"{clip}: is there already" in refused(run_cli, "demo", "--out", tmp_path / "demo")
    assert contents(tmp_path / "demo") == {clip: MINE}
    out = tmp_path / "out"
    videmo.analyze([short], out, PLAIN)
    annotated = put(out / "annotated" / "clip.mp4")
    assert f"{annotated}: is there already" in refused(run_cli, "render", out)
    annotated.unlink()
    assert run_cli("render", out)[0] == 0
    assert run_cli("verify", out)[0] == 0
    videmo.analyze([short], out, PLAIN.merged({"existing": "overwrite"}))
    assert not annotated.exists(), "what `render` wrote is videmo's"


def test_what_a_killed_run_left_is_videmos(short: Path, tmp_path: Path) -> None:
    settings = PLAIN.merged({"annotated_video": True, "existing": "resume"})
    sources = discover([short])
    folder = RunFolder(tmp_path)
    folder.check(settings, sources)
    folder.take(settings, sources)
    folder.write_run({"schema": "1.3", "settings": settings.describe(), "preset": {}}, ended=False)
    folder.prepare(settings, sources, "")
    left = put(tmp_path / "annotated" / "clip.mp4")  # finished a moment before the kill; its tables are not
    assert videmo.analyze([short], tmp_path, settings).videos[0].status == "done"
    assert left.read_bytes() != MINE


@pytest.mark.parametrize("killed", [False, True])
def test_the_results_of_an_older_videmo_are_still_its_own(short: Path, tmp_path: Path, killed: bool) -> None:
    videmo.analyze([short], tmp_path, PLAIN.merged({"annotated_video": True}))
    run = json.loads((tmp_path / "run.json").read_text())
    del run["files"]
    (tmp_path / "run.json").write_text(json.dumps(run))
    if killed:
        (tmp_path / "checksums.sha256").unlink()
    other = tmp_path / "other.mp4"
    shutil.copy(short, other)
    own = put(tmp_path / "annotated" / "own.mp4")
    videmo.analyze([other], tmp_path, PLAIN.merged({"existing": "overwrite"}))
    assert sorted((tmp_path / "annotated").iterdir()) == [own]


def test_a_name_that_failed_is_free_again(short: Path, tmp_path: Path) -> None:
    bad = put(tmp_path / "bad.mp4")
    videmo.analyze([short, bad], tmp_path / "out", PLAIN.merged({"annotated_video": True}))
    own = put(tmp_path / "out" / "annotated" / "bad.mp4")
    videmo.analyze([short], tmp_path / "out", PLAIN.merged({"existing": "overwrite"}))
    assert own.read_bytes() == MINE
    with pytest.raises(UsageError, match="was not written by videmo"):
        RunFolder(tmp_path / "out").check(
            PLAIN.merged({"annotated_video": True, "existing": "resume"}), [*discover([short]), *discover([bad])]
        )

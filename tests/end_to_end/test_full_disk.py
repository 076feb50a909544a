"""A disk that is full, limited or read-only: one clear line, nothing half written, nothing finished lost, resumable."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from stopped_runs import assert_same_tables, check_every_file_opens, read_tables, short_clips, start

import videmo
from videmo.analysis import verify
from videmo.output.lock import LOCK

pytestmark = pytest.mark.timeout(120)  # models are loaded several times

resource = pytest.importorskip("resource", reason="limits of POSIX")

CLIPS, MANY = 3, 16

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return short_clips(tmp_path_factory.mktemp("clips"), CLIPS)


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with all the room it wanted."""
    out = tmp_path_factory.mktemp("whole") / "out"
    videmo.analyze([clips], out, videmo.Settings(jobs=1))
    return out


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 20 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)  # fails where a file was left open


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", disk], check=True)


def needed_kib(whole: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4 for path in whole.rglob("*") if path.is_file())


def fill(disk: Path, kib: int, clips: Path, whole: Path, run_cli: Cli) -> int:
    """Run on a disk of `kib`, then with room again; return how many videos were finished on the full one."""
    out = disk / "out"
    remount(disk, f"size={kib}k")
    code, _, err = run_cli("analyze", clips, "--out", out, "--jobs", "1", "--progress", "none")
    assert code == 1
    assert err.count("\n") == 1
    assert "cannot be written: No space left on device; free some space or choose another folder" in err
    assert not [path for path in out.rglob("*") if path.suffix == ".partial" or path.name == LOCK]
    check_every_file_opens(out)
    finished = {path: path.stat().st_mtime_ns for path in (out / "frames").glob("*.parquet")}
    remount(disk, "size=20m")
    assert run_cli("analyze", clips, "--out", out, "--jobs", "1", "--progress", "none", "--resume")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "finished videos are not written again"
    assert_same_tables(read_tables(out), read_tables(whole))
    assert not verify(out)["harms"].any()
    return len(finished)


def test_a_full_disk_costs_no_finished_video(disk: Path, clips: Path, whole: Path, run_cli: Cli) -> None:
    assert 1 <= fill(disk, round(0.7 * needed_kib(whole)), clips, whole, run_cli) < CLIPS


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", np.linspace(0.02, 0.95, MANY).round(2))
def test_disks_full_at_many_moments(share: float, disk: Path, clips: Path, whole: Path, run_cli: Cli) -> None:
    assert 0 <= fill(disk, max(4, round(share * needed_kib(whole))), clips, whole, run_cli) <= CLIPS


def test_a_read_only_folder_is_told_and_stays_as_it_is(disk: Path, clips: Path, run_cli: Cli, tmp_path: Path) -> None:
    out = disk / "out"
    videmo.analyze([clips / "clip0.mp4"], out, videmo.Settings(jobs=1))
    (tmp_path / "who.csv").write_text("video_id,track_id,identity\nclip0,1,Anna\n")
    before = {path: path.stat().st_mtime_ns for path in disk.rglob("*")}
    remount(disk, "ro")
    for command in (
        ("analyze", clips, "--out", disk / "new"),
        ("analyze", clips, "--out", out, "--resume"),
        ("analyze", clips, "--out", out, "--overwrite"),
        ("render", out),
        ("identities", out, "--decisions", tmp_path / "who.csv"),
    ):
        code, _, err = run_cli(*command)
        assert code == 1, err
        assert err.count("\n") == 1
        assert "cannot be written: Read-only file system; choose a folder you may write to" in err
    assert {path: path.stat().st_mtime_ns for path in disk.rglob("*")} == before
    assert run_cli("verify", out)[0] == 0, "a run can be looked at where nothing can be written"
    remount(disk, "rw")
    assert run_cli("analyze", clips, "--out", out, "--resume", "--jobs", "1")[0] == 0


def test_a_limit_on_the_size_of_files_is_told(clips: Path, whole: Path, tmp_path: Path) -> None:
    """As a quota on one file; the kernel answers a quota on all files (EDQUOT) as it does a full disk."""
    out = tmp_path / "out"
    limit_bytes = (whole / "annotated" / "clip0.mp4").stat().st_size // 2
    process = start([clips], out, "--jobs", "1")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "cannot be written: File too large; the file system does not take files this large" in err
    assert not list(out.rglob("*.partial"))
    check_every_file_opens(out)
    videmo.analyze([clips], out, videmo.Settings(jobs=1, existing="resume"))
    assert_same_tables(read_tables(out), read_tables(whole))

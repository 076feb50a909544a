"""One writer at a time; the lock of a dead one holds nobody up."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from videmo.errors import OutputError, UsageError
from videmo.output.lock import LOCK, hold_folder

HOLDS = """
import sys, time
from pathlib import Path
from videmo.output.lock import hold_folder
with hold_folder(Path(sys.argv[1])):
    print("holds", flush=True)
    time.sleep(60)
"""


def test_the_second_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with hold_folder(out):
        with pytest.raises(UsageError, match=r"out: another videmo is writing to this folder: wait until"):
            hold_folder(out).__enter__()
        assert [path.name for path in out.iterdir()] == [LOCK]
    assert not list(out.iterdir())
    with hold_folder(out):
        assert (out / LOCK).exists()


def test_other_processes_are_kept_out_and_a_killed_one_holds_nobody_up(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline() == "holds\n"
        with pytest.raises(UsageError, match="another videmo"):
            hold_folder(tmp_path).__enter__()
        process.kill()
        process.wait()
    assert (tmp_path / LOCK).exists()
    with hold_folder(tmp_path):
        pass
    assert not (tmp_path / LOCK).exists()


def test_only_one_of_many_at_any_moment(tmp_path: Path) -> None:
    """The file of the lock comes and goes; nobody may lock one that is gone while another holds its successor."""
    inside, most, turns = 0, 0, []

    def try_often() -> None:
        nonlocal inside, most
        for _ in range(300):
            try:
                with hold_folder(tmp_path):
                    inside += 1
                    most = max(most, inside)
                    turns.append(1)
                    inside -= 1
            except UsageError:
                continue

    threads = [threading.Thread(target=try_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert len(turns) > 100


def test_a_link_to_itself_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with hold_folder(tmp_path):
        pass
    assert (tmp_path / "loop").is_symlink()


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file: cannot be written"):
        hold_folder(tmp_path / "file").__enter__()

"""What is imported in the background is there when it is wanted, and its faults are told where it is wanted."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import pytest

from videmo.analysis.ahead import imported_ahead

NAMES = ("first_later", "second_later")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder from which modules of `NAMES` are imported anew."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in NAMES:
        monkeypatch.setitem(sys.modules, name, sys)
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def wait_for(*names: str) -> None:
    end_s = time.monotonic() + 20
    while not all(getattr(sys.modules.get(name), "DONE", False) for name in names):
        assert time.monotonic() < end_s
        time.sleep(0.01)


def test_modules_are_imported_by_another_thread_while_the_block_runs(home: Path) -> None:
    for name in NAMES:
        (home / f"{name}.py").write_text("import threading\nBY = threading.current_thread().name\nDONE = True\n")
    with imported_ahead(*NAMES):
        wait_for(*NAMES)
    assert [sys.modules[name].BY for name in NAMES] == ["videmo-import"] * 2


def test_what_is_wrong_with_one_is_told_where_it_is_wanted_and_the_next_is_imported(home: Path) -> None:
    (home / "first_later.py").write_text("raise ImportError('no such library')\n")
    (home / "second_later.py").write_text("DONE = True\n")
    with imported_ahead(*NAMES):
        wait_for("second_later")
    with pytest.raises(ImportError, match="no such library"):
        importlib.import_module("first_later")


def test_a_block_that_ends_waits_for_the_module_at_hand_and_for_no_other(home: Path) -> None:
    (home / "first_later.py").write_text("import time\nBEGUN = True\ntime.sleep(0.3)\nDONE = True\n")
    (home / "second_later.py").write_text("DONE = True\n")
    with imported_ahead(*NAMES):
        while not hasattr(sys.modules.get("first_later"), "BEGUN"):
            time.sleep(0.01)
    assert sys.modules["first_later"].DONE
    assert "second_later" not in sys.modules

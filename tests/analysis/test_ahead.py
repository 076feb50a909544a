"""What is imported in the background is there when it is wanted, and its faults are told where it is wanted."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import pytest

from videmo.analysis.ahead import imported_ahead


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file whose content is imported as `wanted_later`."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wanted_later", raising=False)
    return tmp_path / "wanted_later.py"


def test_a_module_is_imported_by_another_thread_while_the_block_runs(module: Path) -> None:
    module.write_text("import threading\nTHREAD = threading.current_thread()\n", encoding="utf-8")
    before = threading.active_count()
    with imported_ahead("wanted_later"):
        pass
    assert sys.modules["wanted_later"].THREAD is not threading.main_thread()
    assert threading.active_count() == before


def test_what_is_wrong_with_one_is_told_where_it_is_wanted_and_the_next_is_imported(module: Path) -> None:
    module.write_text("raise ImportError('no such library')\n", encoding="utf-8")
    sys.modules.pop("colorsys", None)
    with imported_ahead("wanted_later", "colorsys"):
        pass
    assert "colorsys" in sys.modules
    with pytest.raises(ImportError, match="no such library"):
        importlib.import_module("wanted_later")


def test_an_error_of_the_block_is_raised_once_the_thread_has_ended(module: Path) -> None:
    module.write_text("import time\ntime.sleep(0.1)\nDONE = True\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), imported_ahead("wanted_later"):
        raise ZeroDivisionError
    assert sys.modules["wanted_later"].DONE

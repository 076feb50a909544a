from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
import pytest

from videmo.pipeline.memory import _find_trim, give_back_memory

STATM = Path("/proc/self/statm")
PIECE_BYTES, PIECES, PINNED_EVERY = 16_000, 8_000, 50


def resident_bytes() -> int:
    return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries give memory back by themselves or never"
)
def test_freed_memory_between_pieces_in_use_is_given_back() -> None:
    """Every fiftieth piece stays in use, so that the allocator cannot shrink its heap from the end."""
    pieces = [np.ones(PIECE_BYTES, np.uint8) for _ in range(PIECES)]
    pinned = pieces[::PINNED_EVERY]
    del pieces
    before = resident_bytes()
    give_back_memory()
    freed = PIECE_BYTES * PIECES * (1 - 1 / PINNED_EVERY)
    assert before - resident_bytes() >= 0.7 * freed
    assert all(piece[0] == 1 for piece in pinned)


def test_a_system_without_that_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str | None) -> None:
        raise TypeError(name)

    monkeypatch.setattr("ctypes.CDLL", no_library)
    _find_trim.cache_clear()
    give_back_memory()
    assert _find_trim() is None
    _find_trim.cache_clear()

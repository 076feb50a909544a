"""Memory that nobody uses any more, given back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def give_back_memory() -> None:
    """Hands what was freed back to the system, between two videos; does nothing where the C library cannot.

    glibc keeps freed memory for the thread that freed it. Every video has threads of its own, so that over hundreds of
    videos a run would hold more and more of it, in pieces too small for the next picture.
    """
    if trim := _find_trim():
        trim(0)


@cache
def _find_trim() -> Any:
    """Return `malloc_trim` of the C library that this process runs with, None on other systems than glibc's."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows has no library without a name
        return None

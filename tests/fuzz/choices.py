"""Decisions taken from bytes, so that a fuzzer that changes bytes changes decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Reads bytes as decisions; where they end, every decision is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def below(self, count: int) -> int:
        """Return a number from 0 to `count` - 1, at most 256."""
        byte, self._data = self._data[:1], self._data[1:]
        return int.from_bytes(byte) % count

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def text(self) -> str:
        """Return what is left as text."""
        data, self._data = self._data, b""
        return data.decode("utf-8", errors="replace")

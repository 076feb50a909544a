"""Ctrl-C and SIGTERM: the first stops a command in order, another one at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
ECHO_S: Final = 1.0
"""What comes so soon after the first is its echo: a shell and a wrapper often pass the same Ctrl-C on."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt (Ctrl-C) or SystemExit with 143 (SIGTERM) in the main thread.

    From then on the block is cleaning up, which further signals do not disturb; one that comes after `ECHO_S` ends the
    process where it stands. What is ignored, as in a shell's background, stays ignored.
    """
    heard_s: list[float] = []

    def stop(number: int, _: FrameType | None) -> None:
        if heard_s:
            if time.monotonic() - heard_s[0] > ECHO_S:
                os._exit(exit_code(number))
            return
        heard_s.append(time.monotonic())
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(exit_code(number))

    before = {number: signal.getsignal(number) for number in STOPPING}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(number: int) -> int:
    """Return the exit code of a process that a signal ended, as shells give it."""
    return 128 + number

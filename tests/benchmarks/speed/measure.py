"""One process timed from outside: wall time, CPU time and peak memory as the system accounts them."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timing:
    """What a process took: `inside_s` is what it says of itself, without its start; `frames` what it processed.

    `peak_rss_mb` never reads below the peak of the process that started it: Linux hands that on through fork and exec.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    frames: int
    inside_s: float


class BenchmarkError(Exception):
    """A process that was to be timed failed."""


def run(command: Sequence[str], log: Path) -> Timing:
    """Run a command, its output kept in `log`, and return what it took.

    The last line of the output may be JSON with `frames` and `seconds`; without it both are 0.

    Raises:
        BenchmarkError: It ended with an error; says the end of its output.
    """
    with log.open("wb") as output:
        started_s = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    says = _last_json(text)
    cpu_s, rss_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    return Timing(wall_s, cpu_s, rss_mb, int(says.get("frames", 0)), float(says.get("seconds", 0.0)))


def _last_json(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}

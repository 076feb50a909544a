"""One process timed from outside: wall time, CPU time and peak memory as the system accounts them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timing:
    """What a process took: `inside_s` is what it says of itself, without its start; `frames` what it processed."""

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
        with ThreadPoolExecutor(1) as watch:
            peak_rss_mb = watch.submit(_watch_memory, process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    says = _last_json(text)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Timing(wall_s, cpu_s, peak_rss_mb.result(), int(says.get("frames", 0)), float(says.get("seconds", 0.0)))


def _watch_memory(pid: int) -> float:
    """Return the peak memory of a process in MB, read every 20 ms until it ends.

    What wait4 says is never below the peak of the process that started it: Linux hands that on through fork and exec.
    """
    peak_mb = 0.0
    while True:
        try:
            says = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return peak_mb
        # Gone while the process is being taken down, and not there before its program runs.
        found = re.search(r"VmHWM:\s+(\d+) kB", says)
        peak_mb = max(peak_mb, int(found[1]) / 1024) if found else peak_mb
        time.sleep(0.02)


def _last_json(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}

"""Coverage-guided fuzz of videmo's readers: `python tests/fuzz/run.py --minutes 2 [TARGET ...]`.

Needs atheris (`pip install -e '.[fuzz,test]'`, Linux). Each target runs in a process of its own. A finding is an
exception that is not videmo's own, a warning, an error that does not say in a few lines what is affected, a crash,
more than `MOST_MIB` MiB or more than `MOST_S` s. The exit code is 1 where there is one.
"""

# ruff: noqa: T201 - a script that prints a table
from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

MOST_MIB = 512
"""Beside what the process has once all good files are read."""
MOST_S = 30
"""Of wall-clock time: others may need the machine, too."""
_RESTARTS = 10
_MEMORY = Path("/dev/shm")
_PYTHON_PARSERS = ["videmo", "tomllib", "zipfile", "json"]
TESTS = Path(__file__).resolve().parents[1]


class Outcome(NamedTuple):
    """What came of fuzzing one target."""

    target: str
    executions: int
    seconds: float
    coverage: int
    findings: list[str]


def main() -> int:
    options = _parse()
    if options.child:
        _fuzz(options.targets[0], options.work, round(60 * options.minutes))
    options.work.mkdir(parents=True, exist_ok=True)
    names = options.targets or _names()
    print(f"{'target':<20}{'executions':>11}{'seconds':>9}{'coverage':>9}{'findings':>9}", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda name: _watch(name, options.work, 60 * options.minutes), names):
            outcomes.append(outcome)
            name, executions, seconds, coverage, findings = outcome
            print(f"{name:<20}{executions:>11}{seconds:>9.0f}{coverage:>9}{len(findings):>9}", flush=True)
            print(*(f"  {finding}" for finding in findings), sep="\n", end="\n" if findings else "", flush=True)
    print(f"{sum(o.executions for o in outcomes)} executions; corpora, logs and reproducers: {options.work}")
    return int(any(outcome.findings or not outcome.executions for outcome in outcomes))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless named")
    parser.add_argument("--minutes", type=float, default=2, help="for each target (2)")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once (1)")
    work = Path(tempfile.gettempdir(), "videmo-fuzz")
    parser.add_argument("--work", type=Path, default=work, help=f"corpora, logs, findings ({work})")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _names() -> list[str]:
    sys.path.insert(0, str(TESTS))
    from fuzz.targets import TARGETS

    return list(TARGETS)


def _watch(name: str, work: Path, seconds: float) -> Outcome:
    """Fuzz one target until its time is up, starting again after each crash."""
    began, executions, coverage = time.monotonic(), 0, 0
    found = work / name / "findings"
    found.mkdir(parents=True, exist_ok=True)
    for _ in range(_RESTARTS):
        left = seconds - (time.monotonic() - began)
        if left < 1:
            break
        command = [sys.executable, __file__, "--child", "--work", work, "--minutes", str(left / 60), name]
        # In memory, and gone also after a crash.
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            ended = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "TMPDIR": folder})
        log = ended.stderr.decode(errors="replace")
        (work / name / "log.txt").write_text(log, encoding="utf-8")
        executions += max(map(int, re.findall(r"^#(\d+)\s", log, re.MULTILINE)), default=0)
        coverage = max(map(int, re.findall(r"\bcov: (\d+)", log)), default=coverage)
        if ended.returncode == 0:
            break
        if not re.search(r"^#\d+\s", log, re.MULTILINE):
            (found / "start.txt").write_text(f"does not start: {log[-2000:]}", encoding="utf-8")
            break
        told = re.findall(r"ERROR: libFuzzer: .*|^SUMMARY: .*", log, re.MULTILINE)
        reason = told[0] if told else f"exit code {ended.returncode}"
        (found / f"died-{time.time_ns()}.txt").write_text(f"{reason}\n{log[-4000:]}", encoding="utf-8")
    findings = [f"{path}: {path.read_text(encoding='utf-8').splitlines()[0]}" for path in sorted(found.glob("*.txt"))]
    return Outcome(name, executions, time.monotonic() - began, coverage, findings)


def _fuzz(name: str, work: Path, seconds: int) -> None:
    """Fuzz one target in this process; never returns."""
    import atheris

    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=_PYTHON_PARSERS):
        from fuzz.targets import TARGETS

        target = TARGETS[name]
        seeds = target.seeds()
        for seed in seeds:  # most modules are imported by the readers themselves
            target.feed(seed)
    folder = work / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    (folder / "words.txt").write_text("".join(f"{_quote(word)}\n" for word in target.words), encoding="ascii")
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", DeprecationWarning)  # what libraries tell each other
    keep = _Findings(folder / "findings")
    atheris.Setup(
        [
            name,
            str(corpus),
            f"-max_total_time={seconds}",
            f"-timeout={MOST_S}",
            f"-rss_limit_mb={_resident_mib() + MOST_MIB}",
            f"-max_len={max(4096, 2 * max(map(len, seeds)))}",
            f"-artifact_prefix={folder / 'findings'}/",
            *([f"-dict={folder / 'words.txt'}"] if target.words else []),
        ],
        lambda data: keep.watch(target, data),
    )
    atheris.Fuzz()


class _Findings:
    """Keeps one reproducer and traceback of each kind of failure, so that the fuzz goes on after the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[Any] = set()
        self._ignored: list[BaseException] = []  # warned of where nobody can catch it: files left open
        sys.unraisablehook = lambda told: self._ignored.append(told.exc_value or told.exc_type())

    def watch(self, target: Any, data: bytes) -> None:
        self._ignored.clear()
        try:
            target(data)
            if self._ignored:
                raise self._ignored[0]
        except Exception as error:
            steps = [(step.filename, step.lineno) for step in traceback.extract_tb(error.__traceback__)]
            ours = [step for step in steps if "/videmo/" in step[0]]
            kind = (type(error).__name__, (ours or steps)[-1])
            if kind not in self._known:
                self._known.add(kind)
                self._write(f"{type(error).__name__}-{len(self._known)}", data, error)

    def _write(self, name: str, data: bytes, error: Exception) -> None:
        (self._folder / f"{name}.bin").write_bytes(data)
        told = json.dumps(f"{type(error).__name__}: {error}"[:300])
        trace = "".join(traceback.format_exception(error))
        (self._folder / f"{name}.txt").write_text(f"{told}\n{trace}", encoding="utf-8", errors="replace")


def _quote(word: str) -> str:
    letters = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in word.encode("latin-1"))
    return f'"{"".join(letters)}"'


def _resident_mib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) // 1024


if __name__ == "__main__":
    sys.exit(main())

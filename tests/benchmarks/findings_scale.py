"""Seconds and memory of what reads the tables of a large run.

    PYTHONPATH=tests python tests/benchmarks/findings_scale.py

Writes a run of 100 videos with a million face rows (two tracks, VFR, gaps, a tenth of the rows not usable, four
stimuli, 25 respondents), then runs each case in a process of its own and prints its seconds (and those of CPU time, for
busy machines) and the most memory that it held (peak RSS, with Python and the libraries). Options: `--videos`, `--rows`
in all, `--cases` to run only some.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from reported_runs import finish
from written_runs import write_study, write_video

from videmo.emotion.labels import EMOTIONS
from videmo.findings.aggregate import mean_curves
from videmo.findings.comparison import compare_groups
from videmo.findings.moments import Limits, find_moments
from videmo.findings.report.page import write_report
from videmo.findings.shared_moments import shared_moments
from videmo.findings.smoothing import MedianFilter
from videmo.findings.summary import summarize_run
from videmo.findings.synchrony import synchrony
from videmo.findings.tables import Run
from videmo.findings.timelines import TimelineOptions, build_timelines

STIMULI = 4
SEEN, USABLE = 0.95, 0.9
SHOWN = EMOTIONS[1:]
EPOCHS = TimelineOptions(epoch_s=1.0, baseline=(0.0, 5.0), person="largest")
SMALL = Limits(min_strength=0.05, min_prominence=0.05)  # random walks have little in common
SMOOTHED = TimelineOptions(smoother=MedianFilter(0.5), signals=SHOWN)

CASES: Mapping[str, Callable[[Run], pd.DataFrame]] = {
    "summarize": summarize_run,
    "timelines, 1 s epochs": lambda run: build_timelines(run, EPOCHS),
    "timelines, 1 s epochs, smoothed": lambda run: build_timelines(
        run, TimelineOptions(epoch_s=1.0, smoother=MedianFilter(0.5))
    ),
    "timelines, observations": build_timelines,
    "moments by track": lambda run: find_moments(build_timelines(run, SMOOTHED), SHOWN),
    "moments by stimulus": lambda run: shared_moments(build_timelines(run, EPOCHS), SHOWN, SMALL),
    "curves with bands": lambda run: mean_curves(build_timelines(run, EPOCHS), SHOWN, by="condition"),
    "groups compared": lambda run: compare_groups(build_timelines(run, EPOCHS), SHOWN, by="condition"),
    "synchrony": lambda run: synchrony(build_timelines(run, EPOCHS), ["happiness"], by="condition")[0],
    "report": lambda run: pd.DataFrame({"bytes": [write_report(run).stat().st_size]}),
}


def write_large_run(out: Path, videos: int, rows: int) -> None:
    """Write a run with about `rows` face rows: slow random walks between the expressions."""
    rng = np.random.default_rng(0)
    frames = round(rows / videos / 2 / SEEN)
    for number in range(videos):
        times_s = np.cumsum(rng.uniform(0.03, 0.05, frames))
        at, place = np.nonzero(rng.random((frames, 2)) < SEEN)
        walks = np.cumsum(rng.normal(0, 0.1, (frames, 2, len(EMOTIONS))), axis=0)[at, place]
        odds = np.exp(walks - walks.max(axis=1, keepdims=True))
        faces = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=list(EMOTIONS)).assign(
            frame_index=at.astype(np.int32),
            track_id=place + 1,
            usable=rng.random(len(at)) < USABLE,
            x2=100 + 20 * rng.random(len(at)),
        )
        write_video(out, f"video-{number:03}", times_s, faces)
    people = {
        f"video-{number:03}": {
            "respondent": f"r{number // STIMULI}",
            "stimulus": f"s{number % STIMULI}",
            "condition": "ab"[number // STIMULI % 2],
            "offset_s": float(rng.uniform(0, 2)),
        }
        for number in range(videos)
    }
    write_study(out, people)
    finish(out)


def measure(case: str, out: Path) -> None:
    """Run one case and print its line."""
    started, cpu_started = time.perf_counter(), time.process_time()
    rows = CASES[case](Run(out))
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{case:<34}{took_s:>8.1f} s{cpu_s:>8.1f} s CPU{peak_mib:>8.0f} MiB{len(rows):>10} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=100)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--run", type=Path, help="measure on this run, in this process")
    options = parser.parse_args()
    if options.run:
        for case in options.cases:
            measure(case, options.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_large_run(Path(folder), options.videos, options.rows)
        for case in options.cases:
            subprocess.run([sys.executable, __file__, "--run", folder, "--cases", case], check=True)


if __name__ == "__main__":
    main()

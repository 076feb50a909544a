"""Times videmo against the `fer` package and against decoding alone: the same clips, turn by turn, in one run.

    python tests/benchmarks/speed/run.py [CLIP...] [--runs 5] [--files 1 8] [--work /tmp/videmo-speed] [--out DIR]

Every process is timed whole, from its start to its end; "after start" leaves out what each needs before its clock
starts. Without clips, ones with 1, 2 and 12 faces at 360p, 720p and 1080p are made. Wants an idle machine.
`fer` is installed into an environment of its own under --work; --no-fer does without.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from chart import draw
from clips import make_clips
from measure import Timing, run
from rivals import Contestant, contestants, make_fer_environment

from videmo.training.tables import format_table

COLUMNS = ("frames/s", "after start, frames/s", "start, s", "CPU ms/frame", "cores busy", "peak MB")


def main() -> None:
    arguments = _parse()
    work: Path = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    clips = arguments.clips or make_clips(work / "clips", arguments.seconds)
    fer_python = None if arguments.no_fer else make_fer_environment(work / "fer")
    rows = []
    for clip in clips:
        for files in arguments.files:
            rows += measure_clip(clip, files, contestants(fer_python), arguments.runs, work)
            print(_table(rows[-len(contestants(fer_python)) :]), flush=True)
    table = pd.DataFrame(rows)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.out / "speed.csv", index=False)
    print(f"\n{_machine()}, medians of {arguments.runs}\n\n{_table(rows)}")
    draw(table, arguments.out / "speed.png", _machine())


def measure_clip(clip: Path, files: int, who: Sequence[Contestant], runs: int, work: Path) -> list[dict[str, Any]]:
    """Return a row for each contestant: medians over `runs` rounds, in each of which everybody has a turn."""
    copies = _copies(clip, files, work / "copies")
    timings: dict[str, list[Timing]] = {one.name: [] for one in who}
    stages: dict[str, dict[str, float]] = {}
    frames = 0
    for _ in range(runs):
        for one in who:
            out = work / "out"
            shutil.rmtree(out, ignore_errors=True)
            timing = run(one.command(out, copies), work / "log.txt")
            if (out / "run.json").exists():
                timing, stages[one.name] = _from_run(timing, out / "run.json")
            frames = max(frames, timing.frames)
            timings[one.name].append(timing)
    return [
        {"clip": clip.stem, "files": files, "who": name, "frames": frames}
        | _medians(found, frames)
        | {f"{stage} ms/frame": ms for stage, ms in stages.get(name, {}).items()}
        for name, found in timings.items()
    ]


def _medians(timings: Sequence[Timing], frames: int) -> dict[str, float]:
    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    figures = (
        frames / median([one.wall_s for one in timings]),
        frames / median([one.inside_s or one.wall_s for one in timings]),
        median([one.wall_s - one.inside_s for one in timings]),
        1e3 * median([one.cpu_s for one in timings]) / frames,
        median([one.cpu_s / one.wall_s for one in timings]),
        median([one.peak_rss_mb for one in timings]),
    )
    return dict(zip(COLUMNS, figures, strict=True))


def _from_run(timing: Timing, path: Path) -> tuple[Timing, dict[str, float]]:
    """Return the timing with what videmo says of itself, and the busy milliseconds a frame of each stage."""
    values = json.loads(path.read_text(encoding="utf-8"))
    stages = values["stages"]
    frames = max((stage["items"] for stage in stages), default=1)
    busy = {stage["name"]: 1e3 * stage["busy_s"] / frames for stage in stages if stage["busy_s"]}
    return Timing(timing.wall_s, timing.cpu_s, timing.peak_rss_mb, frames, values["seconds"]), busy


def _copies(clip: Path, files: int, folder: Path) -> list[Path]:
    """Return the clip under as many names as there shall be files."""
    folder.mkdir(exist_ok=True)
    copies = [folder / f"{number}-{clip.name}" for number in range(files)]
    for copy in copies:
        copy.unlink(missing_ok=True)
        copy.symlink_to(clip.resolve())
    return copies


def _table(rows: Sequence[dict[str, Any]]) -> str:
    header = ["clip", "files", "who", *COLUMNS]
    return format_table(header, [[row[name] if isinstance(row[name], str) else f"{row[name]:.3g}" for name in header]
                                 for row in rows])  # fmt: skip


def _machine() -> str:
    python, load = platform.python_version(), os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {python}, load {load:.1f}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="*", help="clips to process; made if there are none")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, nargs="+", default=[1], help="copies of a clip processed in one run")
    parser.add_argument("--seconds", type=float, default=20, help="length of the clips that are made")
    parser.add_argument("--work", type=Path, default=Path("/tmp/videmo-speed"), help="environment, clips, results")
    parser.add_argument("--out", type=Path, default=Path("/tmp/videmo-speed"), help="where speed.csv and .png go")
    parser.add_argument("--no-fer", action="store_true", help="without the fer package")
    return parser.parse_args()


if __name__ == "__main__":
    main()

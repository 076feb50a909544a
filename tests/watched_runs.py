"""A run in a process of its own that writes down, as it goes, what it holds: memory, files, threads, processor time.

python tests/watched_runs.py CLIPS_FOLDER OUT SAMPLES.json EVERY
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

import videmo
from videmo.datatypes import VideoInfo, VideoReport
from videmo.pipeline.progress import NoProgress

_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class Watcher(NoProgress):
    """Takes a sample at every `every`-th frame; Linux only, for the size of a process is told by /proc."""

    every: int
    frames: int = 0
    videos: int = 0
    frames_of: dict[str, int] = field(default_factory=dict)
    samples: list[dict[str, float]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        with self._lock:
            before, self.frames = self.frames, self.frames + frames - self.frames_of.get(video.id, 0)
            self.frames_of[video.id] = frames
            if before // self.every < self.frames // self.every:
                self.samples.append(self.sample())

    def finished(self, report: VideoReport) -> None:
        with self._lock:
            self.videos += 1

    def sample(self) -> dict[str, float]:
        """Return what the process holds now."""
        resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return {
            "frames": self.frames,
            "videos": self.videos,
            "rss_mib": resident_pages * _PAGE_MIB,
            "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
            "threads": threading.active_count(),
            "cpu_s": time.process_time(),
            "wall_s": time.monotonic(),
        }


def watched_run(clips: Path, out: Path, *, every: int) -> pd.DataFrame:
    """Analyse a folder of clips with the defaults; return the samples, one row at every `every`-th frame."""
    samples = out.with_suffix(".json")
    command = [sys.executable, __file__, str(clips), str(out), str(samples), str(every)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # stderr stays, for the log of the test
    return pd.DataFrame(json.loads(samples.read_text(encoding="utf-8")))


def main() -> None:
    clips, out, samples, every = sys.argv[1:]
    watcher = Watcher(int(every))
    report = videmo.analyze([clips], out, progress=watcher)
    failed = [asdict(video) for video in report.videos if video.status != "done"]
    if failed:
        raise SystemExit(f"not analysed: {failed}")
    Path(samples).write_text(json.dumps(watcher.samples), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Progress on stderr: bars by media time, or one JSON object per line."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from tqdm import tqdm

from videmo.datatypes import VideoInfo, VideoReport
from videmo.pipeline.progress import NoProgress, ProgressListener

UPDATE_S = 0.2
"""A video's progress is told at most this often."""


class Progress(StrEnum):
    """How progress is shown."""

    BAR = "bar"
    JSON = "json"
    NONE = "none"


@contextmanager
def open_progress(kind: Progress) -> Iterator[ProgressListener]:
    """Give the listener for `kind`; bars are silent when stderr is not a terminal."""
    if kind is Progress.JSON:
        yield JsonLines()
    elif kind is Progress.BAR and sys.stderr.isatty():
        bars = Bars()
        try:
            yield bars
        finally:
            bars.close()
    else:
        yield NoProgress()


class _Pace:
    """Lets an update through at most every UPDATE_S seconds for each video."""

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def is_due(self, video_id: str) -> bool:
        now_s = time.monotonic()
        if now_s - self._last_s.get(video_id, 0.0) < UPDATE_S:
            return False
        self._last_s[video_id] = now_s
        return True


class Bars:
    """One bar per open video by media time, and one for the run by frames; one lock because lanes call at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace = _Pace()
        self._bars: dict[str, tqdm[Any]] = {}
        self._frames: dict[str, int] = {}
        self._run: tqdm[Any] = tqdm(desc="run", unit=" frames", position=0)

    def started(self, video: VideoInfo) -> None:
        """Open a bar as long as the video."""
        layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} s, {remaining} left{postfix}"
        length = {"total": video.duration_s, "bar_format": layout} if video.duration_s else {}
        with self._lock:
            self._bars[video.id] = tqdm(desc=video.id[:32], unit=" s", leave=False, **length)

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        """Move the video's bar to its media time and the run's bar by the frames that came."""
        if not self._pace.is_due(video.id):
            return
        with self._lock:
            self._count(video.id, frames)
            bar = self._bars[video.id]
            bar.set_postfix_str(f"{frames} frames, {faces} faces", refresh=False)
            bar.update(min(time_s, bar.total or time_s) - bar.n)

    def finished(self, report: VideoReport) -> None:
        """Close the video's bar; a failure is told above the bars."""
        with self._lock:
            self._count(report.video_id, report.frames_decoded)
            if bar := self._bars.pop(report.video_id, None):
                bar.close()
            if report.error:
                tqdm.write(f"failed: {report.error}", file=sys.stderr)

    def close(self) -> None:
        """Close every bar."""
        for bar in (*self._bars.values(), self._run):
            bar.close()

    def _count(self, video_id: str, frames: int) -> None:
        self._run.update(max(0, frames - self._frames.get(video_id, 0)))
        self._frames[video_id] = frames


class JsonLines:
    """One JSON object per line on stderr, for programs that watch a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace = _Pace()

    def started(self, video: VideoInfo) -> None:
        """Tell that a video was opened."""
        self._write(event="started", video_id=video.id, path=str(video.path), duration_s=video.duration_s)

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        """Tell how far a video is."""
        if self._pace.is_due(video.id):
            self._write(event="advanced", video_id=video.id, time_s=round(time_s, 3), frames=frames, faces=faces)

    def finished(self, report: VideoReport) -> None:
        """Tell how a video ended."""
        self._write(
            event="finished",
            video_id=report.video_id,
            status=report.status,
            error=report.error,
            frames=report.frames_decoded,
            faces=report.faces,
        )

    def _write(self, **values: object) -> None:
        with self._lock:
            sys.stderr.write(json.dumps(values) + "\n")
            sys.stderr.flush()

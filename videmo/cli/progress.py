"""Progress on stderr: bars by media time, or one JSON object per line."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tqdm import tqdm

from videmo.cli.values import Progress
from videmo.datatypes import VideoInfo, VideoReport
from videmo.filenames import show_name
from videmo.pipeline.progress import NoProgress, ProgressListener

UPDATE_S = 0.2
"""A video's progress is told at most this often."""


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
    """A bar for the run and one for each open video, by media time; one lock because lanes call at once.

    How long the videos are that were not opened yet is taken from the mean of those that were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace = _Pace()
        self._videos = 0
        self._bars: dict[str, tqdm[Any]] = {}
        self._lengths_s: dict[str, float] = {}
        self._times_s: dict[str, float] = {}
        self._frames: dict[str, int] = {}
        self._run: tqdm[Any] | None = None

    def begun(self, videos: int) -> None:
        """Open the bar of the run; its clock starts here, when the models are loaded."""
        self._videos = videos
        self._run = _open_bar("run", None, keep=True)

    def started(self, video: VideoInfo) -> None:
        """Open a bar as long as the video."""
        with self._lock:
            self._bars[video.id] = _open_bar(video.id[:32], video.duration_s, keep=False)
            if video.duration_s and self._run is not None:
                self._lengths_s[video.id] = video.duration_s
                self._run.total = self._videos * sum(self._lengths_s.values()) / len(self._lengths_s)

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        """Move the bars of the video and of the run to its media time."""
        if not self._pace.is_due(video.id):
            return
        with self._lock:
            bar = self._bars[video.id]
            _move(bar, time_s, f"{_pace(bar, frames)}, {faces} faces")
            self._count(video.id, time_s, frames)

    def finished(self, report: VideoReport) -> None:
        """Close the video's bar."""
        with self._lock:
            if (bar := self._bars.pop(report.video_id, None)) is not None:
                bar.close()
            if report.frames_decoded and not report.resumed:
                end_s = max(report.duration_s or 0.0, self._times_s.get(report.video_id, 0.0))
                self._count(report.video_id, end_s, report.frames_decoded)

    def close(self) -> None:
        """Close every bar."""
        for bar in (*self._bars.values(), self._run):
            if bar is not None:
                bar.close()

    def _count(self, video_id: str, time_s: float, frames: int) -> None:
        self._times_s[video_id], self._frames[video_id] = time_s, frames
        if self._run is not None:
            pace = _pace(self._run, sum(self._frames.values()))
            _move(self._run, sum(self._times_s.values()), f"{pace}, {len(self._times_s)} of {self._videos} videos")


def _open_bar(name: str, length_s: float | None, *, keep: bool) -> tqdm[Any]:
    layout = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f} of {total_fmt} s, {remaining} left{postfix}"
    return tqdm(desc=name, total=length_s, unit="s", bar_format=layout, leave=keep)


def _pace(bar: tqdm[Any], frames: int) -> str:
    return f"{frames / max(bar.format_dict['elapsed'], 1e-9):.0f} frames/s"


def _move(bar: tqdm[Any], time_s: float, note: str) -> None:
    """Set a bar to a media time; the length that a container claims may fall short of it."""
    bar.set_postfix_str(note, refresh=False)
    if bar.total is not None:
        bar.total = max(bar.total, time_s)
    bar.update(time_s - bar.n)


class JsonLines:
    """One JSON object per line on stderr, for programs that watch a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace = _Pace()

    def begun(self, videos: int) -> None:
        """Tell how many inputs there are."""
        self._write(event="begun", videos=videos)

    def started(self, video: VideoInfo) -> None:
        """Tell that a video was opened."""
        self._write(event="started", video_id=video.id, path=show_name(video.path), duration_s=video.duration_s)

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
        with self._lock, suppress(BrokenPipeError):  # who watched is gone: no reason to stop
            sys.stderr.write(json.dumps(values) + "\n")
            sys.stderr.flush()

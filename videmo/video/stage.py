"""Inputs become frames: the right reader opened, the frames sampled by time or by index."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import replace

from videmo.datatypes import Frame
from videmo.settings import STALL_LIMIT_S
from videmo.video.base import Reader
from videmo.video.discover import Input

# A timestamp is the true time cut down to the container's tick, so a frame may lie this much before its grid point.
_MOST_ROUNDING_S = 0.001
# Nor may the sums of binary fractions here make a frame miss a point that it just reaches.
_GRID_EPSILON = 1e-6


def open_reader(source: Input, image_fps: float = 1.0, stall_limit_s: float = STALL_LIMIT_S) -> Reader:
    """Open a video or an image sequence; a video fails that gives no new frame in `stall_limit_s`.

    Raises:
        VideoError: it cannot be opened or holds no frame; names the file, the cause and the way out.
    """
    if source.kind == "images":
        from videmo.video.images import ImageSequenceReader

        return ImageSequenceReader(source.video_id, source.paths, image_fps)
    from videmo.video.pyav import PyAvReader

    return PyAvReader(source.video_id, source.paths[0], stall_limit_s)


def decode(
    reader: Reader,
    *,
    fps: float | None = None,
    stride: int = 1,
    start_s: float = 0.0,
    end_s: float | None = None,
) -> Generator[Frame, None, None]:
    """Yield the frames from `start_s` up to (not including) `end_s`, marked by `analysed`; closes the reader at last.

    With `fps` the first frame at or after each point start_s + k / fps is analysed, once, however irregular the frames;
    else every `stride`-th frame by index. The frames between pass as well: cuts are looked for in all of them, and the
    annotated video shows them.
    """
    is_due = _due_by_time(fps, start_s) if fps else lambda frame: frame.index % stride == 0
    try:
        for frame in reader.frames():
            if end_s is not None and frame.time_s >= end_s:
                break
            reader.problems.decoded += 1
            if frame.time_s < start_s:
                continue
            yield frame if is_due(frame) else replace(frame, analysed=False)
    finally:
        reader.close()


def _due_by_time(fps: float, start_s: float) -> Callable[[Frame], bool]:
    """Return a test, to be asked of each frame in order: does it reach a grid point that no frame before it reached?"""
    reached = -1

    def is_due(frame: Frame) -> bool:
        nonlocal reached
        rounding_s = min(float(frame.video.time_base), _MOST_ROUNDING_S)
        before, reached = reached, math.floor((frame.time_s + rounding_s - start_s) * fps + _GRID_EPSILON)
        return reached > before

    return is_due

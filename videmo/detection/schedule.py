"""When the detector looks: in every frame, or now and then, with the tracker in between."""

from __future__ import annotations

from typing import Final

from videmo.datatypes import Frame

# Timestamps are cut down to the container's tick: frames that lie a second apart may be told as this much nearer.
_MOST_ROUNDING_S: Final = 0.001


class DetectionSchedule:
    """Tells the frames to look at from those to pass over, asked of each frame of one video in order.

    Due is the first analysed frame of each shot, and from there on the first one that lies at least `every_s` seconds
    of media time, or else `every_frames` analysed frames, after the one that was due last. Frames that sampling skips
    are never due.

    Example:
        >>> from fractions import Fraction
        >>> from pathlib import Path
        >>> from videmo.datatypes import VideoInfo
        >>> clip = VideoInfo("clip", Path("clip.mp4"), 320, 240, Fraction(25), Fraction(1, 25))
        >>> schedule = DetectionSchedule(every_frames=3)
        >>> [schedule.is_due(Frame(clip, index, index, index / 25, None)) for index in range(5)]
        [True, False, False, True, False]
    """

    def __init__(self, *, every_frames: int = 1, every_s: float | None = None) -> None:
        self._every_frames = every_frames
        self._every_s = every_s
        self._last: Frame | None = None
        self._passed = 0

    def is_due(self, frame: Frame) -> bool:
        """Return whether the detector is to look at this frame."""
        if not frame.analysed:
            return False
        self._passed += 1
        if self._last is not None and frame.shot == self._last.shot and not self._has_passed(frame, self._last):
            return False
        self._last, self._passed = frame.without_picture(), 0
        return True

    def _has_passed(self, frame: Frame, last: Frame) -> bool:
        if self._every_s is None:
            return self._passed >= self._every_frames
        return frame.time_s - last.time_s >= self._every_s - _MOST_ROUNDING_S

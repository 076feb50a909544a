"""The tracking stage: faces in, the same faces with identities and the number of their shot out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from videmo.datatypes import Detections, FrameFaces, TrackedFaces
from videmo.tracking.base import Tracker
from videmo.tracking.shots import ShotDetector

_NOBODY: Final = TrackedFaces(Detections.none().boxes, Detections.none().scores)


def track(
    items: Iterator[FrameFaces[Detections]], tracker: Tracker, shots: ShotDetector
) -> Iterator[FrameFaces[TrackedFaces]]:
    """Yield every frame with the faces that belong to a track, in order, and the number of its shot, from 0.

    A new shot ends every track before its first faces are looked at, so that no identity crosses a cut. Every frame is
    compared with the one before, also those that sampling skips: cuts are the same at any sampling, and fast motion
    between frames that are far apart is not taken for one.
    """
    shot = 0
    for item in items:
        frame = item.frame
        if frame.picture is not None and shots.is_cut(frame.picture):
            shot += 1
            tracker.end_shot()
        yield FrameFaces(frame, tracker.update(item.faces, frame.time_s) if frame.analysed else _NOBODY, shot)

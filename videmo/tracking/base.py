"""The contract of a tracker: the boxes of one frame in, the same faces with identities out."""

from __future__ import annotations

from typing import Protocol

from videmo.datatypes import Detections, TrackedFaces


class Tracker(Protocol):
    """Gives faces identities, frame by frame, within one video.

    `update` returns the faces that belong to a track (possibly fewer than given), ids from 1, never used again in the
    video. `time_s` increases strictly. `end_shot` ends every track: no identity crosses a cut.
    """

    def update(self, detections: Detections, time_s: float) -> TrackedFaces: ...

    def end_shot(self) -> None: ...

"""The contract of a tracker: the boxes of one frame in, the same faces with identities out."""

from __future__ import annotations

from typing import Protocol

from videmo.datatypes import Detections, TrackedFaces


class Tracker(Protocol):
    """Gives faces identities, frame by frame, within one video.

    `update` returns the faces that belong to a track (possibly fewer than given), ids from 1, never used again in the
    video. `time_s` increases strictly. `end_shot` ends every track: no identity crosses a cut.

    `carry` stands in for `update` in a frame that no detector looked at: it returns the faces of the last `update`
    where they are expected to be at `time_s` (px, not clipped), their landmarks moved along. It changes nothing: no
    answer of `update` depends on it. After `end_shot` there are none until the next `update`.
    """

    def update(self, detections: Detections, time_s: float) -> TrackedFaces: ...

    def carry(self, time_s: float) -> TrackedFaces: ...

    def end_shot(self) -> None: ...

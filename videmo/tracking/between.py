"""Faces in the frames between two detections: of a recorded video both are known, that before and that after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from videmo.datatypes import Float32Array, Frame, FrameFaces, TrackedFaces

MOST_WAITING: Final = 64
"""Frames that may wait for the next detection, with their pictures."""


@dataclass(slots=True)
class Between:
    """The frames since the last detection, in order, each with its faces as they are expected from that one alone.

    `begin` gives them back with their faces as the detections on both sides have them and starts anew, `end` as they
    were expected; so does `wait` with the oldest one when more than `MOST_WAITING` wait.
    """

    _before: FrameFaces[TrackedFaces] | None = None
    _waiting: list[FrameFaces[TrackedFaces]] = field(default_factory=list)

    def wait(self, expected: FrameFaces[TrackedFaces]) -> Iterator[FrameFaces[TrackedFaces]]:
        """Let a frame wait for the next detection; one that shows no faces and holds nobody up passes."""
        self._waiting.append(expected)
        if len(self._waiting) > MOST_WAITING or not (len(self._waiting) > 1 or expected.frame.analysed):
            yield self._waiting.pop(0)

    def begin(self, detected: FrameFaces[TrackedFaces]) -> Iterator[FrameFaces[TrackedFaces]]:
        """Yield the frames that waited for this detection, then the detection itself."""
        before, waiting = self._before, self._waiting
        self._before, self._waiting = FrameFaces(detected.frame.without_picture(), detected.faces), []
        for expected in waiting:
            if before and expected.frame.analysed:
                yield FrameFaces(expected.frame, _meet(before, expected, detected))
            else:
                yield expected
        yield detected

    def end(self) -> Iterator[FrameFaces[TrackedFaces]]:
        """Yield the frames that no detection follows."""
        waiting, self._before, self._waiting = self._waiting, None, []
        yield from waiting


def _meet(
    before: FrameFaces[TrackedFaces], expected: FrameFaces[TrackedFaces], after: FrameFaces[TrackedFaces]
) -> TrackedFaces:
    """Return the faces of a frame between two detections.

    A face of both goes its way straight and evenly, as far as it has come by then. One that only the nearer detection
    knows is taken from there: where it is expected after the first, where it is found in the second. Scores are those
    of the detection before, for new faces those of the one after.
    """
    share = _share(before.frame, expected.frame, after.frame)
    _, first, second = np.intersect1d(
        before.faces.track_ids, after.faces.track_ids, assume_unique=True, return_indices=True
    )
    old, new = before.faces.take(first), after.faces.take(second)
    landmarks = None
    if old.landmarks is not None and new.landmarks is not None:
        landmarks = _mix(old.landmarks, new.landmarks, share)
    moved = replace(old, boxes=_mix(old.boxes, new.boxes, share), landmarks=landmarks)
    nearer = expected.faces if share <= 0.5 else after.faces
    return _join(moved, nearer.take(~np.isin(nearer.track_ids, moved.track_ids)))


def _share(before: Frame, frame: Frame, after: Frame) -> float:
    """Return how much of the time between two frames has passed, 0..1."""
    return (frame.time_s - before.time_s) / (after.time_s - before.time_s)


def _mix(old: Float32Array, new: Float32Array, share: float) -> Float32Array:
    return np.asarray((1 - share) * old + share * new, np.float32)


def _join(faces: TrackedFaces, others: TrackedFaces) -> TrackedFaces:
    """Return the faces of both; landmarks that one of them lacks nobody has."""
    if not len(faces) or not len(others):
        return faces if len(faces) else others
    landmarks = None
    if faces.landmarks is not None and others.landmarks is not None:
        landmarks = np.concatenate([faces.landmarks, others.landmarks])
    return TrackedFaces(
        np.concatenate([faces.boxes, others.boxes]),
        np.concatenate([faces.scores, others.scores]),
        landmarks,
        np.concatenate([faces.track_ids, others.track_ids]),
    )

"""The tracking stage: faces in, the same faces with identities out; between detections the tracker's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from videmo.datatypes import Detections, Frame, FrameFaces, TrackedFaces
from videmo.geometry import box_areas, clip_boxes
from videmo.tracking.base import Tracker

_NOBODY: Final = TrackedFaces(Detections.none().boxes, Detections.none().scores)


def track(items: Iterator[FrameFaces[Detections]], tracker: Tracker) -> Iterator[FrameFaces[TrackedFaces]]:
    """Yield every frame with the faces that belong to a track, in order.

    A new shot ends every track before its first faces are looked at, so that no identity crosses a cut. An analysed
    frame that the detector passed over has the faces of the last detection, carried on to its time.
    """
    shot = 0
    for item in items:
        frame = item.frame
        if frame.shot != shot:
            shot = frame.shot
            tracker.end_shot()
        if not frame.analysed:
            yield FrameFaces(frame, _NOBODY)
        elif frame.detected:
            yield FrameFaces(frame, tracker.update(item.faces, frame.time_s))
        else:
            yield FrameFaces(frame, _inside(tracker.carry(frame.time_s), frame))


def _inside(faces: TrackedFaces, frame: Frame) -> TrackedFaces:
    """Return the faces cut to the picture, without those that have left it."""
    picture = frame.video if frame.picture is None else frame.picture
    boxes = clip_boxes(faces.boxes, picture.width_px, picture.height_px)
    return replace(faces, boxes=boxes).take(box_areas(boxes) > 0)

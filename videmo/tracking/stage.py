"""The tracking stage: faces in, the same with identities out; between detections, on their way to the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from videmo.datatypes import Detections, Frame, FrameFaces, TrackedFaces
from videmo.geometry import box_areas, clip_boxes
from videmo.tracking.base import Tracker
from videmo.tracking.between import Between

_NOBODY: Final = TrackedFaces(Detections.none().boxes, Detections.none().scores)


def track(items: Iterator[FrameFaces[Detections]], tracker: Tracker) -> Iterator[FrameFaces[TrackedFaces]]:
    """Yield every frame with the faces that belong to a track, in order.

    A new shot ends every track before its first faces are looked at, so that no identity crosses a cut. An analysed
    frame that the detector passed over waits for the next detection of its shot and has the faces of both sides, on
    their way from one to the other; where none follows, or only much later, the faces are carried on from the last one.
    """
    shot, between = 0, Between()
    for item in items:
        frame = item.frame
        if frame.shot != shot:
            yield from between.end()
            shot = frame.shot
            tracker.end_shot()
        if frame.detected and frame.analysed:
            yield from between.begin(FrameFaces(frame, tracker.update(item.faces, frame.time_s)))
        elif frame.analysed:
            yield from between.wait(FrameFaces(frame, _inside(tracker.carry(frame.time_s), frame)))
        else:
            yield from between.wait(FrameFaces(frame, _NOBODY))
    yield from between.end()


def _inside(faces: TrackedFaces, frame: Frame) -> TrackedFaces:
    """Return the faces cut to the picture, without those that have left it."""
    picture = frame.video if frame.picture is None else frame.picture
    boxes = clip_boxes(faces.boxes, picture.width_px, picture.height_px)
    return replace(faces, boxes=boxes).take(box_areas(boxes) > 0)

"""The detection stage: frames in, the same frames with their faces out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from videmo.datatypes import Detections, Frame, FrameFaces, Picture, UInt8Array
from videmo.detection.base import PictureFormat
from videmo.detection.schedule import DetectionSchedule
from videmo.geometry import clip_boxes, fit_size
from videmo.pipeline.batching import Worker, submit_ahead
from videmo.pipeline.meters import WaitClock


def detect(
    frames: Iterator[Frame],
    worker: Worker[UInt8Array, Detections],
    picture_format: PictureFormat,
    *,
    min_face_px: int,
    schedule: DetectionSchedule | None = None,
    waits: WaitClock | None = None,
) -> Iterator[FrameFaces[Detections]]:
    """Yield every frame with its faces, in order; boxes are clipped px of the displayed picture.

    The detector gets the picture in the size and colour it asks for, converted straight from the decoder's format.
    Frames that sampling skips, or that are not due by the `schedule` (by default all are), pass through without faces,
    unconverted and marked as not detected. Faces narrower or lower than `min_face_px` are left out.
    """
    is_due = (schedule or DetectionSchedule()).is_due
    marked = (frame if is_due(frame) else replace(frame, detected=False) for frame in frames)

    def submit(frame: Frame) -> Future[Detections] | None:
        if not frame.detected or frame.picture is None:
            return None
        return worker.submit(_small(frame.picture, picture_format))

    for frame, found in submit_ahead(marked, submit, limit=2 * worker.batch_size, waits=waits):
        if found is None or frame.picture is None:
            yield FrameFaces(frame, Detections.none())
        else:
            yield FrameFaces(frame, _in_frame(found, frame.picture, picture_format, min_face_px))


def _small(picture: Picture, wanted: PictureFormat) -> UInt8Array:
    width_px, height_px = _size(picture, wanted)
    if wanted.colour == "rgb":
        return picture.rgb(width_px, height_px)
    gray = picture.gray()
    if gray.shape == (height_px, width_px):
        return gray
    import cv2

    return np.asarray(cv2.resize(gray, (width_px, height_px), interpolation=cv2.INTER_AREA), np.uint8)


def _size(picture: Picture, wanted: PictureFormat) -> tuple[int, int]:
    side_px = wanted.long_side_px or max(picture.width_px, picture.height_px)
    return fit_size(picture.width_px, picture.height_px, side_px)


def _in_frame(found: Detections, picture: Picture, wanted: PictureFormat, min_face_px: int) -> Detections:
    """Return detections in px of the displayed picture, clipped, without the faces that are too small."""
    width_px, height_px = _size(picture, wanted)
    scale = np.array([picture.width_px / width_px, picture.height_px / height_px], np.float32)
    boxes = clip_boxes(found.boxes * np.tile(scale, 2), picture.width_px, picture.height_px)
    landmarks = None if found.landmarks is None else found.landmarks * scale
    sides = boxes[:, 2:] - boxes[:, :2]
    large_enough = np.asarray(sides.min(axis=1, initial=np.inf) >= min_face_px)
    return Detections(boxes, found.scores, landmarks).take(large_enough)

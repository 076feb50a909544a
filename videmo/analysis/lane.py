"""One video from file to scored frames: the stages put together."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from videmo.analysis.models import Models, open_models
from videmo.datatypes import AlignedFaces, FrameFaces, ScoredFaces
from videmo.detection.schedule import DetectionSchedule
from videmo.detection.stage import detect
from videmo.emotion.align import align
from videmo.emotion.stage import classify
from videmo.pipeline.meters import Meters, WaitClock
from videmo.pipeline.streams import close_all, prefetch
from videmo.settings import Settings
from videmo.tracking.shots import ShotDetector, mark_shots
from videmo.tracking.stage import track
from videmo.video.base import Reader
from videmo.video.discover import discover
from videmo.video.stage import decode, open_reader

FRAMES_AHEAD = 8
"""Frames that may wait between two threads: enough to smooth their pace, few enough for 4K pictures."""


def scored_frames(
    reader: Reader,
    models: Models,
    settings: Settings,
    *,
    keep_pictures: bool,
    meters: Meters,
    threaded: bool = True,
) -> Generator[FrameFaces[ScoredFaces], None, None]:
    """Yield the scored frames of one reader in order; decoding, analysis and the consumer each have a thread.

    Frames that sampling skips pass through without faces, marked so. With `keep_pictures` all keep their pixels.
    Closing this generator closes the reader and ends the threads. Raises VideoError, StageError.
    """
    analysis = _until_aligned(reader, models, settings, keep_pictures, meters, threaded)
    waits = WaitClock()
    scored = classify(analysis[-1], models.classify_worker, labels=len(models.labels), waits=waits)
    analysis.append(meters.watch("classify", scored, waits))
    return prefetch(analysis, FRAMES_AHEAD, name="scored", meters=meters) if threaded else _chain(analysis)


def aligned_frames(
    reader: Reader, models: Models, settings: Settings, *, meters: Meters
) -> Generator[FrameFaces[AlignedFaces], None, None]:
    """Yield the frames of one reader with their faces cut out but not classified; otherwise as `scored_frames`."""
    return _chain(_until_aligned(reader, models, settings, keep_pictures=False, meters=meters, threaded=True))


def stream(path: str | Path, settings: Settings | None = None) -> Iterator[FrameFaces[ScoredFaces]]:
    """Yield the analysed frames of one video (or folder of pictures) with their faces, tracked and scored.

    Args:
        path: A video file, a picture, or a folder that holds only pictures.
        settings: How to analyse; what concerns outputs is ignored.

    Raises:
        VideoError: the input cannot be read.
        UsageError, PresetError: a setting or the model cannot be used.

    Example:
        >>> for item in stream("interview.mp4"):  # doctest: +SKIP
        ...     print(item.frame.time_s, item.faces.track_ids, item.faces.emotions.argmax(axis=1))
    """
    chosen = settings or Settings()
    source = discover([path])[0]
    with open_models(chosen) as models:
        reader = open_reader(source, chosen.image_fps, chosen.stall_limit_s)
        frames = scored_frames(reader, models, chosen, keep_pictures=False, meters=Meters(source.video_id))
        try:
            yield from (item for item in frames if item.frame.analysed)
        finally:
            frames.close()
            reader.close()


def _until_aligned(
    reader: Reader, models: Models, settings: Settings, keep_pictures: bool, meters: Meters, threaded: bool
) -> list[Iterator[Any]]:
    """Return the stages up to the cut-out faces, in order; decoding has a thread of its own if `threaded`."""
    decoded: Iterator[Any] = meters.watch("decode", _decode(reader, settings))
    analysis = [prefetch([decoded], FRAMES_AHEAD, name="decoded", meters=meters) if threaded else decoded]
    analysis.append(meters.watch("shots", mark_shots(analysis[-1], ShotDetector())))
    waits = WaitClock()
    detected = detect(
        analysis[-1],
        models.detect_worker,
        models.picture_format,
        min_face_px=settings.min_face_px,
        schedule=DetectionSchedule(every_frames=settings.detect_every_frames, every_s=settings.detect_every_s),
        waits=waits,
    )
    analysis.append(meters.watch("detect", detected, waits))
    analysis.append(meters.watch("track", track(analysis[-1], models.new_tracker())))
    aligned = align(analysis[-1], models.crop_side_px, models.framing, keep_picture=keep_pictures)
    analysis.append(meters.watch("align", aligned))
    return analysis


def _decode(reader: Reader, settings: Settings) -> Iterator[Any]:
    return decode(reader, fps=settings.fps, stride=settings.stride, start_s=settings.start_s, end_s=settings.end_s)


def _chain(generators: list[Iterator[Any]]) -> Generator[Any, None, None]:
    try:
        yield from generators[-1]
    finally:
        close_all(generators)

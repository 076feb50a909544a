"""The models of a run, each behind the one worker that all lanes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from videmo import plugins
from videmo.datatypes import Detections, Float32Array, StageStatistics, UInt8Array
from videmo.detection.base import Detector, PictureFormat
from videmo.emotion.align import FRAMINGS, Framing
from videmo.emotion.base import Classifier
from videmo.emotion.stage import classify_requests
from videmo.pipeline.batching import BatchWorker, InlineWorker, Worker
from videmo.settings import Settings
from videmo.tracking.base import Tracker

Workers = tuple[Worker[UInt8Array, Detections], Worker[UInt8Array, Float32Array]]


@dataclass(frozen=True, slots=True)
class Models:
    """What every lane needs to analyse: two workers, what they want to be fed, and a tracker for each video."""

    detect_worker: Worker[UInt8Array, Detections]
    classify_worker: Worker[UInt8Array, Float32Array]
    picture_format: PictureFormat
    detector_version: str
    labels: tuple[str, ...]
    crop_side_px: int
    framing: Framing
    new_tracker: Callable[[], Tracker]

    def statistics(self) -> tuple[StageStatistics, ...]:
        """Return what the workers did so far, none for inline ones."""
        workers = (self.detect_worker, self.classify_worker)
        return tuple(worker.statistics() for worker in workers if isinstance(worker, BatchWorker))


@contextmanager
def open_models(settings: Settings) -> Iterator[Models]:
    """Load what the settings name and give it to the lanes; the workers' threads have ended when this returns.

    Raises UsageError (unknown names, device) and PresetError (weights).
    """
    detector: Detector = plugins.load("detectors", settings.detector)(settings)
    classifier: Classifier = plugins.load("classifiers", "preset")(settings)
    with serve(detector, classifier, settings) as models:
        yield models


@contextmanager
def serve(detector: Detector, classifier: Classifier, settings: Settings, *, threaded: bool = True) -> Iterator[Models]:
    """Put loaded models behind workers; with `threaded=False` a request is answered in the thread that asks.

    The second is slower and by definition right: the first must agree with it.
    """
    build_tracker = plugins.load("trackers", "bytetrack")
    workers = _start_workers(detector, classifier) if threaded else _inline_workers(detector, classifier)
    picture_format = detector.picture_format
    if settings.detect_size_px:
        picture_format = replace(picture_format, long_side_px=settings.detect_size_px)
    models = Models(
        *workers,
        picture_format=picture_format,
        detector_version=detector.version,
        labels=tuple(classifier.labels),
        crop_side_px=classifier.crop_side_px,
        # A detector of a plug-in is taken to frame faces as YuNet does, from brow to chin.
        framing=FRAMINGS.get(settings.detector, FRAMINGS["yunet"]),
        new_tracker=partial(build_tracker, detector.birth_score),
    )
    try:
        yield models
    except BaseException:
        _end(workers, BatchWorker.cancel)
        raise
    _end(workers, BatchWorker.close)


def _start_workers(detector: Detector, classifier: Classifier) -> Workers:
    detect_worker = BatchWorker(detector.detect, batch_size=detector.batch_size, name="detector")
    answer = partial(classify_requests, classifier)
    classify_worker = BatchWorker(answer, batch_size=classifier.batch_size, name="classifier")
    # Its network is compiled while the first frames are decoded and the detector's is compiled for their size.
    classify_worker.submit(np.zeros((1, classifier.crop_side_px, classifier.crop_side_px, 1), np.uint8))
    return detect_worker, classify_worker


def _inline_workers(detector: Detector, classifier: Classifier) -> Workers:
    return InlineWorker(detector.detect), InlineWorker(partial(classify_requests, classifier))


def _end(workers: Sequence[object], how: Callable[[BatchWorker[UInt8Array, object]], None]) -> None:
    for worker in workers:
        if isinstance(worker, BatchWorker):
            how(worker)

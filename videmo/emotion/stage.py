"""The classification stage: aligned faces in, the same faces with probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from videmo.datatypes import AlignedFaces, Float32Array, FrameFaces, ScoredFaces, UInt8Array
from videmo.emotion.base import Classifier
from videmo.pipeline.batching import Worker, submit_ahead
from videmo.pipeline.meters import WaitClock


def classify(
    items: Iterator[FrameFaces[AlignedFaces]],
    worker: Worker[UInt8Array, Float32Array],
    *,
    labels: int,
    waits: WaitClock | None = None,
) -> Iterator[FrameFaces[ScoredFaces]]:
    """Yield every frame with the expression of its faces, in order; `labels` is the number of columns.

    The crops of a frame travel as one request; the worker fills its batches across frames and videos.
    """

    def submit(item: FrameFaces[AlignedFaces]) -> Future[Float32Array] | None:
        return worker.submit(item.faces.crops, len(item.faces)) if len(item.faces) else None

    nobody = np.zeros((0, labels), np.float32)
    for item, emotions in submit_ahead(items, submit, limit=2 * worker.batch_size, waits=waits):
        faces = item.faces
        found = nobody if emotions is None else emotions
        known = (faces.boxes, faces.scores, faces.landmarks, faces.track_ids)
        yield FrameFaces(item.frame, ScoredFaces(*known, found, measures=faces.measures))


def classify_requests(classifier: Classifier, requests: Sequence[UInt8Array]) -> list[Float32Array]:
    """Answer a batch of requests, each the crops (n, S, S, C) of one frame, by one call of the classifier."""
    emotions = classifier.classify(np.concatenate(requests) if len(requests) > 1 else requests[0])
    ends = np.cumsum([len(crops) for crops in requests])[:-1]
    return np.split(emotions, ends)

"""Compares a detector with a reference on video clips: which of its faces are found, and what else is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, Frame
from videmo.detection.base import Detector
from videmo.detection.stage import detect
from videmo.geometry import iou_matrix
from videmo.pipeline.batching import InlineWorker
from videmo.video.discover import discover
from videmo.video.stage import open_reader

SURE: Final = 0.8
"""Score from which a face of the reference has to be found."""
LEAST_WIDTH_PX: Final = 24
"""Width in the displayed frame from which it has to be found."""
DOUBTFUL: Final = 0.3
"""Score from which the reference suspects a face."""

_SAME_FACE: Final = 0.5
_TOUCHING: Final = 0.2
_MOST_DECODED: Final = 1000


def compare_on_clips(
    detector: Detector, reference: Detector, clips: Sequence[Path], *, most_frames: int = 100
) -> list[dict[str, Any]]:
    """Compares frame by frame; each detector gets the picture size it asks for.

    Args:
        detector: The detector, at the score from which its faces count.
        reference: The detector it is compared with, with scores down to 0.3 or less.
        clips: Video files; those that cannot be read raise VideoError.
        most_frames: Frames looked at in each clip: evenly spread over its first 1,000.

    Returns:
        For each clip: clip, frames, reference_faces (score 0.8 or more, 24 px or wider), found (share of them with an
        IoU of 0.5 or more, None without any) and unseen_per_100_frames: faces that the reference does not suspect.
    """
    rows = []
    for clip in clips:
        totals = np.zeros(4, int)
        for frame in _spread(clip, most_frames):
            totals += tally(_detect(detector, frame).boxes, _detect(reference, frame))
        frames, wanted, found, unseen = (int(value) for value in totals)
        rows.append(
            {
                "clip": clip.name,
                "frames": frames,
                "reference_faces": wanted,
                "found": round(found / wanted, 3) if wanted else None,
                "unseen_per_100_frames": round(100 * unseen / max(frames, 1), 1),
            }
        )
    return rows


def _spread(clip: Path, most_frames: int) -> Iterator[Frame]:
    with closing(open_reader(discover([clip])[0])) as reader:
        count = min(reader.info.frame_count or _MOST_DECODED, _MOST_DECODED)
        yield from islice(reader.frames(), 0, _MOST_DECODED, max(1, count // most_frames))


def tally(boxes: NDArray[np.floating[Any]], reference: Detections) -> NDArray[np.int64]:
    """Returns 1, faces to find, faces found and unseen faces of one frame, for boxes (n, 4) found in it."""
    wide = reference.boxes[:, 2] - reference.boxes[:, 0] >= LEAST_WIDTH_PX
    wanted = reference.boxes[(reference.scores >= SURE) & wide]
    suspected = reference.boxes[reference.scores >= DOUBTFUL]
    found = (iou_matrix(wanted, boxes) >= _SAME_FACE).any(axis=1).sum()
    unseen = (~(iou_matrix(boxes, suspected) >= _TOUCHING).any(axis=1)).sum()
    return np.array([1, len(wanted), found, unseen])


def _detect(detector: Detector, frame: Frame) -> Detections:
    """Returns the faces as an analysis gets them, in px of the displayed frame."""
    worker = InlineWorker(detector.detect)
    return next(detect(iter([frame]), worker, detector.picture_format, min_face_px=1)).faces

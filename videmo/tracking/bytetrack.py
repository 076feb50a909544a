"""A two-threshold tracker (ByteTrack, Zhang et al. 2022) for faces, with every limit in seconds or face sizes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, Float32Array, TrackedFaces
from videmo.geometry import box_areas, iou_matrix
from videmo.tracking.assignment import IndexArray, assign
from videmo.tracking.kalman import BoxFilter, Motion


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """The tracker's knobs.

    `birth_score`: a face starts a track, or takes up a lost one, from this score on; fainter ones only continue a track
    that was seen by the detection before. `lost_s`: a track ends when it was out of sight for longer, and for
    `lost_frames` detections at least (which counts where they are sparse). `new_face_density`: how many new faces are
    expected per frame, square face size and unit of ln width and ln height; a detection continues a track only where
    that is likelier than a new face, so a higher density means narrower gates. `duplicate_overlap`: a box that shares
    this part of its own or the other's area with a face of the same frame starts no track.
    """

    birth_score: float = 0.7
    lost_s: float = 2.0
    lost_frames: int = 2
    new_face_density: float = 0.001
    # Cascades see faces within faces: a mouth, a chin with its collar.
    duplicate_overlap: float = 0.5
    motion: Motion = field(default_factory=Motion)


class ByteTracker:
    """Gives faces identities; implements `videmo.tracking.base.Tracker`. One per video.

    Detections are paired with the predicted boxes by likelihood (place and size, uncertainty growing with the time
    since a face was last seen), first those at or above `birth_score` with all tracks, then the fainter ones with the
    tracks still unpaired that were seen by the detection before. A clear face has its id from its first frame on. The
    answer does not depend on the order of the detections; faces come back best score first.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._last_id = 0
        self._time_s: float | None = None
        self.end_shot()

    def end_shot(self) -> None:
        """End every track."""
        self._filter = BoxFilter(self._settings.motion)
        self._ids = np.zeros(0, np.int32)
        self._seen_s = np.zeros(0)
        self._misses = np.zeros(0, np.int32)
        self._seen = TrackedFaces(Detections.none().boxes, Detections.none().scores)

    def update(self, detections: Detections, time_s: float) -> TrackedFaces:
        """Return the faces at `time_s` that belong to a track; raises ValueError when time does not increase."""
        self._filter.predict(self._seconds_until(time_s))
        self._time_s = time_s
        faces = detections.take(np.lexsort((*detections.boxes.T, -detections.scores)))
        tracks = self._pair(faces)
        self._correct(faces, tracks, time_s)
        self._start(faces, tracks, time_s)
        tracked = tracks >= 0
        ids = self._ids[tracks[tracked]]
        self._end_lost(time_s)
        kept = faces.take(tracked)
        self._seen = TrackedFaces(kept.boxes, kept.scores, kept.landmarks, ids)
        return self._seen

    def carry(self, time_s: float) -> TrackedFaces:
        """Return the faces of the last `update` where they are expected at `time_s`, scores as they were.

        It is no miss, and starts and ends no track. Raises ValueError when `time_s` is not after the last `update`.
        """
        seen = self._seen
        boxes = self._filter.boxes_after(self._seconds_until(time_s))[np.searchsorted(self._ids, seen.track_ids)]
        points = None if seen.landmarks is None else _move(seen.landmarks, seen.boxes, boxes)
        return replace(seen, boxes=boxes.astype(np.float32), landmarks=points)

    def _seconds_until(self, time_s: float) -> float:
        if self._time_s is None:
            return 0.0
        if time_s <= self._time_s:
            raise ValueError(f"time_s: expected more than {self._time_s}, got {time_s}")
        return time_s - self._time_s

    def _pair(self, faces: Detections) -> IndexArray:
        """Return the row of each face's track (m,), -1 where it has none."""
        tracks = np.full(len(faces), -1)
        gains = self._filter.log_likelihoods(faces.boxes) - np.log(self._settings.new_face_density)
        clear = faces.scores >= self._settings.birth_score
        rows, columns = assign(np.where(clear, gains, -np.inf))
        tracks[columns] = rows
        waiting = self._misses == 0
        waiting[rows] = False
        rows, columns = assign(np.where(~clear & waiting[:, None], gains, -np.inf))
        tracks[columns] = rows
        return tracks

    def _correct(self, faces: Detections, tracks: IndexArray, time_s: float) -> None:
        found = tracks >= 0
        rows = tracks[found]
        self._filter.update(rows, faces.boxes[found])
        self._misses += 1
        self._misses[rows] = 0
        self._seen_s[rows] = time_s

    def _start(self, faces: Detections, tracks: IndexArray, time_s: float) -> None:
        """Start a track for each clear face that has none and is not a second box of another; enters it in `tracks`."""
        clear = np.flatnonzero((tracks < 0) & (faces.scores >= self._settings.birth_score))
        if not len(clear):  # nearly always
            return
        overlaps = _overlaps(faces.boxes) >= self._settings.duplicate_overlap
        first = len(self._ids)
        for face in clear:
            if not (overlaps[face] & (tracks >= 0)).any():
                tracks[face] = first
                first += 1
        born = tracks >= len(self._ids)
        count = int(born.sum())
        self._filter.add(faces.boxes[born])
        self._ids = np.concatenate([self._ids, self._last_id + 1 + np.arange(count, dtype=np.int32)])
        self._seen_s = np.concatenate([self._seen_s, np.full(count, time_s)])
        self._misses = np.concatenate([self._misses, np.zeros(count, np.int32)])
        self._last_id += count

    def _end_lost(self, time_s: float) -> None:
        lost = (time_s - self._seen_s > self._settings.lost_s) & (self._misses >= self._settings.lost_frames)
        if lost.any():
            self._filter.keep(~lost)
            self._ids, self._seen_s, self._misses = self._ids[~lost], self._seen_s[~lost], self._misses[~lost]


def _overlaps(boxes: Float32Array) -> NDArray[np.floating]:
    """Return for each pair of boxes (n, n) the area they share as a part of the smaller one's, 0..1."""
    areas, ious = box_areas(boxes), iou_matrix(boxes, boxes)
    shared = ious / (1 + ious) * (areas[:, None] + areas)
    return np.asarray(shared / np.maximum(np.minimum(areas[:, None], areas), 1))


def _move(points: Float32Array, old: Float32Array, new: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return points (n, k, 2) that lie in the `new` boxes (n, 4) as they lay in the `old` ones."""
    scales = (new[:, 2:] - new[:, :2]) / np.maximum(old[:, 2:] - old[:, :2], 1)
    return np.asarray(new[:, None, :2] + (points - old[:, None, :2]) * scales[:, None])


def build(birth_score: float) -> ByteTracker:
    """Return a tracker for one video, fed by a detector that has this `birth_score`."""
    return ByteTracker(TrackerSettings(birth_score=birth_score))

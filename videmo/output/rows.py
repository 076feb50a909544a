"""Results gathered column by column until there are enough of them for a row group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, FrameFaces, ScoredFaces
from videmo.output.schema import faces_schema, frames_schema
from videmo.pose import head_pose
from videmo.quality import EXCLUDE_REASONS, MEASURES, USABLE, face_sizes, find_exclusions
from videmo.settings import Settings

# A row group is written when either is reached: about 9 MB held at most, whatever the length of the video.
FRAMES_PER_GROUP = 4096
FACES_PER_GROUP = 16_384


class RowBuffer:
    """The frames and faces of one video that are not yet written.

    Invariant: both tables are taken together, so row group k of the faces table holds the faces of row group k of the
    frames table, in the same order.
    """

    def __init__(self, video_id: str, labels: Sequence[str], settings: Settings) -> None:
        self._video_id = video_id
        self._settings = settings
        self._labels = tuple(labels)
        self._frames_schema = frames_schema()
        self._faces_schema = faces_schema(labels)
        self._clear()

    def _clear(self) -> None:
        self._indices: list[int] = []
        self._times_s: list[float] = []
        self._shots: list[int] = []
        self._detected: list[bool] = []
        self._counts: list[int] = []
        self._file_names: list[str | None] = []
        self._faces: list[ScoredFaces] = []
        self._face_count = 0

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def full(self) -> bool:
        """True when a row group should be written."""
        return len(self._indices) >= FRAMES_PER_GROUP or self._face_count >= FACES_PER_GROUP

    def append(self, item: FrameFaces[ScoredFaces]) -> None:
        """Add one frame and its faces; keeps no picture."""
        faces = item.faces
        self._indices.append(item.frame.index)
        self._times_s.append(item.frame.time_s)
        self._shots.append(item.frame.shot)
        self._detected.append(item.frame.detected)
        self._counts.append(len(faces))
        self._file_names.append(item.frame.file_name)
        if len(faces):
            self._faces.append(faces)
            self._face_count += len(faces)

    def take(self) -> tuple[pa.Table, pa.Table]:
        """Return the frames and the faces gathered so far as tables, and start anew."""
        tables = self._frames_table(), self._faces_table()
        self._clear()
        return tables

    def _frames_table(self) -> pa.Table:
        columns = [self._indices, self._times_s, self._shots, self._counts, self._file_names]
        return self._table(self._frames_schema, len(self), columns)

    def _faces_table(self) -> pa.Table:
        faces, rows = self._faces, self._face_count
        emotions = _joined([item.emotions for item in faces], (len(self._labels),))
        boxes = _joined([item.boxes for item in faces], (4,))
        scores = _joined([item.scores for item in faces], ())
        landmarks = _joined([_landmarks(item) for item in faces], (5, 2))
        measures = _joined([item.measures for item in faces], (len(MEASURES),))
        poses = head_pose(landmarks)
        excluded = find_exclusions(boxes, scores, measures, poses, self._settings)
        best = pa.array(emotions.argmax(axis=1) if rows else [], pa.int8())
        columns = [
            np.repeat(np.array(self._indices, np.int32), self._counts),
            np.repeat(np.array(self._times_s, np.float64), self._counts),
            _joined([item.track_ids for item in faces], ()),
            *boxes.T,
            scores,
            np.repeat(np.array(self._detected, np.bool_), self._counts),
            *landmarks.reshape(rows, 10).T,
            *poses.T,
            *emotions.T,
            pa.DictionaryArray.from_arrays(best, pa.array(self._labels, pa.string())),
            face_sizes(boxes),
            *measures.T,
            excluded == USABLE,
            pa.DictionaryArray.from_arrays(
                pa.array(excluded, mask=excluded == USABLE), pa.array(EXCLUDE_REASONS, pa.string())
            ),
        ]
        return self._table(self._faces_schema, rows, columns)

    def _table(self, schema: pa.Schema, rows: int, columns: Sequence[object]) -> pa.Table:
        video_ids = pa.repeat(pa.scalar(self._video_id, pa.string()), rows)
        # from_pandas: NaN, which stands for a landmark or a measure that is not known, becomes null.
        typed = [
            column if isinstance(column, pa.Array) else pa.array(column, field.type, from_pandas=field.nullable)
            for column, field in zip([video_ids, *columns], schema, strict=True)
        ]
        return pa.Table.from_arrays(typed, schema=schema)


def _joined(parts: Sequence[NDArray[Any]], tail: tuple[int, ...]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros((0, *tail), np.float32)


def _landmarks(faces: ScoredFaces) -> Float32Array:
    return np.full((len(faces), 5, 2), np.nan, np.float32) if faces.landmarks is None else faces.landmarks

"""Decoded frames met with what the tables say of them: what `videmo render` draws, without any model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from videmo.datatypes import Frame, FrameFaces, ScoredFaces
from videmo.findings.tables import Run
from videmo.output.hiding import Sighting
from videmo.output.schema import BOX_COLUMNS, LANDMARK_COLUMNS
from videmo.quality import MEASURES


def replay(frames: Iterable[Frame], run: Run, video_id: str) -> Iterator[FrameFaces[ScoredFaces]]:
    """Yield each frame with its faces from the tables; a frame without a row is marked as not analysed.

    Args:
        frames: the frames of the source, in the order of `index`.
        run: the run that analysed it.
        video_id: which video of the run.

    Raises:
        UsageError: a table is missing, damaged or of an unknown version.
    """
    labels = run.labels
    nobody = _as_faces(run.faces(video_id).iloc[:0], labels)
    recorded = _recorded(run, video_id, labels)
    index, shot, faces = next(recorded, (-1, 0, nobody))
    shown_shot = 0
    for frame in frames:
        while 0 <= index < frame.index:
            index, shot, faces = next(recorded, (-1, shot, nobody))
        analysed = index == frame.index
        shown_shot = shot if analysed else shown_shot
        yield FrameFaces(replace(frame, analysed=analysed, shot=shown_shot), faces if analysed else nobody)


def read_sightings(run: Run, video_id: str, visible: Collection[str] = ()) -> Iterator[Sighting]:
    """Yield where the faces of each analysed frame are, those of the identities in `visible` left out."""
    shown = [track_id for track_id, name in run.names(video_id).items() if name in visible]
    for frames, faces in run.row_groups(video_id):
        hidden = ~faces["track_id"].isin(shown).to_numpy()
        track_ids, boxes = faces["track_id"].to_numpy(np.int32), faces[list(BOX_COLUMNS)].to_numpy(np.float32)
        ends = frames["faces"].to_numpy().cumsum()
        rows = zip(frames["time_s"], frames["shot"], ends - frames["faces"], ends, strict=True)
        for time_s, shot, start, end in rows:
            chosen = start + np.flatnonzero(hidden[start:end])
            yield Sighting(float(time_s), int(shot), track_ids[chosen], boxes[chosen])


def _recorded(run: Run, video_id: str, labels: Sequence[str]) -> Iterator[tuple[int, int, ScoredFaces]]:
    """Yield index, shot and faces of each analysed frame."""
    for frames, faces in run.row_groups(video_id):
        table = _as_faces(faces, labels)
        ends = frames["faces"].to_numpy().cumsum()
        rows = zip(frames["frame_index"], frames["shot"], ends - frames["faces"], ends, strict=True)
        for index, shot, start, end in rows:
            yield int(index), int(shot), table.take(slice(start, end))


def _as_faces(rows: pd.DataFrame, labels: Sequence[str]) -> ScoredFaces:
    """Return rows of a faces table as faces; tables before schema version 1.2 hold no quality."""
    return ScoredFaces(
        rows[list(BOX_COLUMNS)].to_numpy(np.float32),
        rows["detection_score"].to_numpy(np.float32),
        rows[list(LANDMARK_COLUMNS)].to_numpy(np.float32).reshape(-1, 5, 2),
        rows["track_id"].to_numpy(np.int32),
        rows[list(labels)].to_numpy(np.float32),
        measures=rows.reindex(columns=list(MEASURES)).to_numpy(np.float32),
    )

"""Clips annotated as a run does it, with the faces given instead of found."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from scored_frames import scored_faces

from videmo.datatypes import FrameFaces, ScoredFaces
from videmo.emotion.labels import EMOTIONS
from videmo.output.annotated import AnnotatedVideoSink
from videmo.video.pyav import PyAvReader

NOBODY = scored_faces(0)


def annotate(
    source: Path, target: Path, frames: slice = slice(None), faces: ScoredFaces = NOBODY
) -> tuple[list[float], list[str]]:
    """Annotate a file; returns the times of the frames given and the sink's warnings."""
    reader = PyAvReader("clip", source)
    sink = AnnotatedVideoSink(target, reader.info, EMOTIONS)
    times_s = []
    for frame in islice(reader.frames(), frames.start, frames.stop):
        times_s.append(frame.time_s)
        sink.write(FrameFaces(frame, faces))
    assert sink.close() == [target]
    reader.close()
    return times_s, sink.warnings

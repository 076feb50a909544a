"""Single pictures instead of videos: every picture for itself, one row for each of its faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from videmo import plugins
from videmo.analysis.lane import scored_frames
from videmo.analysis.models import Models, open_models, serve
from videmo.datatypes import Detections, ScoredFaces, TrackedFaces
from videmo.detection.whole_picture import WholePicture
from videmo.emotion.align import Framing
from videmo.errors import UsageError, VideoError
from videmo.filenames import show_name
from videmo.output.schema import BOX_COLUMNS
from videmo.pipeline.meters import Meters
from videmo.settings import Settings
from videmo.tracking.base import Tracker
from videmo.video.discover import VIDEO_SUFFIXES, discover
from videmo.video.images import ImageSequenceReader

_AS_CUT: Final = Framing(1.0, box_centre=(0.5, 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class PictureFaces:
    """The faces of one picture; `error` says why it could not be read."""

    path: Path
    faces: ScoredFaces | None = None
    error: str | None = None


def predict(inputs: Sequence[str | Path], settings: Settings | None = None, *, crops: bool = False) -> pd.DataFrame:
    """Return the faces in pictures and their expressions.

    Args:
        inputs: Pictures, folders of pictures, globs.
        settings: Which models; what concerns videos and outputs is ignored.
        crops: Take the middle square of each picture for a face that is cut out already; nothing is detected.

    Returns:
        One row for each face, best detection first: file, face (from 1), x1 y1 x2 y2 (px), detection_score (empty with
        `crops`), emotion, the probability of each label, error. A picture without faces has one row whose face is
        empty; one that cannot be read has an error there as well.

    Raises:
        UsageError: nothing is there, a video is among the inputs, or a setting cannot be used.
        VideoError: no picture can be read.
        PresetError: the model cannot be used.

    Example:
        >>> predict(["portrait.jpg"])[["file", "face", "emotion"]]  # doctest: +SKIP
    """
    # All pictures are looked at, whatever is said of the frames of videos.
    every = {"fps": None, "stride": 1, "start_s": 0.0, "end_s": None, "detect_every_frames": 1, "detect_every_s": None}
    chosen = (settings or Settings()).merged(every)
    paths = _find_pictures(inputs)
    with _open_crop_models(chosen) if crops else open_models(chosen) as models:
        table = _tabulate(_score(paths, models, replace(chosen, min_face_px=1) if crops else chosen), models.labels)
    return table.assign(detection_score=np.float32("nan")) if crops else table


def _find_pictures(inputs: Sequence[str | Path]) -> list[Path]:
    """Return the pictures in order; raises UsageError on a video."""
    paths = [path for source in discover(inputs) for path in source.paths]
    if video := next((path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES), None):
        raise UsageError(f"{video}: a video, not a picture: use `videmo analyze`")
    return paths


@contextmanager
def _open_crop_models(settings: Settings) -> Iterator[Models]:
    """Load the classifier only; whole pictures stand in for detected faces."""
    classifier = plugins.load("classifiers", "preset")(settings)
    with serve(WholePicture(), classifier, settings) as models:
        yield replace(models, framing=_AS_CUT)


def _score(paths: Sequence[Path], models: Models, settings: Settings) -> Iterator[PictureFaces]:
    """Yield every picture in order, all of them through one lane, so that batches fill across pictures."""
    reader = ImageSequenceReader("pictures", paths)
    alone = replace(models, new_tracker=lambda: _Unrelated(models.new_tracker))
    frames = scored_frames(reader, alone, settings, keep_pictures=False, meters=Meters("pictures"))
    position = 0
    try:
        for item in frames:
            # The pts of a picture is its position: those that are passed over could not be read.
            yield from (PictureFaces(path, error=_why(path)) for path in paths[position : item.frame.pts])
            position = item.frame.pts + 1
            yield PictureFaces(paths[item.frame.pts], item.faces)
    finally:
        frames.close()
        reader.close()
    yield from (PictureFaces(path, error=_why(path)) for path in paths[position:])


def _why(path: Path) -> str:
    """Return why a picture cannot be read."""
    try:
        ImageSequenceReader(path.name, [path]).close()
    except VideoError as error:
        return str(error)
    return f"{path}: could not be read a moment ago: try again"


class _Unrelated:
    """Gives each picture a tracker of its own, so that its faces do not depend on the pictures before."""

    def __init__(self, new_tracker: Callable[[], Tracker]) -> None:
        self._new_tracker = new_tracker
        self._tracker = new_tracker()

    def update(self, detections: Detections, time_s: float) -> TrackedFaces:
        self._tracker = self._new_tracker()
        return self._tracker.update(detections, time_s)

    def carry(self, time_s: float) -> TrackedFaces:
        return self._tracker.carry(time_s)

    def end_shot(self) -> None:
        self._tracker.end_shot()


def _tabulate(pictures: Iterator[PictureFaces], labels: Sequence[str]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for picture in pictures:
        rows += _rows(picture, labels) or [{"file": show_name(picture.path), "error": picture.error}]
    numbers = [*BOX_COLUMNS, "detection_score", *labels]
    columns = ["file", "face", *BOX_COLUMNS, "detection_score", "emotion", *labels, "error"]
    types = (
        {"face": "Int32"} | dict.fromkeys(("file", "emotion", "error"), "string") | dict.fromkeys(numbers, "float32")
    )
    return pd.DataFrame(rows, columns=columns).astype(types)


def _rows(picture: PictureFaces, labels: Sequence[str]) -> list[dict[str, Any]]:
    faces = picture.faces
    if faces is None:
        return []
    return [
        {
            "file": show_name(picture.path),
            "face": number,
            **dict(zip(BOX_COLUMNS, box, strict=True)),
            "detection_score": score,
            "emotion": labels[int(emotions.argmax())],
            **dict(zip(labels, emotions, strict=True)),
        }
        for number, (box, score, emotions) in enumerate(
            zip(faces.boxes, faces.scores, faces.emotions, strict=True), start=1
        )
    ]

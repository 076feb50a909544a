"""Videos and pictures of one's own become labelled faces to train on: one PNG a face, and labels.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import cv2

from videmo.analysis.lane import aligned_frames
from videmo.analysis.models import Models, open_models
from videmo.datatypes import AlignedFaces, FrameFaces, UInt8Array
from videmo.emotion.labels import LABEL_NAMES
from videmo.errors import OutputError, UsageError, VideoError
from videmo.filenames import show_name
from videmo.output.files import explained, replacing
from videmo.pipeline.meters import Meters
from videmo.settings import Settings
from videmo.video.discover import Input, discover
from videmo.video.stage import open_reader

COLUMNS: Final = (
    *("file", "label", "split", "source", "frame_index", "time_s", "track_id"),
    *("x1", "y1", "x2", "y2", "detection_score"),
)
"""Columns of labels.csv: box in px of the frame as displayed; `source` is the video or picture (see `show_name`)."""

SPLITS: Final = ("train", "valid", "test")

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CropsReport:
    """How many faces were written from how many inputs, and what could not be read: one line each."""

    faces: int
    sources: int
    errors: tuple[str, ...]


def write_crops(
    inputs: Sequence[str | Path],
    out: Path,
    settings: Settings | None = None,
    *,
    side_px: int = 48,
    label: str = "",
    split: str = "",
) -> CropsReport:
    """Write the faces of videos and pictures as gray PNGs, upright and framed as in training, and labels.csv.

    A video is sampled as `settings` say; of pictures every one is looked at. labels.csv is what the reader of labelled
    faces reads and what training takes.

    Args:
        inputs: Files, folders and globs.
        out: A new or empty folder.
        settings: Sampling, detector, smallest face; what concerns the expression model and outputs is ignored.
        side_px: Side of the faces.
        label: The label of all faces, a name in `LABEL_NAMES`; empty if it is to be written in later.
        split: The split of all faces; empty to let the name of each input decide: eight of ten go to train, one each
            to valid and test. Faces of one input always share a split.

    Raises:
        UsageError: The folder holds something, or an option cannot be used.
        OutputError: The folder cannot be written to.
    """
    chosen = settings or Settings()
    _check_options(out, side_px, label, split)
    sources = discover(inputs)
    tags = {source: (LABEL_NAMES.get(label.lower(), ""), split or choose_split(source.video_id)) for source in sources}
    faces, errors = 0, []
    with open_models(chosen) as models, replacing(out / "labels.csv") as partial:
        models = replace(models, crop_side_px=side_px)
        with partial.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for source in sources:
                try:
                    for name, *place in _write_faces(source, out, models, chosen):
                        table.writerow((name, *tags[source], *place))
                        faces += 1
                except VideoError as error:
                    errors.append(str(error))
    return CropsReport(faces, len(sources), tuple(errors))


def choose_split(video_id: str) -> str:
    """Return the split of an input by its id alone, so that it stays the same when others are added.

    Example:
        >>> choose_split("interview")
        'train'
    """
    number = int.from_bytes(blake2b(video_id.encode(), digest_size=8).digest(), "big")
    return {0: "valid", 1: "test"}.get(number % 10, "train")


def _check_options(out: Path, side_px: int, label: str, split: str) -> None:
    if label and label.lower() not in LABEL_NAMES:
        raise UsageError(f"label {label!r} is unknown: give one of {', '.join(LABEL_NAMES)}")
    if split and split not in SPLITS:
        raise UsageError(f"split {split!r} is unknown: give one of {', '.join(SPLITS)}")
    if side_px < 16:
        raise UsageError(f"faces of {side_px} px show nothing: give a side of 16 px or more")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there and not an empty folder: name a new one, so that nothing is overwritten")


def _write_faces(source: Input, out: Path, models: Models, settings: Settings) -> Iterator[Row]:
    """Write the faces of one input and yield a row for each: its file, then all columns from `source` on."""
    if source.kind == "images":
        settings = replace(settings, fps=None)
    with (
        closing(open_reader(source, settings.image_fps, settings.stall_limit_s)) as reader,
        closing(aligned_frames(reader, models, settings, meters=Meters(source.video_id))) as frames,
    ):
        for item in frames:
            picture = source.paths[0].with_name(item.frame.file_name or source.paths[0].name)
            for face, crop in enumerate(item.faces.crops):
                name = f"{source.video_id}/{item.frame.index:06d}-{item.faces.track_ids[face]}.png"
                _write_png(out / name, crop)
                yield (name, show_name(picture), *_describe(item, face))


def _describe(item: FrameFaces[AlignedFaces], face: int) -> Row:
    frame, faces = item.frame, item.faces
    box = (round(float(value), 1) for value in faces.boxes[face])
    score = round(float(faces.scores[face]), 4)
    return (frame.index, round(frame.time_s, 6), int(faces.track_ids[face]), *box, score)


def _write_png(path: Path, crop: UInt8Array) -> None:
    """Write a face; through memory, because OpenCV opens no path beyond ASCII on Windows."""
    done, data = cv2.imencode(".png", crop)
    if not done:
        raise OutputError(f"{path}: the face cannot be written as PNG")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())

"""Labelled faces of any layout, split by split, cleaned for training."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.output.files import replacing
from videmo.training.emotion.faces import SIDE_PX, SPLITS, VOTES, LabelledFaces
from videmo.training.emotion.readers.recognise import read_source
from videmo.training.emotion.readers.source import NONE_UNREADABLE, Source
from videmo.training.emotion.splits import apply_split_list, split_by_content
from videmo.training.emotion.twins import digest, is_blank
from videmo.training.files import read_arrays

__all__ = ["SIDE_PX", "SPLITS", "VOTES", "LabelledFaces", "find_twins", "read_faces", "read_splits", "training_faces"]

# Type and dimensions of the arrays that are kept.
_KEPT = {"images": ("u", 3), "votes": ("u", 2), "labels": ("i", 1), "names": ("U", 1), "splits": ("U", 1)}


def read_faces(
    data: Path, *, work: Path | None = None, side_px: int = SIDE_PX, split_list: Path | None = None
) -> dict[str, LabelledFaces]:
    """Reads every split of a data set, whichever of the known layouts it has.

    Args:
        data: What `readers.recognise.read_source` reads: FER+ folder or zip, fer2013.csv, class-named folders, or
            labels.csv beside pictures.
        work: Folder where the decoded pictures of a zip or CSV file are kept for the next run; nothing is kept without.
        side_px: Side of the faces.
        split_list: The splits.csv of `videmo data check`: only what it keeps is returned, in the splits it names.

    Returns:
        Faces by split: train, valid, test; what the data do not tell of the splits `splits.split_by_content` decides.

    Raises:
        DataError: The data are wrong, or a picture is unreadable and no list leaves it out.
    """
    source = read_splits(data, work=work, side_px=side_px)
    if split_list:
        source = apply_split_list(source, split_list)
    if len(source.unreadable):
        more = f" ({len(source.unreadable) - 1} more like it)" if len(source.unreadable) > 1 else ""
        raise DataError(
            f"{source.unreadable['reason'].iloc[0]}{more}; or leave it out with the list of `videmo data check`"
        )
    return {split: source.faces.select(source.splits == split) for split in SPLITS}


def read_splits(data: Path, *, work: Path | None = None, side_px: int = SIDE_PX) -> Source:
    """Reads a data set as one table, every face with a split; see `read_faces`.

    Raises:
        DataError: The data are wrong. Unreadable pictures are not raised.
    """
    if work is None or not data.is_file():
        return split_by_content(read_source(data, side_px))
    stat = data.stat()
    cache = work / f"{data.stem}-{side_px}px-{stat.st_size}-{stat.st_mtime_ns}.npz"
    if cache.exists():
        return _read_cache(cache)
    source = split_by_content(read_source(data, side_px))
    if source.unreadable.empty:
        _write_cache(cache, source)
    return source


def _write_cache(path: Path, source: Source) -> None:
    arrays = {field.name: getattr(source.faces, field.name) for field in fields(LabelledFaces)}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, layout=source.layout, splits=source.splits, **arrays)


def _read_cache(path: Path) -> Source:
    stored = read_arrays(path)
    rows = {name: stored[name].shape[:1] for name in _KEPT if name in stored}
    found = {name: (stored[name].dtype.kind, stored[name].ndim) for name in rows}
    if found != _KEPT or len(set(rows.values())) > 1 or "layout" not in stored:
        raise DataError(f"{path}: not the faces of an earlier run; remove the file: it is made anew")
    faces = LabelledFaces(*(stored[field.name] for field in fields(LabelledFaces)))
    return Source(str(stored["layout"]), faces, stored["splits"], NONE_UNREADABLE)


def find_twins(faces: LabelledFaces, others: LabelledFaces) -> NDArray[np.bool_]:
    """Tells which faces are pixel-identical to a face of another split.

    Returns:
        (len(faces),) bool.

    Example:
        >>> white = np.full((1, 48, 48), 255, np.uint8)
        >>> face = LabelledFaces(white, np.zeros((1, 10), np.uint8), np.zeros(1, np.int8), np.array(["white.png"]))
        >>> find_twins(face, face).tolist()
        [True]
    """
    return np.isin(digest(faces.images), digest(others.images))


def training_faces(splits: dict[str, LabelledFaces]) -> LabelledFaces:
    """Returns the training split without the twins of validation and test pictures, and without blank pictures."""
    train = splits["train"]
    twins = find_twins(train, splits["valid"]) | find_twins(train, splits["test"])
    return train.select(~(twins | is_blank(train.images)))

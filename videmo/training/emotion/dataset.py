"""Reads FER2013 faces with their FER+ votes and original labels, and keeps the splits apart.

Sources: FER2013 (Goodfellow et al., 2013); FER+ votes and protocols (Barsoum et al., 2016).
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import DataError

SIDE_PX: Final = 48
SPLITS: Final = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
VOTES: Final = (*EMOTIONS, "unknown", "not_a_face")
_FER2013_ORDER: Final = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
_FROM_FER2013: Final = np.array([FER2013_EMOTIONS.index(name) for name in _FER2013_ORDER], np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces of one split with both of their labels; n faces.

    Attributes:
        images: (n, 48, 48) uint8, gray.
        votes: (n, 10) uint8, people who chose each of `VOTES`.
        labels: (n,) int8, the original FER2013 label as an index into `FER2013_EMOTIONS`.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    labels: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        """Returns the faces of the given rows."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


def read_faces(data: Path, *, work: Path | None = None) -> dict[str, LabelledFaces]:
    """Reads every split from a FER+ folder or zip file.

    Args:
        data: Folder or zip file with `FER2013Train/label.csv` and its pictures, the same for `FER2013Valid` and
            `FER2013Test`, and `fer2013_labels.csv` (columns image and label).
        work: Folder where the decoded pictures are kept for the next run; nothing is kept without it.

    Returns:
        Faces by split: train, valid, test.

    Raises:
        DataError: A file is missing or wrong, a picture is unreadable or not 48x48, or a label is not one of the seven.
    """
    if work is None or not data.exists():
        return _read_source(data)
    stat = data.stat()
    cache = work / f"{data.stem}-{stat.st_size}-{stat.st_mtime_ns}.npz"
    if not cache.exists():
        _write_cache(cache, _read_source(data))
    return _read_cache(cache)


def _write_cache(path: Path, splits: dict[str, LabelledFaces]) -> None:
    arrays = {
        f"{split}_{field.name}": getattr(faces, field.name)
        for split, faces in splits.items()
        for field in fields(faces)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    partial.replace(path)


def _read_cache(path: Path) -> dict[str, LabelledFaces]:
    names = [field.name for field in fields(LabelledFaces)]
    with np.load(path) as stored:
        return {split: LabelledFaces(*(stored[f"{split}_{name}"] for name in names)) for split in SPLITS}


def _read_source(data: Path) -> dict[str, LabelledFaces]:
    if data.is_dir():
        root: Path | zipfile.Path = data
    elif zipfile.is_zipfile(data):
        root = zipfile.Path(data)
    else:
        raise DataError(
            f"{data}: neither a folder nor a zip file; give the FER+ folder with FER2013Train/label.csv in it"
        )
    labels = _read_labels(root)
    return {split: _read_split(root / folder, labels) for split, folder in SPLITS.items()}


def _read_table(path: Path | zipfile.Path, *, header: int | None) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path}: missing; give the FER+ folder or zip that holds it")
    try:
        return pd.read_csv(io.StringIO(path.read_text(encoding="utf-8")), header=header)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV table ({error}); restore the file") from error


def _read_labels(root: Path | zipfile.Path) -> dict[str, int]:
    path = root / "fer2013_labels.csv"
    table = _read_table(path, header=0)
    if missing := {"image", "label"} - set(table.columns):
        raise DataError(f"{path}: column {sorted(missing)[0]!r} is missing; expected image, usage, label")
    if wrong := sorted(set(table["label"]) - set(range(len(_FER2013_ORDER)))):
        raise DataError(f"{path}: label {wrong[0]!r} is not one of FER2013's 0 to 6")
    return dict(zip(table["image"], _FROM_FER2013[table["label"].to_numpy(int)].tolist(), strict=True))


def _read_split(folder: Path | zipfile.Path, labels: dict[str, int]) -> LabelledFaces:
    path = folder / "label.csv"
    table = _read_table(path, header=None)
    if table.shape[1] != 2 + len(VOTES):
        raise DataError(f"{path}: {table.shape[1]} columns; expected picture, box and {len(VOTES)} vote counts")
    names = table[0].tolist()
    if unknown := next((name for name in names if name not in labels), None):
        raise DataError(f"{path}: {unknown} has no label in fer2013_labels.csv; add it there")
    votes = table.iloc[:, 2:]
    if not all(pd.api.types.is_integer_dtype(kind) for kind in votes.dtypes) or votes.to_numpy().min() < 0:
        raise DataError(f"{path}: votes must be whole numbers from 0; correct the columns after the box")
    images = np.stack([_read_picture(folder / name) for name in names])
    return LabelledFaces(images, votes.to_numpy(np.uint8), np.array([labels[name] for name in names], np.int8))


def _read_picture(path: Path | zipfile.Path) -> NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(f"{path}: missing, though label.csv names it")
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"{path}: not a readable picture; replace it or remove its row from label.csv")
    if image.shape != (SIDE_PX, SIDE_PX):
        raise DataError(f"{path}: {image.shape[1]}x{image.shape[0]} pixels; expected {SIDE_PX}x{SIDE_PX}")
    return image.astype(np.uint8, copy=False)


def find_twins(faces: LabelledFaces, others: LabelledFaces) -> NDArray[np.bool_]:
    """Tells which faces are pixel-identical to a face of another split.

    Returns:
        (len(faces),) bool.

    Example:
        >>> blank = LabelledFaces(np.zeros((1, 48, 48), np.uint8), np.zeros((1, 10), np.uint8), np.zeros(1, np.int8))
        >>> find_twins(blank, blank).tolist()
        [True]
    """
    known = {image.tobytes() for image in others.images}
    return np.array([image.tobytes() in known for image in faces.images], bool)


def training_faces(splits: dict[str, LabelledFaces]) -> LabelledFaces:
    """Returns the training split without the twins of validation and test pictures."""
    train = splits["train"]
    return train.select(~(find_twins(train, splits["valid"]) | find_twins(train, splits["test"])))

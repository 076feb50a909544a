"""Tells by its content what a data set is, and reads it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from videmo.errors import DataError
from videmo.training.emotion.faces import SIDE_PX
from videmo.training.emotion.readers.class_folders import list_folders, read_class_folders
from videmo.training.emotion.readers.fer2013 import read_fer2013
from videmo.training.emotion.readers.ferplus import FOLDERS, LABELS, read_ferplus
from videmo.training.emotion.readers.labelled import TABLE, read_labelled
from videmo.training.emotion.readers.source import CLASSES, SPLIT_NAMES, Source
from videmo.training.files import Root, open_archive

_FER2013: Final = "fer2013.csv"
_MOST_LEVELS: Final = 8  # a damaged zip file may name a folder that lies in itself
_KNOWN: Final = (
    "expected fer2013.csv (columns emotion, pixels, Usage), FER+ folders (FER2013Train/label.csv …), class-named "
    "folders (anger, happiness …; also in train and test), or labels.csv (columns file, label) beside pictures"
)


def read_source(data: Path, side_px: int = SIDE_PX) -> Source:
    """Reads labelled faces of any of the four layouts, from a folder, a zip file or a CSV file.

    Raises:
        DataError: It is none of them, or its tables or folders are wrong. Pictures that cannot be read are not raised:
            they are in the source's `unreadable`.

    Example:
        >>> read_source(Path("ferplus.zip")).layout  # doctest: +SKIP
        'FER+ votes'
    """
    if data.is_dir():
        return _read_folder(data, side_px)
    if not data.is_file():
        raise DataError(f"{data}: neither a folder nor a file; check the name")
    if archive := open_archive(data):
        with archive:
            return _read_folder(zipfile.Path(archive), side_px)
    if data.suffix.lower() != ".csv":
        raise DataError(f"{data}: neither a folder nor a zip file nor a CSV file; {_KNOWN}")
    return read_fer2013(data, side_px)


def _read_folder(root: Root, side_px: int, levels: int = _MOST_LEVELS) -> Source:
    folders = list_folders(root)
    names = {folder.name.lower() for folder in folders}
    if (root / LABELS).is_file() or names & {name.lower() for name in FOLDERS.values()}:
        return read_ferplus(root, side_px)
    if (root / TABLE).is_file():
        return read_labelled(root, side_px)
    if (root / _FER2013).is_file():
        return read_fer2013(root / _FER2013, side_px)
    if names & (CLASSES.keys() | SPLIT_NAMES.keys()):
        return read_class_folders(root, side_px)
    if len(folders) == 1 and levels:  # zip programs put a folder around everything
        return _read_folder(folders[0], side_px, levels - 1)
    if not any(True for _ in root.iterdir()):
        raise DataError(f"{root}: an empty folder; {_KNOWN}")
    raise DataError(f"{root}: no data set that is known; {_KNOWN}")

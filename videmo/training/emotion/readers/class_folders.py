"""Folders named after their expressions, with or without train and test folders around them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pandas as pd

from videmo.errors import DataError
from videmo.training.emotion.readers.source import CLASSES, SPLIT_NAMES, Source, load_pictures
from videmo.training.files import Root
from videmo.video.discover import PICTURE_SUFFIXES, natural_key

Row = tuple[str, str, int]
"""Name, split and label of a picture."""


def read_class_folders(root: Root, side_px: int) -> Source:
    """Reads pictures of any size from `anger/…` or `train/anger/…`; folder names as in `CLASSES` and `SPLIT_NAMES`.

    Raises:
        DataError: A folder's name is no class, or a class folder holds no picture.
    """
    folders = list_folders(root)
    split_folders = [folder for folder in folders if folder.name.lower() in SPLIT_NAMES]
    if split_folders and len(split_folders) < len(folders):
        stray = next(folder for folder in folders if folder not in split_folders)
        raise DataError(f"{stray}: not a split; expected one of {', '.join(SPLIT_NAMES)}: move or remove the folder")
    if split_folders:
        parts = [_read_classes(folder, SPLIT_NAMES[folder.name.lower()], f"{folder.name}/") for folder in folders]
    else:
        parts = [_read_classes(root, "", "")]
    rows = pd.DataFrame(list(chain.from_iterable(parts)), columns=["name", "split", "label"])
    return load_pictures(root, "class-named folders", rows, side_px=side_px)


def list_folders(root: Root) -> list[Root]:
    """Returns the folders in a folder by name, without hidden ones and those that zip programs add."""
    folders = [item for item in root.iterdir() if item.is_dir() and not item.name.startswith((".", "__"))]
    return sorted(folders, key=lambda folder: folder.name.lower())


def _read_classes(split_folder: Root, split: str, prefix: str) -> Iterator[Row]:
    folders = list_folders(split_folder)
    if not folders:
        raise DataError(f"{split_folder}: no class folder in it; expected {', '.join(CLASSES)}")
    for folder in folders:
        label = CLASSES.get(folder.name.lower())
        if label is None:
            raise DataError(f"{folder}: unknown class; rename the folder to one of {', '.join(CLASSES)}, or remove it")
        names = [item.name for item in folder.iterdir() if Path(item.name).suffix.lower() in PICTURE_SUFFIXES]
        if not names:
            raise DataError(f"{folder}: an empty class: no picture in it; add pictures or remove the folder")
        for name in sorted(names, key=natural_key):
            yield f"{prefix}{folder.name}/{name}", split, label

"""FER+ folders: pictures with the votes of ten people, and FER2013's own labels where they are at hand.

Source: Barsoum et al. (2016), the layout of github.com/microsoft/FERPlus.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.training.emotion.faces import SIDE_PX, VOTES
from videmo.training.emotion.readers.fer2013 import CODES
from videmo.training.emotion.readers.source import (
    Source,
    load_pictures,
    read_table,
    require_columns,
    require_once,
    translate,
)
from videmo.training.files import Root

FOLDERS: Final = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
LABELS: Final = "fer2013_labels.csv"


def read_ferplus(root: Root, side_px: int) -> Source:
    """Reads `FER2013Train/label.csv` and its pictures of 48x48, the same of Valid and Test.

    `fer2013_labels.csv` (columns image and label), where it is there, gives each picture FER2013's own label as well.

    Raises:
        DataError: A table is missing or wrong.
    """
    labels = _read_labels(root / LABELS)
    parts = [_read_votes(root, split, labels) for split in FOLDERS]
    rows = pd.concat([part for part, _ in parts], ignore_index=True)
    votes = np.concatenate([counts for _, counts in parts])
    return load_pictures(root, "FER+ votes", rows, side_px=side_px, votes=votes, expected_px=SIDE_PX)


def _read_labels(path: Root) -> dict[str, int] | None:
    if not path.is_file():
        return None
    table = read_table(path)
    require_columns(path, table, ("image", "label"))
    require_once(path, table["image"])
    return dict(zip(table["image"], translate(path, table["label"], CODES), strict=True))


def _read_votes(root: Root, split: str, labels: dict[str, int] | None) -> tuple[pd.DataFrame, NDArray[np.uint8]]:
    """Returns the rows of a split, as `load_pictures` takes them, and their votes."""
    path = root / FOLDERS[split] / "label.csv"
    table = read_table(path, header=None)
    if table.shape[1] != 2 + len(VOTES):
        raise DataError(f"{path}: {table.shape[1]} columns; expected picture, box and {len(VOTES)} vote counts")
    require_once(path, table[0], first_row=1)
    known = pd.Series(-1, table.index) if labels is None else table[0].map(labels)
    if known.isna().any():
        raise DataError(f"{path}: {table[0][known.isna()].iloc[0]} has no label in {LABELS}; add it there")
    rows = pd.DataFrame({"name": FOLDERS[split] + "/" + table[0], "split": split, "label": known})
    return rows, _to_counts(path, table.iloc[:, 2:])


def _to_counts(path: Root, cells: pd.DataFrame) -> NDArray[np.uint8]:
    counts = cells.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~(np.isin(counts, np.arange(256)).all(axis=1)))
    if len(wrong):
        raise DataError(f"{path}: row {wrong[0] + 1}: votes must be whole numbers from 0; correct the row")
    return np.asarray(counts, np.uint8)

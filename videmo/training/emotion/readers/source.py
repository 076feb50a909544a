"""What every reader of labelled faces gives, and how tables and pictures are read on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS, LABEL_NAMES
from videmo.errors import DataError
from videmo.training.emotion.faces import SPLITS, VOTES, LabelledFaces
from videmo.training.files import Root, read_bytes
from videmo.video.decode_picture import decode_picture

CLASSES: Final = {name: EMOTIONS.index(label) for name, label in LABEL_NAMES.items()}
"""Indices into `EMOTIONS` by the names of `LABEL_NAMES`."""

SPLIT_NAMES: Final[Mapping[str, str]] = {name: name for name in SPLITS} | {
    "training": "train",
    "val": "valid",
    "validation": "valid",
    "publictest": "valid",
    "testing": "test",
    "privatetest": "test",
}
"""Splits by the names they go by, in lower case."""


NONE_UNREADABLE: Final = pd.DataFrame(columns=["name", "split", "label", "reason"])


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A data set as it was read; n faces.

    Attributes:
        layout: What the data set is, in words.
        faces: All readable faces.
        splits: (n,) str, the split of each, a name in `SPLITS`, or an empty text throughout where the data tell none.
        unreadable: Pictures that could not be read: columns name, split, label (as in `LabelledFaces`) and reason.
    """

    layout: str
    faces: LabelledFaces
    splits: NDArray[np.str_]
    unreadable: pd.DataFrame


def read_table(path: Root, *, header: int | None = 0) -> pd.DataFrame:
    """Reads a CSV file, every cell as text, nothing as missing; without a header the columns are numbers.

    Raises:
        DataError: The file is missing or no CSV table.
    """
    if not path.is_file():
        raise DataError(f"{path}: missing; give the folder or zip that holds it")
    content = BytesIO(read_bytes(path))
    try:
        table = pd.read_csv(content, header=header, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a CSV table ({str(error).strip()}); restore the file") from error
    require_even(path, table)
    return table


def require_even(path: Root, table: pd.DataFrame) -> None:
    """Raises DataError where rows have more cells than the header, which pandas takes for names of the rows."""
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError(f"{path}: more cells in a row than in the header; remove what is too much")


def require_columns(path: Root, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raises DataError that names the first of the columns a table lacks."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns[:8]))
        raise DataError(f"{path}: column {missing[0]!r} is missing; expected {', '.join(columns)}, found {found}")


def require_once(path: Root, names: pd.Series, *, first_row: int = 2) -> None:
    """Raises DataError that names the first picture that a table names again, and its row as a spreadsheet counts."""
    again = names.duplicated().to_numpy()
    if again.any():
        row = int(again.argmax())
        raise DataError(f"{path}: row {first_row + row}: {names.iloc[row]} is named twice; remove one of the rows")


def translate(path: Root, cells: pd.Series, known: Mapping[str, int | str]) -> pd.Series:
    """Returns what the cells of a column stand for, by their names in lower case.

    Raises:
        DataError: A cell is not among the known names; names its row as a spreadsheet counts (the header is row 1).
    """
    values = cells.str.strip().str.lower().map(known)
    wrong = np.flatnonzero(values.isna())
    if len(wrong):
        where = f"{path}: row {cells.index.to_numpy()[wrong[0]] + 2}: {cells.name} {cells.iloc[wrong[0]]!r}"
        raise DataError(f"{where} is not one of {', '.join(known)}; correct or remove the row")
    return values


def load_pictures(
    root: Root,
    layout: str,
    rows: pd.DataFrame,
    *,
    side_px: int,
    votes: NDArray[np.uint8] | None = None,
    expected_px: int | None = None,
) -> Source:
    """Reads the picture of each row; those that cannot be read are told apart, not raised.

    Args:
        root: Where the names start.
        layout: As in `Source`.
        rows: Columns name (a file under the root), split and label (int, -1 for none).
        side_px: Side of the faces wanted.
        votes: (n, 10), or None for none.
        expected_px: Side that the pictures must have; None for any size.
    """
    images = np.empty((len(rows), side_px, side_px), np.uint8)
    faults: dict[int, str] = {}
    for row, name in enumerate(rows["name"]):
        try:
            images[row] = read_gray(root / name, side_px, expected_px)
        except DataError as error:
            faults[row] = str(error)
    if len(faults) == len(rows):
        raise DataError(f"{next(iter(faults.values()), f'{root}: no picture')}; none of {len(rows)} can be read")
    counts = np.zeros((len(rows), len(VOTES)), np.uint8) if votes is None else votes
    names, labels = rows["name"].to_numpy(np.str_), rows["label"].to_numpy(np.int8)
    faces = LabelledFaces(images, counts, labels, names)
    unreadable = rows.iloc[list(faults)].assign(reason=list(faults.values()))
    good = np.delete(np.arange(len(rows)), list(faults)) if faults else slice(None)
    return Source(layout, faces.select(good), rows["split"].to_numpy(np.str_)[good], unreadable)


def read_gray(path: Root, side_px: int, expected_px: int | None = None) -> NDArray[np.uint8]:
    """Reads a picture as gray levels (side_px, side_px); of one that is not square the middle is taken.

    Raises:
        DataError: It is missing or unreadable, or not a square of the side expected.
    """
    if not path.is_file():
        raise DataError(f"{path}: missing; restore the picture or remove its row")
    image = decode_picture(read_bytes(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"{path}: not a readable picture; replace or remove it")
    height_px, width_px = image.shape
    if expected_px and (height_px, width_px) != (expected_px, expected_px):
        raise DataError(f"{path}: {width_px}x{height_px} pixels; expected {expected_px}x{expected_px}")
    return fit_square(image, side_px)


def fit_square(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Returns the middle square of a gray picture (H, W) at the side wanted; made smaller by averaging areas."""
    shortest = min(image.shape)
    top, left = ((size - shortest) // 2 for size in image.shape)
    square = image[top : top + shortest, left : left + shortest]
    if shortest == side_px:
        return square
    way = cv2.INTER_AREA if shortest > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (side_px, side_px), interpolation=way), np.uint8)

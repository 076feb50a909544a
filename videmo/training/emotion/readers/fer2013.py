"""Kaggle's `fer2013.csv`: one face a row, its 48x48 gray levels as text.

Source: Goodfellow et al. (2013), Challenges in Representation Learning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS
from videmo.errors import DataError
from videmo.training.emotion.faces import SIDE_PX, VOTES, LabelledFaces
from videmo.training.emotion.readers.source import (
    NONE_UNREADABLE,
    SPLIT_NAMES,
    Source,
    fit_square,
    require_columns,
    require_even,
    translate,
)
from videmo.training.files import Root, reading

CODES: Final[Mapping[str, int]] = {
    str(code): EMOTIONS.index(name)
    for code, name in enumerate(("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"))
}
"""FER2013's numbers of the labels, as text."""

_COLUMNS: Final = ("emotion", "pixels", "Usage")
_USAGES: Final = {name: SPLIT_NAMES[name] for name in ("training", "publictest", "privatetest")}
_PIXELS: Final = SIDE_PX * SIDE_PX
_ROWS_AT_ONCE: Final = 1024  # 8 MB of text


def read_fer2013(path: Root, side_px: int) -> Source:
    """Reads the table piece by piece: the text of all faces (300 MB) is never in memory at once.

    Raises:
        DataError: A column is missing, a label is not one of 0 to 6, a usage is unknown, or a row does not hold 2,304
            gray levels; names the row as a spreadsheet counts (the header is row 1).
    """
    parts = [_read_part(path, part, side_px) for part in _read_parts(path)]
    images, labels, splits, rows = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if len(images) == 0:
        raise DataError(f"{path}: no row below the header; restore the file")
    names = np.char.add("row ", (rows + 2).astype(np.str_))
    votes = np.zeros((len(images), len(VOTES)), np.uint8)
    return Source("FER2013 table", LabelledFaces(images, votes, labels, names), splits, NONE_UNREADABLE)


def _read_parts(path: Root) -> Iterator[pd.DataFrame]:
    with reading(path), path.open("rb") as file:
        try:
            with pd.read_csv(file, dtype=str, keep_default_na=False, chunksize=_ROWS_AT_ONCE) as parts:
                for part in parts:
                    part.columns = part.columns.str.strip()  # one edition of the file has spaces in its header
                    require_even(path, part)
                    require_columns(path, part, _COLUMNS)
                    yield part
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            expected = f"expected {', '.join(_COLUMNS)}"
            raise DataError(f"{path}: not a CSV table ({str(error).strip()}); {expected}") from error


def _read_part(path: Root, part: pd.DataFrame, side_px: int) -> tuple[NDArray[np.generic], ...]:
    """Returns images, labels, splits and row numbers of a piece of the table."""
    labels = translate(path, part["emotion"], CODES)
    splits = translate(path, part["Usage"], _USAGES)
    images = _parse_pixels(path, part["pixels"].str.strip())
    if side_px != SIDE_PX:
        images = np.stack([fit_square(image, side_px) for image in images])
    return images, labels.to_numpy(np.int8), splits.to_numpy(np.str_), part.index.to_numpy()


def _parse_pixels(path: Root, texts: pd.Series) -> NDArray[np.uint8]:
    rows = texts.index.to_numpy() + 2
    for row, text in zip(rows, texts, strict=True):
        if (count := text.count(" ") + 1) != _PIXELS:
            raise DataError(f"{path}: row {row}: {_describe(count)}; expected {_PIXELS} (48x48); remove the row")
    try:
        levels = np.fromstring(" ".join(texts), np.int64, sep=" ").reshape(-1, _PIXELS)
    except ValueError:  # somewhere there is a word: find its row
        levels = np.full((len(texts), _PIXELS), -1, np.int64)
        levels[[text.replace(" ", "").isdecimal() for text in texts]] = 0
    wrong = np.flatnonzero(((levels < 0) | (levels > 255)).any(axis=1))
    if len(wrong):
        where = f"{path}: row {rows[wrong[0]]}"
        raise DataError(f"{where}: pixels must be whole numbers from 0 to 255; correct or remove the row")
    return levels.astype(np.uint8).reshape(-1, SIDE_PX, SIDE_PX)


def _describe(count: int) -> str:
    side = round(count**0.5)
    return f"{count} pixels ({side}x{side})" if side * side == count else f"{count} pixels"

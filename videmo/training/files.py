"""Files of a data set, in a folder or a zip file: read whole, damage told in one line."""

from __future__ import annotations

import tokenize
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.inference.archive import DAMAGED

Root = Path | zipfile.Path
"""A folder or a file in the file system or in a zip file."""


@contextmanager
def reading(path: Root) -> Iterator[None]:
    """Turns what a damaged file, disk or archive raises in the block into an error that names the file.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        yield
    except DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: cannot be read ({reason}); restore the file or its permissions") from error


def open_archive(path: Path) -> zipfile.ZipFile | None:
    """Returns a zip file open for reading; None for a file that is none.

    Raises:
        DataError: It cannot be read.
    """
    with reading(path):
        return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None


def read_bytes(path: Root) -> bytes:
    """Returns what is in a file that is there.

    Raises:
        DataError: It cannot be read.
    """
    with reading(path):
        return path.read_bytes()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of an .npz file by name; objects, which may hold code, are refused.

    Raises:
        DataError: It is missing or damaged.
    """
    try:
        # Opened here: NumPy leaves a damaged file open.
        with reading(path), path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (MemoryError, KeyError, TypeError, AttributeError, SyntaxError, tokenize.TokenError) as error:
        # NumPy reads the header of an array as Python, and believes the size that it claims.
        raise DataError(f"{path}: not a file of arrays ({type(error).__name__}); restore the file") from error

"""Reads the two text formats of WIDER FACE: as published, and with the landmarks that RetinaFace added."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from videmo.errors import DataError
from videmo.training.detector.pictures import Faces, pack_faces
from videmo.training.files import read_bytes

_INVALID_COLUMN = 7
_COUNT = re.compile(r"\s*[0-9]{1,6}\s*", re.ASCII)


def find_wider(data: Path, split: str) -> Path | None:
    """Returns the annotation file of a split if the folder is laid out like WIDER FACE, else None."""
    places = (data / split / "label.txt", data / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt")
    return next((path for path in places if path.is_file()), None)


def read_wider(path: Path) -> list[tuple[Path, Faces]]:
    """Reads `label.txt` (`# picture`, then x y w h and five x y visible) or `wider_face_*_bbx_gt.txt`.

    Invalid faces of the published format become regions to ignore.

    Returns:
        Path and faces of each picture; pictures lie in `images/` beside label.txt or in `WIDER_{split}/images`.

    Raises:
        DataError: A line is not as it must be; the message names it.
    """
    try:
        lines = read_bytes(path).decode("utf-8").splitlines()
        if path.name == "label.txt":
            return [(path.parent / "images" / name, pack_faces(rows)) for name, rows in _with_landmarks(path, lines)]
        folder = path.parents[1] / path.stem.replace("wider_face_", "WIDER_").removesuffix("_bbx_gt") / "images"
        return [(folder / name, pack_faces(rows)) for name, rows in _as_published(path, lines)]
    except ValueError as error:
        raise DataError(f"{path}: not annotations of WIDER FACE ({error}); restore the file") from error


def _with_landmarks(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    name = ""
    rows: list[Any] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            if name:
                yield name, rows
            name, rows = line[1:].strip(), []
        elif line.strip():
            values = _numbers(path, number, line, (4, 19, 20))
            points = [values[at : at + 2] for at in range(4, 19, 3)] if len(values) > 4 and values[4] >= 0 else None
            rows.append((values[:4], points, False))
    if name:
        yield name, rows


def _as_published(path: Path, lines: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        if at + 1 >= len(lines) or not _COUNT.fullmatch(lines[at + 1]):
            raise DataError(f"{path}, line {at + 2}: expected the number of faces of {lines[at]}; restore the file")
        name, count = lines[at].strip(), int(lines[at + 1])
        # A picture without faces is still followed by one row, of zeros.
        numbered = enumerate(lines[at + 2 : at + 2 + max(count, 1)], at + 3)
        values = [_numbers(path, number, line, (10,)) for number, line in numbered]
        yield name, [(row[:4], None, bool(row[_INVALID_COLUMN])) for row in values[:count]]
        at += 2 + max(count, 1)


def _numbers(path: Path, number: int, line: str, allowed: tuple[int, ...]) -> list[float]:
    try:
        values = [float(value) for value in line.split()]
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}; expected numbers only") from error
    if len(values) not in allowed:
        raise DataError(f"{path}, line {number}: {len(values)} numbers; expected {' or '.join(map(str, allowed))}")
    return values

"""Keeps the state of a training in one file that is always complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videmo.errors import DataError, UsageError
from videmo.output.files import replacing
from videmo.training.files import read_arrays

Arrays = Sequence[NDArray[Any]]


def write_checkpoint(path: Path, groups: Mapping[str, Arrays], state: Mapping[str, Any]) -> None:
    """Writes arrays by group and a state of plain values; a run killed meanwhile leaves the former file whole.

    Raises:
        OutputError: The disk is full or the folder does not allow it.
    """
    arrays = {f"{name}.{index}": array for name, group in groups.items() for index, array in enumerate(group)}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, state=np.array(json.dumps(state)), **arrays)


def read_checkpoint(path: Path) -> tuple[dict[str, list[NDArray[Any]]], dict[str, Any]]:
    """Returns the groups of arrays and the state that `write_checkpoint` wrote.

    Raises:
        UsageError: The file is missing.
        DataError: The file is damaged.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no checkpoint to continue from; train without --resume first")
    groups: dict[str, list[NDArray[Any]]] = {}
    arrays = read_arrays(path)
    try:
        state = json.loads(str(arrays.pop("state")))
    except (KeyError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a checkpoint of a training ({error}); train without --resume") from error
    if not isinstance(state, dict):
        raise DataError(f"{path}: not a checkpoint of a training; train without --resume")
    for key, array in arrays.items():
        groups.setdefault(key.split(".")[0], []).append(array)
    return groups, state

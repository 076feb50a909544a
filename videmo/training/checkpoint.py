"""Keeps the state of a training in one file that is always complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videmo.errors import UsageError

Arrays = Sequence[NDArray[Any]]


def write_checkpoint(path: Path, groups: Mapping[str, Arrays], state: Mapping[str, Any]) -> None:
    """Writes arrays by group and a state of plain values; a run killed meanwhile leaves the former file whole."""
    partial = path.with_suffix(".partial")
    arrays = {f"{name}.{index}": array for name, group in groups.items() for index, array in enumerate(group)}
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, state=np.array(json.dumps(state)), **arrays)
    partial.replace(path)


def read_checkpoint(path: Path) -> tuple[dict[str, list[NDArray[Any]]], dict[str, Any]]:
    """Returns the groups of arrays and the state that `write_checkpoint` wrote.

    Raises:
        UsageError: The file is missing.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no checkpoint to continue from; train without --resume first")
    groups: dict[str, list[NDArray[Any]]] = {}
    with np.load(path) as stored:
        for key in stored.files:
            if key != "state":
                groups.setdefault(key.split(".")[0], []).append(stored[key])
        return groups, json.loads(str(stored["state"]))

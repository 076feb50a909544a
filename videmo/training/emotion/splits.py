"""Which face goes to which split: set aside by content where the data tell nothing, or as a list of the user says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from videmo.errors import DataError
from videmo.training.emotion.faces import SPLITS
from videmo.training.emotion.readers.source import Source, read_table, require_columns, translate
from videmo.training.emotion.twins import digest

_NEEDED: Final = ("name", "split", "keep")

_TENTHS: Final = 10
_KEEP: Final = {"true": 1, "false": 0}


def split_by_content(source: Source) -> Source:
    """Gives every face a split.

    Where the data tell no validation faces, a tenth of the training faces of each label becomes them; where they tell
    no splits at all, another tenth becomes test faces.

    A face's place follows from its pixels alone: the same data give the same splits on every machine, and pictures of
    one label that are the same in every pixel go to the same split. Splits that the data tell are left as they are.
    """
    told = set(np.unique(source.splits)) - {""}
    if "valid" in told or len(source.splits) == 0:
        return source
    splits = np.where(source.splits == "", "train", source.splits).astype("<U5")
    rows = np.flatnonzero(splits == "train")
    contents = pd.factorize(digest(source.faces.images[rows]), sort=True)[0]
    ranks = pd.Series(contents).groupby(source.faces.label_names()[rows]).rank("dense").to_numpy(int)
    splits[rows[ranks % _TENTHS == 2]] = "valid"  # not 1: a label's only picture is for training
    if not told:
        splits[rows[ranks % _TENTHS == 3]] = "test"
    untold = source.unreadable["split"] == ""
    unreadable = source.unreadable.assign(split=source.unreadable["split"].mask(untold, "train"))
    return replace(source, splits=splits, unreadable=unreadable)


def apply_split_list(source: Source, path: Path) -> Source:
    """Keeps what a splits.csv keeps, in the splits that it names.

    Raises:
        DataError: The list is wrong, or was written for other data.
    """
    table = _read_list(path)
    names, unreadable = pd.Index(source.faces.names), source.unreadable
    strange = table.index.symmetric_difference(names.append(pd.Index(unreadable["name"])))
    if len(strange):
        raise DataError(f"{path}: {strange[0]} is only in the list or only in the data; make the list anew")
    rows = table["keep"][names].to_numpy(bool)
    still_unreadable = unreadable[table["keep"][unreadable["name"]].to_numpy(bool)]
    splits = table["split"][names].to_numpy(np.str_)
    return replace(source, faces=source.faces.select(rows), splits=splits[rows], unreadable=still_unreadable)


def _read_list(path: Path) -> pd.DataFrame:
    """Returns the columns split and keep by name."""
    table = read_table(path)
    require_columns(path, table, _NEEDED)
    keep = translate(path, table["keep"], _KEEP) == 1
    splits = translate(path, table["split"], {name: name for name in SPLITS})
    if (again := table["name"].duplicated()).any():
        raise DataError(f"{path}: {table['name'][again].iloc[0]} is named twice; remove one of its rows")
    return pd.DataFrame({"split": splits, "keep": keep}).set_index(pd.Index(table["name"]))

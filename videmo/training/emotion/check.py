"""Looks through a data set before anything is learnt from it: what is in it, what is wrong, what to leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.output.files import explained
from videmo.training.emotion.faces import SPLITS, VOTES
from videmo.training.emotion.readers.source import Source
from videmo.training.emotion.twins import MOST_BITS, digest, first_across, hash_perceptually, is_blank, near_across
from videmo.training.tables import write_json

COLUMNS: Final = ("name", "split", "label", "keep", "reason")
NEAR_BITS: Final = 6
"""Distance of perceptual hashes up to which pictures count as near duplicates.

Measured on the 35,706 pictures of FER2013: of the pairs at 2, 4 and 6 bits 95 % have a pixel correlation above 0.91,
0.87 and 0.81; at 8 bits that falls to 0.54, where other people in the same pose come in.
"""


@dataclass(frozen=True, slots=True, eq=False)
class DataCheck:
    """What a check found.

    Attributes:
        pictures: One row for each: name, split, label, keep (False for what training leaves out) and reason (a text
            for all that is odd, also of pictures that are kept).
        summary: Plain values: layout, pictures, counts (by label and split), and what was found; see `check_source`.
    """

    pictures: pd.DataFrame
    summary: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Writes check.json and splits.csv, which `read_faces` takes for its `split_list`; raises OutputError."""
        table = self.pictures.assign(keep=np.where(self.pictures["keep"], "true", "false"))
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "check.json", self.summary)
            table.to_csv(folder / "splits.csv", index=False)


def check_source(source: Source, near_bits: int = NEAR_BITS) -> DataCheck:
    """Checks a data set whose faces all have a split.

    Left out of training are: what cannot be read, and of the training pictures the blank ones and those that are the
    same, or nearly, as a validation or test picture. Nothing readable is left out of validation and test, so that
    scores stay comparable with those of others. Repeats within training stay, and so do those with another label: who
    disagrees is told in `reason`.

    Args:
        source: From `dataset.read_splits`.
        near_bits: Distance of perceptual hashes up to which two pictures are near duplicates, 0..11.

    Returns:
        The rows, and a summary: readable, unreadable and blank pictures; faces by label and by the column with most
        votes; identical pictures and their groups; pictures with a near duplicate; leaks, which are pictures that are
        (nearly) the same as one across the line between training and the rest; groups of identical pictures whose
        labels or top votes differ; labels that training lacks; what is kept.

    Raises:
        UsageError: The distance is out of its range.
    """
    if not 0 <= near_bits <= MOST_BITS:
        raise UsageError(f"near duplicates within {near_bits} bits cannot be searched: give 0 to {MOST_BITS}")
    found = _look(source, near_bits)
    leaks = (found["twin"] >= 0) | (found["near_twin"] >= 0)
    found["keep"] = (found["split"] != "train") | ~(leaks | found["blank"])
    found["reason"] = _reasons(found)
    unreadable = source.unreadable.assign(label=_name_labels(source.unreadable["label"]), keep=False)
    pictures = pd.concat([found[list(COLUMNS)], unreadable[list(COLUMNS)]], ignore_index=True)
    return DataCheck(pictures, _summarise(source, found, near_bits))


def _look(source: Source, near_bits: int) -> pd.DataFrame:
    """Returns a row for each face: name, split, label, group (of identical ones), and what is odd about it.

    The columns twin and near_twin hold the row of an identical or nearly identical picture across the line between
    training and the rest, repeats that of the first identical one in the same split; -1 for none.
    """
    faces, is_train = source.faces, source.splits == "train"
    found = pd.DataFrame({"name": faces.names, "split": source.splits, "label": faces.label_names()})
    found["blank"] = is_blank(faces.images)
    found["group"] = pd.factorize(digest(faces.images))[0]
    found["twin"] = first_across(found["group"].to_numpy(), is_train)
    rows = np.arange(len(found))
    first = pd.Series(rows).groupby([found["group"], found["split"]]).transform("first")
    found["repeats"] = np.where(first < rows, first, -1)
    found["near_twin"], found["near"] = -1, False
    lively = np.flatnonzero(~found["blank"])
    hashes = hash_perceptually(faces.images[lively])
    partners, neighbours = near_across(hashes, is_train[lively], near_bits)
    found.loc[lively, "near_twin"] = np.where(partners >= 0, lively[partners], -1)
    collide = found.loc[lively, "group"].groupby(hashes).transform("nunique") > 1
    found.loc[lively, "near"] = (neighbours > 0) | collide
    votes = np.where(faces.votes.any(axis=1), faces.votes.argmax(axis=1), -1)
    return found.assign(
        label_conflict=_disagree(found["group"], faces.labels), vote_conflict=_disagree(found["group"], votes)
    )


def _disagree(groups: pd.Series, answers: NDArray[np.signedinteger[Any]]) -> pd.Series:
    """Tells which rows belong to a group with several answers; -1 is none."""
    known = pd.Series(np.where(answers >= 0, answers, np.nan))
    return known.groupby(groups).transform("nunique") > 1


def _reasons(found: pd.DataFrame) -> list[str]:
    """Returns all that is odd about each picture as a text."""
    near = found["near_twin"].where(found["twin"] < 0, -1)
    parts = [np.where(found["blank"], "blank", "")]
    for words, rows in (("identical to", found["twin"]), ("nearly identical to", near), ("repeats", found["repeats"])):
        names = found["name"].to_numpy()[rows]
        parts.append(np.where(rows >= 0, words + " " + names, ""))
    parts.append(np.where(found["label_conflict"], "identical picture with another label", ""))
    parts.append(np.where(found["vote_conflict"], "identical picture with another top vote", ""))
    return ["; ".join(filter(None, texts)) for texts in zip(*parts, strict=True)]


def _summarise(source: Source, found: pd.DataFrame, near_bits: int) -> dict[str, Any]:
    repeated = found[found["group"].duplicated(keep=False)]
    twins, near = found[found["twin"] >= 0], found[(found["near_twin"] >= 0) & (found["twin"] < 0)]
    in_training = set(found["label"][(found["split"] == "train") & found["keep"]])
    voted, top = pd.Series(source.faces.votes.any(axis=1)), source.faces.votes.argmax(axis=1)
    votes = pd.Series(np.array(VOTES)[top]).where(voted)
    return {
        "layout": source.layout,
        "readable": len(found),
        "unreadable": len(source.unreadable),
        "blank": int(found["blank"].sum()),
        "labels": _count(found["label"], found["split"]),
        "top_votes": _count(votes, found["split"]),
        "identical": {"groups": repeated["group"].nunique(), "pictures": len(repeated)},
        "near": {"most_bits": near_bits, "pictures": int(found["near"].sum())},
        "leaks": {"identical": _per_split(twins), "near": _per_split(near)},
        "conflicts": {
            "label_groups": found["group"][found["label_conflict"]].nunique(),
            "vote_groups": found["group"][found["vote_conflict"]].nunique(),
        },
        "absent_from_training": [name for name in VOTES if name in set(found["label"]) - in_training],
        "kept": _per_split(found[found["keep"]]),
    }


def _count(values: pd.Series, splits: pd.Series) -> dict[str, dict[str, int]]:
    """Returns counts by value and split, values in the order of `VOTES`; nothing where there are no values."""
    table = pd.crosstab(values, splits).reindex(index=[*VOTES, ""], columns=list(SPLITS), fill_value=0)
    return {str(name) or "no label": _plain(row) for name, row in table.iterrows() if row.any()}


def _per_split(rows: pd.DataFrame) -> dict[str, int]:
    return _plain(rows["split"].value_counts().reindex(list(SPLITS), fill_value=0))


def _plain(counts: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in counts.items()}


def _name_labels(labels: pd.Series) -> list[str]:
    return [EMOTIONS[label] if label >= 0 else "" for label in labels.astype(int)]

"""Which faces are counted, and what the right answer is: the named protocols of FER+ and FER2013."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import DataError, PresetError
from videmo.training.emotion.dataset import LabelledFaces, find_twins
from videmo.training.emotion.votes import argmax_protocol, majority_protocol

Answers = tuple[NDArray[np.bool_], NDArray[np.intp]]
"""Which faces count (n,) and the right label of each (n,)."""

MEASURED_SPLITS: Final = ("valid", "test")
PROTOCOLS: Final = {
    "ferplus-majority": "votes of one are dropped; a face counts if one expression has more than half of the rest",
    "ferplus-argmax": "a face counts if the column with most raw votes is an expression",
    "fer2013": "the original label of every face; the test split is PrivateTest, the validation split PublicTest",
    "labels": "the one label of every face, among those that the model knows",
}
"""What each protocol counts, for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is measured at once: the faces of one split that count under a protocol, and their right labels.

    Attributes:
        protocol: Its name.
        split: "valid" or "test".
        deduplicated: Whether the faces that are pixel-identical to one of the training split are left out.
        rows: (faces of the split,) bool, which faces count.
        answers: (n,), the right label of each face that counts, an index into `labels`.
        labels: The labels of the protocol.
    """

    protocol: str
    split: str
    deduplicated: bool
    rows: NDArray[np.bool_]
    answers: NDArray[np.intp]
    labels: tuple[str, ...]

    @property
    def kind(self) -> str:
        """How the split was taken, for people."""
        return "deduplicated" if self.deduplicated else "standard"

    def describe(self) -> dict[str, Any]:
        """Returns what tells this case from the others, as the records of metrics.json say it."""
        return {"protocol": self.protocol, "split": self.split, "deduplicated": self.deduplicated}


def protocols(faces: LabelledFaces, labels: tuple[str, ...]) -> dict[str, Answers]:
    """Returns the answers under each protocol that fits faces and labels, by name; the first is the one to headline.

    Args:
        faces: Faces with votes, with one label each, or with both.
        labels: Those of the model, FER+'s eight or FER2013's seven. Votes are asked of the eight only.

    Raises:
        PresetError: The labels are neither.
    """
    if labels not in (EMOTIONS, FER2013_EMOTIONS):
        raise PresetError(f"no protocol for the labels {', '.join(labels)}: known are those of FER+ and FER2013")
    if labels == EMOTIONS and faces.votes.any():
        counted, top = argmax_protocol(faces.votes)
        argmax = (counted & faces.votes.any(axis=1), top)
        return {"ferplus-majority": majority_protocol(faces.votes), "ferplus-argmax": argmax}
    answers = faces.labels.astype(np.intp)
    return {_name_labels(faces): ((answers >= 0) & (answers < len(labels)), answers)}


def _name_labels(faces: LabelledFaces) -> str:
    """Returns whose labels these are: FER2013 comes with FER+'s votes, or as a table whose rows name the faces."""
    is_fer2013 = faces.votes.any() or (len(faces) > 0 and np.char.startswith(faces.names, "row ").all())
    return "fer2013" if is_fer2013 else "labels"


def find_cases(splits: Mapping[str, LabelledFaces], labels: tuple[str, ...]) -> list[Case]:
    """Returns the cases that a model with these labels is measured on: each split, protocol, standard and deduplicated.

    A split without faces is left out, and so is a case that no face of its split counts for.

    Raises:
        PresetError: There is no protocol for the labels.
        DataError: There are no faces, or a split has some and none of them counts.
    """
    cases: list[Case] = []
    for split in (split for split in MEASURED_SPLITS if len(splits[split])):
        faces, before = splits[split], len(cases)
        unseen = ~find_twins(faces, splits["train"])
        answered = protocols(faces, labels)
        for protocol, (counted, answers) in answered.items():
            for deduplicated, rows in ((False, counted), (True, counted & unseen)):
                if rows.any():
                    cases.append(Case(protocol, split, deduplicated, rows, answers[rows], labels))
        if len(cases) == before:
            protocol = " or ".join(answered)
            raise DataError(f"no {split} face counts under the protocol {protocol}: check labels and votes")
    if not cases:
        raise DataError("no validation and no test faces to measure on: name some in the data or in the list of splits")
    return cases

"""Labelled faces in memory: pictures, votes, labels and names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS

SIDE_PX: Final = 48
"""Side of the faces of FER2013, and of all faces unless another is asked for."""
SPLITS: Final = ("train", "valid", "test")
VOTES: Final = (*EMOTIONS, "unknown", "not_a_face")
"""The vote columns of FER+, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFaces:
    """Faces with a label, with votes, or with both; n faces.

    Attributes:
        images: (n, S, S) uint8, gray.
        votes: (n, 10) uint8, people who chose each of `VOTES`; all 0 where nobody was asked.
        labels: (n,) int8, the one label, an index into `EMOTIONS`; -1 where there is none.
        names: (n,) str, where each face comes from: the file in the data set, or its row.
    """

    images: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    labels: NDArray[np.int8]
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        """Returns the faces of the given rows."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    def label_names(self) -> NDArray[np.str_]:
        """Returns the label of each face (n,): the one label, else the column with most votes, else an empty text."""
        by_votes = np.where(self.votes.any(axis=1), np.array(VOTES)[self.votes.argmax(axis=1)], "")
        return np.where(self.labels >= 0, np.array(EMOTIONS)[self.labels], by_votes)

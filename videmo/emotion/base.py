"""The contract of a classifier: face crops in, probabilities of expressions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from videmo.datatypes import Float32Array, UInt8Array


class Classifier(Protocol):
    """Tells the expression of faces.

    `classify` takes crops (n, S, S, C) uint8 and returns probabilities (n, E) float32 that sum to 1 in each row,
    columns in the order of `labels`. A row does not depend on the others in the batch (to 1e-4). One thread at a time
    calls it.
    """

    labels: Sequence[str]
    crop_side_px: int
    batch_size: int

    def classify(self, crops: UInt8Array) -> Float32Array: ...

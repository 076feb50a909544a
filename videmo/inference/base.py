"""The contract of a network that is ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Network(Protocol):
    """A network as a function from rows (n, ...) uint8 or float32 to its output (n, ...) float32.

    `input_shape` and `output_shape` are those of one row, None where any size will do. A row's result does not depend
    on the others (to float32 rounding). Called by one thread at a time.
    """

    @property
    def input_shape(self) -> tuple[int | None, ...]: ...

    @property
    def output_shape(self) -> tuple[int | None, ...]: ...

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]: ...


def padded_batches(rows: NDArray[Any], batch_size: int) -> Iterator[tuple[NDArray[Any], int]]:
    """Yield the rows in batches of few sizes, so that a runtime prepares few: (batch, how many of its rows count).

    Batches have `batch_size` rows; the last one is padded with zeros to the next power of two.

    Example:
        >>> [(len(batch), count) for batch, count in padded_batches(np.ones((11, 1)), 4)]
        [(4, 4), (4, 4), (4, 3)]
    """
    for at in range(0, len(rows), batch_size):
        batch = rows[at : at + batch_size]
        size = min(batch_size, 1 << (len(batch) - 1).bit_length())
        if size == len(batch):
            yield batch, size
            continue
        padded = np.zeros((size, *rows.shape[1:]), rows.dtype)
        padded[: len(batch)] = batch
        yield padded, len(batch)


def whole_batches(rows: NDArray[Any], most: int) -> Iterator[NDArray[Any]]:
    """Yield the rows in batches of `most`, the rest in ones of a quarter, and so on: few sizes, and nothing is padded.

    Example:
        >>> [len(batch) for batch in whole_batches(np.ones((11, 1)), 4)]
        [4, 4, 1, 1, 1]
    """
    at = 0
    while at < len(rows):
        while most > len(rows) - at:
            most = max(1, most // 4)
        yield rows[at : at + most]
        at += most

"""Optimal one-to-one assignment of detections to tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

IndexArray = NDArray[np.intp]


def assign(gains: NDArray[np.floating]) -> tuple[IndexArray, IndexArray]:
    """Return the pairs (rows (k,), columns (k,)) that maximise the sum of `gains` (n, m), of gains above 0 only.

    A row or column may stay alone: a bad pair is never made just to use it up. (The assignment problem of Kuhn 1955,
    solved by scipy.)

    Example:
        >>> rows, columns = assign(np.array([[5.0, 4.0], [4.5, -1.0]]))
        >>> list(zip(rows.tolist(), columns.tolist()))
        [(0, 1), (1, 0)]
    """
    rows, columns = linear_sum_assignment(np.maximum(gains, 0), maximize=True)
    paired = gains[rows, columns] > 0
    return rows[paired], columns[paired]

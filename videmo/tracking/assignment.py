"""Optimal one-to-one assignment of detections to tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    rows, columns = _solve(np.maximum(gains, 0))
    paired = gains[rows, columns] > 0
    return rows[paired], columns[paired]


def _solve(gains: NDArray[np.floating]) -> tuple[IndexArray, IndexArray]:
    if min(gains.shape) <= 1:  # one face or one track: the import below takes half a second, which they need not wait
        best = np.unravel_index(gains.argmax(), gains.shape) if gains.size else ([], [])
        rows, columns = (np.atleast_1d(np.asarray(at, np.intp)) for at in best)
        return rows, columns
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(gains, maximize=True)
    return rows, columns

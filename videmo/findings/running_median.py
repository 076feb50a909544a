"""The weighted median of a window that moves over rows, for windows of any size at the same cost."""

from __future__ import annotations

import numpy as np

from videmo.findings.timeline import Float64Array, IntArray

_ROWS_AT_ONCE = 8192  # what fits into the cache is faster


def running_median(
    values: Float64Array, weights: IntArray, first: IntArray, end: IntArray, *, tie: int = 0
) -> Float64Array:
    """Return the weighted median of the window around each row: half of its weight lies on either side.

    Args:
        values: (t,) without NaN.
        weights: (t,) from 1.
        first: (t,) first row of the window of each row, not decreasing.
        end: (t,) the row after its last one, not decreasing.
        tie: two values between which the halves differ by no more than this are both the median: their mean is taken.

    Returns:
        (t,)

    Example:
        >>> first, end = np.array([0, 0, 1]), np.array([2, 3, 3])
        >>> running_median(np.array([1.0, 5.0, 2.0]), np.array([1, 1, 3]), first, end).tolist()
        [3.0, 2.0, 2.0]
    """
    many = max(_ROWS_AT_ONCE, int((end - first).max(initial=1)))
    parts = [np.zeros(0)]
    for start in range(0, len(values), many):
        rows = slice(start, start + many)
        low, high = first[rows][0], end[rows][-1]
        parts.append(_few_medians(values[low:high], weights[low:high], first[rows] - low, end[rows] - low, tie))
    return np.concatenate(parts)


def _few_medians(values: Float64Array, weights: IntArray, first: IntArray, end: IntArray, tie: int) -> Float64Array:
    """Return the middle (w,) of the two values at which half of the weight is reached and exceeded.

    They are one and the same, but for a tie.
    """
    order = np.argsort(values, kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(values))
    levels = _levels(ranks, weights)
    sums = np.append(0, np.cumsum(weights))
    total = sums[end] - sums[first]
    reached, exceeded = np.maximum((total - tie) // 2, 1), np.minimum((total + tie) // 2 + 1, total)
    lower, missing = _search(levels, reached, first, end)
    upper, tied = lower.copy(), reached - missing + weights[order][lower] < exceeded
    upper[tied], _ = _search(levels, exceeded[tied], first[tied], end[tied])
    return np.asarray((values[order][lower] + values[order][upper]) / 2)


def _levels(ranks: IntArray, weights: IntArray) -> list[tuple[IntArray, IntArray]]:
    """Return the wavelet matrix of ranks (t,), from 0 to t - 1: sums over rows for each binary digit of the ranks.

    F. Claude, G. Navarro, A. Ordóñez, "The wavelet matrix", Information Systems 47 (2015) 15-32.

    Returns:
        For each digit, the highest first, how many of the rows before each (t + 1,) have a 0 there, and the weight of
        these. For the next digit the rows with a 0 go first, else all keep their order: a window stays in one piece.
    """
    levels = []
    for digit in reversed(range((len(ranks) - 1).bit_length())):
        low = 1 - (ranks >> digit & 1)
        levels.append((np.append(0, np.cumsum(low)), np.append(0, np.cumsum(low * weights))))
        order = np.concatenate([np.flatnonzero(low), np.flatnonzero(low == 0)])
        ranks, weights = ranks[order], weights[order]
    return levels


def _search(
    levels: list[tuple[IntArray, IntArray]], wanted: IntArray, first: IntArray, end: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the least rank up to which each window holds the wanted weight (w,), and what lower ranks lack of it (w,).

    `wanted` is from 1 to the weight of the window, which is from row `first` to before `end`.
    """
    found = np.zeros_like(wanted)
    for lows, low_sums in levels:
        low_weight = low_sums[end] - low_sums[first]
        up = low_weight < wanted
        found = 2 * found + up
        wanted = wanted - up * low_weight
        first, end = (np.where(up, lows[-1] + edge - lows[edge], lows[edge]) for edge in (first, end))
    return found, wanted

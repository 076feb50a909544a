"""Bands of confidence around means over respondents, from resampled respondents.

The interval is BCa (B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987) 171-185) at the level that makes
percentiles as wide as Student's t for normal values (T. Hesterberg, "What teachers should know about the bootstrap",
The American Statistician 69 (2015) 371-386). Each half corrects what the other leaves: BCa the skew of probabilities,
the level the few respondents. How often bands of 95 % hold the true mean, in %, 3,000 samples for each n (Monte Carlo
error about 0.4); the three rows of each n are normal values, Beta(0.5, 2) and Beta(0.2, 1), which is skewed most:

    n     percentile   BCa    these        n     percentile   BCa    these
    3       74.1      71.6    74.1        12       91.0      90.6    93.9
            70.7      69.5    70.7                 88.9      90.9    94.4
            63.0      62.3    63.0                 86.6      89.2    92.6
    5       83.4      83.5    91.2        20       93.2      92.8    94.5
            79.5      81.6    87.4                 92.3      93.1    95.4
            73.6      76.6    81.3                 90.4      93.1    94.9
    8       89.3      88.2    94.2        40       93.4      93.3    94.6
            85.7      88.3    93.0                 93.9      94.8    95.6
            81.4      85.0    89.1                 93.2      94.3    95.4

So from 12 respondents a band holds what it says within 3 points, with 3 to 7 it is too narrow where values are skewed.
The studentised bootstrap covers 94 % or more already at n = 4, but with bands that reach far outside 0..1 (median width
5.8 at n = 4, Beta(0.2, 1)) and none at all at n = 3; bands from here never leave the range of the values.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from videmo.errors import UsageError
from videmo.findings.timeline import Float64Array, IntArray

LEAST_RESPONDENTS: Final = 3
"""Below it there are no bands and no tests: two values say next to nothing about how respondents differ."""

_COLUMNS_AT_ONCE = 512  # bounds the memory: 2,000 resamples of them take 8 MB
_BITS: Final = 40  # of a value that count: sums over up to 8,192 respondents are exact then


def mean_bands(
    values: Float64Array, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Return the lower and the upper end of the band around the mean of each column.

    Rows are resampled as a whole, the same for all columns, so that neighbouring epochs go together.

    Args:
        values: (n, e) one row per respondent, NaN where there is no value.
        confidence: how often such bands hold the true mean, for many respondents; above 0, below 1.
        resamples: how many samples of n respondents are drawn, with replacement.
        seed: the same seed gives the same bands.

    Returns:
        Two arrays (e,), NaN where fewer than `LEAST_RESPONDENTS` have a value.

    Raises:
        UsageError: the confidence is not between 0 and 1, or there are no resamples.

    Example:
        >>> low, high = mean_bands(np.array([[0.1], [0.2], [0.6], [0.3]]))
        >>> bool(0.1 <= low[0] < 0.3 < high[0] <= 0.6)
        True
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise UsageError(f"confidence {confidence}, {resamples} resamples: expected between 0 and 1, and at least 1")
    n, columns = values.shape
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples).astype(np.float64)
    parts = np.array_split(values, max(-(-columns // _COLUMNS_AT_ONCE), 1), axis=1)
    low, high = np.concatenate([_bands(part, weights, confidence) for part in parts], axis=1)
    return low, high


def _bands(values: Float64Array, weights: Float64Array, confidence: float) -> Float64Array:
    """Return both ends (2, e) from `weights` (r, n): how often each resample holds each respondent."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    enough = n >= LEAST_RESPONDENTS
    means = np.where(known, values, 0).sum(axis=0) / np.where(n, n, np.nan)
    centred = _with_exact_sums(np.where(known, values - means, 0.0))
    counts = weights @ known
    # A resample may hold nobody who was seen in an epoch: NaN, sorted behind the others.
    errors = np.sort((weights @ centred) / np.where(counts, counts, np.nan), axis=0)
    drawn = (~np.isnan(errors)).sum(axis=0).clip(1)
    rounding = 1e-9 * np.abs(centred).max(axis=0)  # a mean this close is the same: half of these count as below
    below = ((errors < -rounding).sum(axis=0) + (errors <= rounding).sum(axis=0)) / 2 / drawn
    bias = ndtri(below.clip(0.5 / drawn, 1 - 0.5 / drawn))
    spread = (centred**2).sum(axis=0) ** 1.5
    acceleration = (centred**3).sum(axis=0) / (6 * np.where(spread, spread, 1.0))
    people = np.where(enough, n, LEAST_RESPONDENTS)
    wide = np.sqrt(people / (people - 1)) * stdtrit(people - 1, 0.5 + confidence / 2)
    shifted = bias + np.array([[-1.0], [1.0]]) * wide
    levels = ndtr(bias + shifted / np.maximum(1 - acceleration * shifted, 1e-9))
    ends = np.stack([means + _quantile(errors, drawn, level) for level in levels])
    return np.where(enough, ends, np.nan)


def _with_exact_sums(values: Float64Array) -> Float64Array:
    """Return values (n, e) cut to 1e-12 of their column's largest, so that no sum of them is rounded any more.

    BLAS adds up in another order for another number of columns or processor: the last bits of a band would hang on it.
    """
    _, exponents = np.frexp(np.abs(values).max(axis=0))
    steps = np.ldexp(1.0, exponents - _BITS)
    return np.asarray(np.trunc(values / steps) * steps)


def _quantile(ordered: Float64Array, counts: IntArray, levels: Float64Array) -> Float64Array:
    """Return the quantile of the first `counts` values of each ordered column at a level of its own (e,)."""
    at = levels * (counts - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, counts - 1)
    first, second = (np.take_along_axis(ordered, row[None], axis=0)[0] for row in (below, above))
    return np.asarray(first + (at - below) * (second - first))

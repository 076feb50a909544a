"""When do two groups differ? Cluster-based permutation tests over time.

E. Maris and R. Oostenveld, "Nonparametric statistical testing of EEG- and MEG-data", J. of Neuroscience Methods 164
(2007) 177-190. Neighbouring epochs whose t lies beyond a threshold make a cluster, its mass is the sum of their t, and
its p value the share of permutations whose largest mass is as large: one test for the whole time, not one per epoch. A
p value belongs to the cluster as a whole; where exactly it starts and ends is not tested.

Between respondents the labels of the groups are permuted, within respondents the signs of their differences. The
permutation is exact where the groups have the same distribution; Welch's t keeps it close to right for groups that
differ in spread only (A. Janssen, Statistics and Probability Letters 36 (1997) 9-21).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from videmo.errors import UsageError
from videmo.findings.bootstrap import LEAST_RESPONDENTS
from videmo.findings.timeline import Float64Array, IntArray

_CELLS_AT_ONCE = 1_000_000  # permutations times epochs: 8 MB for each of the arrays a batch needs
# Sums of squares lose the spread of tight groups that lie far apart. With 16 digits the variance is right to about 1e-8
# of itself down to this share of the variance of all, below which it is not told apart from none: t stays finite.
_NO_SPREAD = 1e-7
_SAME = 1e-6  # of a mass: well above the error of t that `_NO_SPREAD` leaves, so that ties count as ties
_ROUNDING = 1e-12  # of the largest value: what lies closer to 0 is what subtracting left over

Statistic = Callable[[Float64Array], Float64Array]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Epochs `start` to `stop` - 1; `mass`, the sum of their t, is above 0 where the first group is higher; `p`."""

    start: int
    stop: int
    mass: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class ClusterTest:
    """What the test found.

    Attributes:
        t: (e,) Welch's t (paired t where `paired`) of each epoch, first minus second; NaN where it was not tested.
        threshold: (e,) the t from which epochs form clusters.
        clusters: all beyond the threshold, whatever their p, in the order of time.
    """

    t: Float64Array
    threshold: Float64Array
    clusters: tuple[Cluster, ...]

    @property
    def p(self) -> float:
        """The p value of "the groups do not differ at any time": the smallest of the clusters, 1 without any."""
        return min((cluster.p for cluster in self.clusters), default=1.0)


def cluster_test(
    first: Float64Array,
    second: Float64Array,
    *,
    paired: bool = False,
    permutations: int = 2000,
    seed: int = 0,
    forming_p: float = 0.05,
) -> ClusterTest:
    """Return where two groups of respondents differ over time, two-sided.

    An epoch counts, also within a permutation, where each group has 3 usable respondents or more (`paired`: 3 who were
    usable in both). One that does not, parts clusters.

    Args:
        first: (n, e) respondents by epochs, NaN where not usable.
        second: (m, e); the same respondents in the same order where `paired`.
        paired: compare within respondents, by flipping the signs of their differences.
        permutations: how many are drawn; no p is below 1 / (permutations + 1).
        seed: the same seed gives the same p values.
        forming_p: two-sided p from which an epoch joins a cluster: which clusters are seen, not how often it errs.

    Raises:
        UsageError: the arrays do not fit together, or there are no permutations.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> first, second = rng.normal(0, 1, (12, 40)), rng.normal(0, 1, (12, 40))
        >>> first[:, 10:20] += 2
        >>> [(c.start, c.stop) for c in cluster_test(first, second, seed=1).clusters if c.p < 0.05]
        [(10, 20)]
    """
    _check(first, second, permutations, paired=paired)
    rng = np.random.default_rng(seed)
    if paired:
        statistic, n = _paired_t(_without_rounding(first - second, np.stack([first, second])))
        seen, degrees = np.ones(len(first)), n - 1
        arrangements = rng.choice([-1.0, 1.0], (permutations, len(first)))
    else:
        statistic, n = _welch_t(np.concatenate([first, second]))
        seen, degrees = np.repeat([1.0, 0.0], [len(first), len(second)]), n - 2
        arrangements = rng.permuted(np.tile(seen, (permutations, 1)), axis=1)
    threshold = stdtrit(np.maximum(degrees, 1), 1 - forming_p / 2)
    t = statistic(seen[None])
    largest = _largest_masses(statistic, arrangements, threshold)
    starts, stops, masses = _clusters(t, threshold)
    reached = (largest[:, None] >= np.abs(masses) * (1 - _SAME)).sum(axis=0)
    p_values = (reached + 1) / (permutations + 1)
    found = (column.tolist() for column in (starts, stops, masses, p_values))
    return ClusterTest(t[0], threshold, tuple(map(Cluster, *found)))


def holm(p_values: Sequence[float]) -> Float64Array:
    """Return p values corrected for their number (S. Holm, Scandinavian J. of Statistics 6 (1979) 65-70).

    Example:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return corrected


def _check(first: Float64Array, second: Float64Array, permutations: int, *, paired: bool) -> None:
    if first.shape[1] != second.shape[1] or (paired and len(first) != len(second)) or permutations < 1:
        raise UsageError(
            f"groups of {first.shape} and {second.shape} respondents x epochs, {permutations} permutations: "
            "expected the same epochs, for a paired test the same respondents, and at least 1 permutation"
        )


def _without_rounding(differences: Float64Array, values: Float64Array) -> Float64Array:
    """Return differences of values with 0 for those that are rounding only, which would have a t of millions."""
    negligible = _ROUNDING * np.nanmax(np.abs(values), initial=0.0)
    return np.where(np.abs(differences) <= negligible, 0.0, differences)


def _welch_t(values: Float64Array) -> tuple[Statistic, IntArray]:
    """Return Welch's t of any split of the rows, and how many rows each epoch has.

    A split is a row of ones (first group) and zeros (second) for each respondent; t (splits, e) is NaN in epochs in
    which a group has too few.
    """
    known = (~np.isnan(values)).astype(np.float64)
    n = known.sum(axis=0)
    centred = np.where(known > 0, values - np.nansum(values, axis=0) / np.maximum(n, 1), 0.0)
    centred = _without_rounding(centred, values)
    squares = centred**2
    floor = _NO_SPREAD * squares.sum(axis=0) / np.maximum(n, 1)

    def statistic(splits: Float64Array) -> Float64Array:
        n_first, sum_first, square_first = splits @ known, splits @ centred, splits @ squares
        n_second = n - n_first
        tested = np.minimum(n_first, n_second) >= LEAST_RESPONDENTS
        a, b = np.where(tested, n_first, 2.0), np.where(tested, n_second, 2.0)
        mean_first, mean_second = sum_first / a, -sum_first / b  # the centred values sum to 0
        spread_first = (square_first - a * mean_first**2) / (a - 1) / a
        spread_second = (squares.sum(axis=0) - square_first - b * mean_second**2) / (b - 1) / b
        error = np.sqrt(np.maximum(spread_first + spread_second, floor))
        return np.where(tested, (mean_first - mean_second) / np.where(error > 0, error, 1.0), np.nan)

    return statistic, n.astype(np.int64)


def _paired_t(differences: Float64Array) -> tuple[Statistic, IntArray]:
    """Return the paired t under any signs of the differences (n, e), and how many differences each epoch has."""
    known = ~np.isnan(differences)
    n = known.sum(axis=0)
    values = np.where(known, differences, 0.0)
    square_means = (values**2).sum(axis=0) / np.maximum(n, 1)
    tested = n >= LEAST_RESPONDENTS

    def statistic(signs: Float64Array) -> Float64Array:
        means = signs @ values / np.maximum(n, 1)
        variances = np.maximum(square_means - means**2, _NO_SPREAD * square_means)
        error = np.sqrt(variances / np.maximum(n - 1, 1))
        return np.where(tested, means / np.where(error > 0, error, 1.0), np.nan)

    return statistic, n


def _largest_masses(statistic: Statistic, arrangements: Float64Array, threshold: Float64Array) -> Float64Array:
    """Return the largest absolute mass of a cluster under each arrangement (m,), 0 where there is none."""
    batches = max(arrangements.shape[0] * max(len(threshold), 1) // _CELLS_AT_ONCE, 1)
    return np.concatenate([_largest(statistic(batch), threshold) for batch in np.array_split(arrangements, batches)])


def _largest(t: Float64Array, threshold: Float64Array) -> Float64Array:
    starts, _, masses = _clusters(t, threshold)
    largest = np.zeros(len(t))
    np.maximum.at(largest, starts // (t.shape[1] + 1), np.abs(masses))
    return largest


def _clusters(t: Float64Array, threshold: Float64Array) -> tuple[IntArray, IntArray, Float64Array]:
    """Return start, stop and mass of the clusters of all rows of t (m, e).

    Starts and stops count through the rows as if each had one epoch more, so that no cluster reaches into the next.
    """
    beyond: NDArray[np.bool_] = np.abs(t) > threshold  # never where t is NaN
    side = np.pad(np.where(beyond, np.sign(t), 0.0), ((0, 0), (0, 1))).ravel()
    masses = np.pad(np.where(beyond, t, 0.0), ((0, 0), (0, 1))).ravel()
    edges = np.flatnonzero(np.diff(side, prepend=0.0))
    if not len(edges):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    sums, kept = np.add.reduceat(masses, edges), side[edges] != 0
    # The last column is empty, so after every cluster there is an edge.
    return edges[kept], np.append(edges[1:], len(side))[kept], sums[kept]

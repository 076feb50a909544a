"""Groups of respondents compared over time: when they differ, how much, and what is left after correction.

Whether two groups differ at any time is corrected after Holm: with each test that rejects, one hypothesis less may be
true. When they differ is not: groups that differ at one time may be alike at all others, so no test leaves the count,
and the p of each cluster is multiplied by the number of tests (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.aggregate import Stimulus, stimuli
from videmo.findings.bootstrap import LEAST_RESPONDENTS
from videmo.findings.effect_sizes import effect_size
from videmo.findings.permutation import ClusterTest, cluster_test, holm
from videmo.findings.timeline import Float64Array

Row = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two groups under one stimulus and one signal, ready to be compared: respondents by epochs each."""

    stimulus: Stimulus
    keys: Mapping[str, object]
    first: Float64Array
    second: Float64Array
    paired: bool


def compare_groups(
    epochs: pd.DataFrame, signals: Sequence[str], *, by: str, permutations: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Return where each pair of groups differs on stimulus time (from 0), by stimulus and signal.

    The test is `videmo.findings.permutation.cluster_test`. It is paired where at least half of the smaller group is in
    both groups: then only those who are in both count. Otherwise the groups are independent, and those in both do not
    count. Groups of fewer than 3 respondents are left out; `attrs["notes"]` says so.

    Args:
        epochs: epochs on stimulus time (`build_timelines` with `epoch_s` and `person="largest"`).
        signals: the columns to compare.
        by: the study's column that makes the groups; "stimulus" compares the stimuli with each other.
        permutations: of each test.
        seed: of each test.

    Returns:
        For each stimulus, signal and pair of groups a row for the whole time (`cluster` 0), then one for each cluster:
        stimulus, signal, first, second: what is compared, first minus second
        design: "paired" or "independent"
        cluster: 0 the whole time, 1, 2, ... the clusters by time
        start_s, end_s: [start, end) of stimulus time; of the whole time: the tested epochs
        p: of the cluster; of the whole time: the smallest of its clusters, 1 without any
        p_corrected: for all signals and pairs of groups of the stimulus: after Holm, of clusters after Bonferroni
        difference, g, g_low, g_high, cliffs_delta, n_first, n_second: `effect_size` of each respondent's mean over
            the epochs from `start_s` to `end_s`. A cluster was chosen for its difference: its effect is overstated

    Raises:
        UsageError: the table lacks a signal or `by`, `by` has one group only, or no stimulus has two groups of 3
            respondents.

    Example:
        >>> compare_groups(epochs, ["happiness"], by="condition")  # doctest: +SKIP
    """
    tables, notes, most_groups = [], [], 0
    for stimulus in stimuli(epochs, by, from_s=0):
        most_groups = max(most_groups, len(stimulus.groups))
        pairs, left_out = _pairs(stimulus, signals)
        tests = [
            cluster_test(pair.first, pair.second, paired=pair.paired, permutations=permutations, seed=seed)
            for pair in pairs
        ]
        corrected = holm([test.p for test in tests])
        tables += [row for found in zip(pairs, tests, corrected, strict=True) for row in _describe(*found, len(tests))]
        notes += [*left_out, *_too_many_tests(pairs, permutations)]
    if not tables:
        raise UsageError(_nothing_to_compare(by, most_groups))
    table = pd.DataFrame(tables)
    table.attrs["notes"] = notes
    return table


def _too_many_tests(pairs: Sequence[_Pair], permutations: int) -> Iterator[str]:
    """Yield why the tests of a stimulus can find nothing, if so."""
    splits = max((_splits(pair) for pair in pairs), default=permutations + 1)
    smallest = len(pairs) / min(splits, permutations + 1)
    if smallest > 0.05:
        n = len(pairs)
        tests, fewer = (f"after correction for {n} tests", "fewer signals or ") if n > 1 else ("for one test", "")
        more = "permutations" if splits > permutations else f"respondents: they can be parted in {splits} ways"
        name = pairs[0].stimulus.name
        yield f"stimulus {name}: {tests} no p below {smallest:.2g} is possible: take {fewer}more {more}"


def _splits(pair: _Pair) -> int:
    """Return in how many ways a permutation can part the respondents that give other differences, signs aside."""
    n_first, n_second = len(pair.first), len(pair.second)
    if pair.paired:
        return int(2 ** (n_first - 1))
    return math.comb(n_first + n_second, n_first) // (2 if n_first == n_second else 1)


def _pairs(stimulus: Stimulus, signals: Sequence[str]) -> tuple[list[_Pair], list[str]]:
    """Return the pairs to compare under a stimulus, by signal, and notes on the groups left out."""
    pairs: list[_Pair] = []
    notes: dict[str, None] = {}
    for signal in signals:
        matrices = {group: stimulus.matrix(group, signal).dropna(how="all") for group in stimulus.groups}
        small = {group: len(matrix) for group, matrix in matrices.items() if len(matrix) < LEAST_RESPONDENTS}
        for group, n in small.items():
            notes[f"stimulus {stimulus.name}: group {group!r} has {n} usable respondents, not compared"] = None
        for names in combinations([group for group in matrices if group not in small], 2):
            pair, left_out = _match(stimulus, signal, names, matrices)
            notes |= dict.fromkeys(left_out)
            pairs += pair
    return pairs, list(notes)


def _match(
    stimulus: Stimulus, signal: str, names: tuple[str, str], matrices: Mapping[str, pd.DataFrame]
) -> tuple[list[_Pair], list[str]]:
    """Return the pair of two groups, none where too few respondents are left, and notes on who is not in it."""
    first, second = (matrices[name] for name in names)
    both = first.index.intersection(second.index)
    paired = 2 * len(both) >= min(len(first), len(second))
    kept = [one.loc[both] if paired else one.drop(index=both) for one in (first, second)]
    title = f"stimulus {stimulus.name}: {names[0]!r} and {names[1]!r}"
    dropped = len(first) + len(second) - len(kept[0]) - len(kept[1])
    why = "only those in both count (paired)" if paired else "those in both do not count"
    notes = [f"{title}: {why}, {dropped} recordings left out"] if dropped else []
    if min(map(len, kept)) < LEAST_RESPONDENTS:
        return [], [*notes, f"{title}: fewer than {LEAST_RESPONDENTS} respondents left, not compared"]
    design = "paired" if paired else "independent"
    keys = {"stimulus": stimulus.name, "signal": signal, "first": names[0], "second": names[1], "design": design}
    return [_Pair(stimulus, keys, kept[0].to_numpy(), kept[1].to_numpy(), paired)], notes


def _describe(pair: _Pair, test: ClusterTest, p_corrected: float, tests: int) -> Iterator[Row]:
    """Yield the row of the whole time, whose p after Holm is given, then one for each cluster of the test."""
    tested = np.flatnonzero(~np.isnan(test.t))
    whole = (int(tested[0]), int(tested[-1]) + 1) if len(tested) else (0, 0)
    spans = [(*whole, test.p), *((cluster.start, cluster.stop, cluster.p) for cluster in test.clusters)]
    for number, (start, stop, p) in enumerate(spans):
        counts = np.arange(start, stop)[~np.isnan(test.t[start:stop])]
        first, second = pair.first[:, counts], pair.second[:, counts]
        if pair.paired:
            unmatched = np.isnan(first + second)
            first, second = (np.where(unmatched, np.nan, values) for values in (first, second))
        yield {
            **pair.keys,
            "cluster": number,
            "start_s": pair.stimulus.grid_s[start] if len(counts) else np.nan,
            "end_s": pair.stimulus.ends_s[stop - 1] if len(counts) else np.nan,
            "p": p,
            "p_corrected": min(p * tests, 1.0) if number else float(p_corrected),
            **asdict(effect_size(_row_means(first), _row_means(second), paired=pair.paired)),
        }


def _row_means(values: Float64Array) -> Float64Array:
    """Return the mean of each row (n, e) over what is known of it, NaN where nothing is."""
    counts = (~np.isnan(values)).sum(axis=1)
    return np.asarray(np.nansum(values, axis=1) / np.where(counts, counts, np.nan))


def _nothing_to_compare(by: str, groups: int) -> str:
    if groups < 2:
        return f"{by!r} makes {groups} {'group' if groups == 1 else 'groups'} under each stimulus: comparing needs two"
    return (
        f"no two groups of {by!r} have {LEAST_RESPONDENTS} usable respondents each under one stimulus: comparing needs "
        "them; `videmo summarize` shows what was usable"
    )

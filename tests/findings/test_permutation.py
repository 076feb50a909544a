from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from group_studies import autocorrelated, epochs_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from videmo.errors import UsageError
from videmo.findings.comparison import compare_groups
from videmo.findings.effect_sizes import effect_size
from videmo.findings.permutation import cluster_test, holm
from videmo.findings.timeline import Float64Array

NAN = float("nan")


def two_groups(n: int = 12, length: int = 40, missing: float = 0.1, seed: int = 0) -> tuple[Float64Array, Float64Array]:
    rng = np.random.default_rng(seed)
    first, second = autocorrelated(rng, n, length), autocorrelated(rng, n, length)
    for values in (first, second):
        values[rng.random(values.shape) < missing] = NAN
    return first, second


def test_t_is_scipys() -> None:
    first, second = two_groups()
    options = {"axis": 0, "nan_policy": "omit"}
    welch = stats.ttest_ind(first, second, equal_var=False, **options).statistic
    np.testing.assert_allclose(cluster_test(first, second, permutations=1).t, welch)
    paired = stats.ttest_rel(first, second, **options).statistic
    np.testing.assert_allclose(cluster_test(first, second, paired=True, permutations=1).t, paired)


def test_clusters_and_their_mass_by_hand() -> None:
    # 3 against 3 at four epochs: far apart at 0 and 1, alike at 2, the other way round at 3.
    first = np.array([[10.0, 11, 0, 0], [11, 12, 1, 1], [12, 13, 2, 2]])
    second = np.array([[0.0, 1, 0, 10], [1, 2, 1, 11], [2, 3, 2, 12]])
    test = cluster_test(first, second, seed=1)
    t = 10 / np.sqrt(1 / 3 + 1 / 3)
    np.testing.assert_allclose(test.t, [t, t, 0, -t], atol=1e-12)
    assert [(cluster.start, cluster.stop) for cluster in test.clusters] == [(0, 2), (3, 4)]
    assert [cluster.mass for cluster in test.clusters] == pytest.approx([2 * t, -t])
    # Of the 20 ways to make two groups of three, only the one seen and its mirror reach either mass.
    assert [cluster.p for cluster in test.clusters] == pytest.approx([0.1, 0.1], abs=0.02)
    np.testing.assert_allclose(test.threshold, stats.t.ppf(0.975, 4))


def test_paired_p_by_hand() -> None:
    differences = np.array([[1.0], [1.2], [1.4], [1.6]])
    test = cluster_test(differences, np.zeros((4, 1)), paired=True, permutations=4000)
    # 2 of the 16 signs reach it.
    assert test.p == pytest.approx(1 / 8, abs=0.02)
    mirrored = cluster_test(-differences, np.zeros((4, 1)), paired=True, permutations=4000)
    assert (mirrored.p, mirrored.clusters[0].mass) == (test.p, pytest.approx(-test.clusters[0].mass))


def test_epochs_with_too_few_respondents_part_clusters() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(5, 1, (6, 5)), rng.normal(0, 1, (6, 5))
    first[:4, 2] = NAN
    test = cluster_test(first, second)
    assert np.isnan(test.t).tolist() == [False, False, True, False, False]
    assert [(cluster.start, cluster.stop) for cluster in test.clusters] == [(0, 2), (3, 5)]
    # Three are left in each group at epoch 2, but not the same three.
    second[:3, 2], first[:4, 2], first[3:, 2] = NAN, 1.0, NAN
    assert not np.isnan(cluster_test(first, second).t[2])
    assert np.isnan(cluster_test(first, second, paired=True).t[2])


def test_constant_groups_have_no_infinite_t() -> None:
    first, second = np.ones((4, 3)), np.zeros((4, 3))
    assert np.isfinite(cluster_test(first, second).clusters[0].mass)
    assert cluster_test(first, first).clusters == ()
    assert cluster_test(first, first).p == 1.0
    assert np.isfinite(cluster_test(first, second, paired=True).clusters[0].mass)
    assert cluster_test(first, first, paired=True).p == 1.0


@pytest.mark.parametrize(("paired", "n"), [(False, 3), (False, 4), (True, 4), (True, 6)])
@pytest.mark.parametrize("spread", [3e-4, 1e-5, 1e-9])
def test_tight_groups_far_apart_have_no_p_below_the_least_possible(spread: float, paired: bool, n: int) -> None:
    """The one split seen and its mirror are as extreme as can be, however tight the groups: p is that of wider ones."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        first, second = rng.normal(size=(2, n, 20))
        wide, tight = (
            cluster_test(0.95 + sd * first, 0.05 + sd * second, paired=paired, permutations=500, seed=seed).p
            for sd in (0.05, spread)
        )
        assert tight == wide


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("level", [0.3, 0.1, 0.7, 1.0, 0.0])
def test_an_epoch_without_any_difference_does_not_hide_the_others(level: float, paired: bool) -> None:
    """The mean of twenty-four 0.3 is not 0.3 to the last digit, and 0.1 + 0.2 is not 0.3."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.3, 0.05, (2, 12, 30))
    first[:, 10:20] += 0.1
    first[:, 0], second[:, 0] = level, level + 0.1 - 0.1
    first[:2, 0] = second[:2, 0] = NAN
    test = cluster_test(first, second, paired=paired, permutations=500)
    assert test.t[0] == 0.0
    assert [(c.start, c.stop) for c in test.clusters if c.p < 0.01] == [(10, 20)]


@pytest.mark.parametrize("paired", [False, True])
def test_nobody_usable_gives_no_clusters(paired: bool) -> None:
    nobody = np.full((4, 3), NAN)
    assert cluster_test(nobody, nobody, paired=paired, permutations=10).clusters == ()
    assert cluster_test(nobody[:, :0], nobody[:, :0], paired=paired, permutations=10).clusters == ()


@pytest.mark.parametrize("paired", [False, True])
@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100), seed=st.integers(0, 5))
def test_units_do_not_matter(paired: bool, scale: float, shift: float, seed: int) -> None:
    first, second = two_groups(6, 12, seed=seed)
    plain = cluster_test(first, second, paired=paired, permutations=50)
    moved = cluster_test(scale * first + shift, scale * second + shift, paired=paired, permutations=50)
    np.testing.assert_allclose(plain.t, moved.t, rtol=1e-6, atol=1e-6)
    assert [(c.start, c.stop, c.p) for c in plain.clusters] == [(c.start, c.stop, c.p) for c in moved.clusters]


def test_the_same_seed_gives_the_same_p() -> None:
    first, second = two_groups(seed=2)
    first += 0.5
    results = [cluster_test(first, second, seed=seed).clusters for seed in (1, 1, 2)]
    assert results[0] == results[1]
    assert results[0] != results[2]


@pytest.mark.parametrize("paired", [False, True])
def test_false_positives_are_as_rare_as_promised(paired: bool) -> None:
    """200 studies without any difference: 5 ± 2 % have a cluster of p <= 0.05.

    Over 2,000 such studies with 5, 12 and 20 respondents in each group it was 4.4, 4.9 and 5.5 % for independent
    groups; paired 0.8, 5.3 and 5.2 %: with 5 pairs there are 32 signs only, and hardly any p below 0.05.
    """
    found = 0
    for seed in range(200):
        first, second = two_groups(12, 40, seed=1000 + seed)
        first, second = np.exp(first), np.exp(second)  # skewed, as probabilities are
        found += cluster_test(first, second, paired=paired, permutations=299, seed=seed).p <= 0.05
    assert 0.03 <= found / 200 <= 0.07


def test_unequal_spread_and_size_do_not_raise_false_positives_much() -> None:
    found = 0
    for seed in range(200):
        first, second = two_groups(24, 30, seed=5000 + seed)
        found += cluster_test(3 * first[:10], second, permutations=299, seed=seed).p <= 0.05
    assert found / 200 <= 0.09


def test_a_difference_is_found_where_it_is() -> None:
    first, second = two_groups(20, 60, seed=4)
    first[:, 20:35] += 1.5
    strongest = min(cluster_test(first, second).clusters, key=lambda cluster: cluster.p)
    assert strongest.p < 0.01
    assert 15 <= strongest.start <= 22
    assert 33 <= strongest.stop <= 40


def test_sixty_respondents_and_300_epochs_take_no_time() -> None:
    first, second = two_groups(30, 300)
    started = time.perf_counter()
    cluster_test(first, second, permutations=2000)
    assert time.perf_counter() - started < 3


def test_what_cannot_be_compared_is_named() -> None:
    with pytest.raises(UsageError, match="expected the same epochs"):
        cluster_test(np.zeros((3, 4)), np.zeros((3, 5)))
    with pytest.raises(UsageError, match="the same respondents"):
        cluster_test(np.zeros((3, 4)), np.zeros((4, 4)), paired=True)


def test_holm_by_hand() -> None:
    # Sorted 0.01 x 4, 0.02 x 3, 0.04 x 2, 0.04 x 1; never below the one before.
    assert holm([0.04, 0.01, 0.04, 0.02]).tolist() == pytest.approx([0.08, 0.04, 0.08, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_hedges_g_by_its_formula() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 1, 9), rng.normal(0, 2, 14)
    effect = effect_size(np.append(first, NAN), second)
    pooled = np.sqrt((8 * first.var(ddof=1) + 13 * second.var(ddof=1)) / 21)
    assert (effect.n_first, effect.n_second) == (9, 14)
    assert effect.difference == pytest.approx(first.mean() - second.mean())
    # The usual approximation of the correction is right to 0.1 %.
    assert effect.g == pytest.approx((1 - 3 / (4 * 21 - 1)) * effect.difference / pooled, rel=1e-3)
    # The ends are where noncentral t leaves 2.5 % on either side of the t that was seen.
    error, t = np.sqrt(1 / 9 + 1 / 14), stats.ttest_ind(first, second).statistic
    correction = effect.g / (effect.difference / pooled)
    for end, tail in ((effect.g_low, 0.975), (effect.g_high, 0.025)):
        assert stats.nct.cdf(t, 21, end / correction / error) == pytest.approx(tail, abs=1e-4)


def test_paired_g_by_hand() -> None:
    first, second = np.array([2.0, 4.0, 6.0, NAN]), np.array([1.0, 4.0, 4.0, 9.0])
    effect = effect_size(first, second, paired=True)
    spread = np.sqrt((4.0 + 3.0) / 2)  # variances 4 and 3
    correction = 1 / np.sqrt(np.pi)  # gamma(1) / (sqrt(1) gamma(1/2)) at two degrees of freedom
    assert (effect.n_first, effect.n_second, effect.difference) == (3, 3, 1.0)
    assert effect.g == pytest.approx(correction / spread)
    assert effect.g_low < effect.g < effect.g_high


def test_the_interval_of_g_covers() -> None:
    rng = np.random.default_rng(7)
    effects = [effect_size(rng.normal(0.8, 1, 10), rng.normal(0, 1, 15)) for _ in range(1500)]
    held = [effect.g_low <= 0.8 <= effect.g_high for effect in effects]
    assert 0.935 <= np.mean(held) <= 0.965


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8), st.lists(st.integers(0, 5), min_size=2, max_size=8))
def test_cliffs_delta_is_mann_whitneys_u(first: list[int], second: list[int]) -> None:
    a, b = np.array(first, float), np.array(second, float)
    u = stats.mannwhitneyu(a, b).statistic
    assert effect_size(a, b).cliffs_delta == pytest.approx(2 * u / (len(a) * len(b)) - 1)
    assert effect_size(b, a).cliffs_delta == pytest.approx(-effect_size(a, b).cliffs_delta)


def test_no_spread_no_g() -> None:
    effect = effect_size(np.array([0.3, 0.3]), np.array([0.1, 0.1]))
    assert (effect.difference, effect.cliffs_delta) == (pytest.approx(0.2), 1.0)
    assert np.isnan([effect.g, effect.g_low, effect.g_high]).all()
    assert np.isnan(effect_size(np.array([0.3]), np.array([0.1, 0.2])).difference)


def test_two_pairs_have_no_g() -> None:
    effect = effect_size(np.array([0.9, 0.8]), np.array([0.1, 0.3]), paired=True)
    assert (effect.difference, effect.cliffs_delta) == (pytest.approx(0.65), 1.0)
    assert np.isnan([effect.g, effect.g_low, effect.g_high]).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("noise", [1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
def test_the_interval_of_a_huge_g_holds_it(noise: float, sign: int) -> None:
    """With a spread of 1e-7, the rounding of float32, the search for the interval did not end."""
    rng = np.random.default_rng(0)
    for paired, n in ((False, 2), (False, 6), (True, 3), (True, 6)):
        first, second = sign * (0.8 + noise * rng.normal(size=n)), sign * (-0.8 + noise * rng.normal(size=n))
        effect = effect_size(first, second, paired=paired)
        assert effect.cliffs_delta == sign
        assert effect.g_low < effect.g < effect.g_high or (np.isnan(effect.g) and noise < 1e-3)


def conditions(n: int, *names: str) -> list[str]:
    return [names[i % len(names)] for i in range(n)]


def test_groups_between_respondents() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.1, (16, 20)) + 0.5
    values[::2, 5:10] += 0.4
    table = compare_groups(epochs_of(values, condition=conditions(16, "x", "y")), ["happiness"], by="condition")
    assert table["design"].unique().tolist() == ["independent"]
    whole, cluster = table.iloc[0], table[table["p"] < 0.01].iloc[-1]
    assert (whole["cluster"], whole["start_s"], whole["end_s"]) == (0, 0.0, 20.0)
    assert (cluster["first"], cluster["second"], cluster["start_s"], cluster["end_s"]) == ("x", "y", 5.0, 10.0)
    assert whole["p"] == cluster["p"] == cluster["p_corrected"]
    assert cluster["difference"] == pytest.approx(values[::2, 5:10].mean() - values[1::2, 5:10].mean())
    assert cluster["g_low"] < cluster["g"] < cluster["g_high"]
    assert (cluster["n_first"], cluster["n_second"], cluster["cliffs_delta"]) == (8, 8, 1.0)


def test_groups_within_respondents_are_paired() -> None:
    rng = np.random.default_rng(1)
    person = rng.normal(0, 3, (8, 1))
    first, second = (person + rng.normal(0, 0.1, (8, 12)) for _ in range(2))
    first[:, 4:8] += 0.3  # far below what separates the respondents
    epochs = [epochs_of(values, condition=name) for values, name in ((first, "x"), (second, "y"))]
    both = pd.concat(epochs, ignore_index=True)
    table = compare_groups(both, ["happiness"], by="condition", permutations=1000)
    assert table["design"].unique().tolist() == ["paired"]
    assert table["p"].min() == pytest.approx(2 / 256, abs=0.006)
    assert table.attrs["notes"] == []
    fewer = both[~((both["respondent"] == "r00") & (both["condition"] == "y"))]
    table = compare_groups(fewer, ["happiness"], by="condition", permutations=1000)
    assert (table["n_first"].max(), table["design"].iloc[0]) == (7, "paired")
    assert table.attrs["notes"] == [
        "stimulus all: 'x' and 'y': only those in both count (paired), 1 recordings left out"
    ]


def test_several_groups_and_signals_are_corrected_together() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 0.1, (18, 10))
    values[::3] += 1
    epochs = epochs_of(values, condition=conditions(18, "x", "y", "z"))
    epochs["sadness"] = rng.normal(0, 1, len(epochs))
    table = compare_groups(epochs, ["happiness", "sadness"], by="condition", permutations=999)
    tests = table[table["cluster"] == 0]
    assert list(zip(tests["signal"], tests["first"], tests["second"], strict=True)) == [
        (signal, *pair) for signal in ("happiness", "sadness") for pair in (("x", "y"), ("x", "z"), ("y", "z"))
    ]
    assert tests["p_corrected"].tolist() == pytest.approx(holm(tests["p"].tolist()))
    assert (tests["p_corrected"] < 0.05).tolist() == [True, True, False, False, False, False]
    assert (table["p_corrected"] >= table["p"]).all()
    clusters = table[table["cluster"] > 0]
    assert clusters["p_corrected"].tolist() == pytest.approx((6 * clusters["p"]).clip(upper=1).tolist())


def test_false_clusters_beside_true_ones_are_as_rare_as_promised() -> None:
    """40 studies of 8 signals that all differ early, and never late: at most 5 ± 5 % have a late p_corrected < 0.05.

    With Holm's factors for all clusters 9 of the 40 had one, and 70 of 300; now it is 8 of 300.
    """
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        values = np.stack([autocorrelated(rng, 16, 40, 0.5) for _ in range(8)])
        values[:, ::2, 2:4] += 6
        epochs = epochs_of(values[0], condition=conditions(16, "x", "y"))
        epochs = epochs.assign(**{f"s{i}": signal.ravel() for i, signal in enumerate(values)})
        names = [f"s{i}" for i in range(8)]
        table = compare_groups(epochs, names, by="condition", permutations=199, seed=seed)
        found += (table["p_corrected"][table["start_s"] >= 8] < 0.05).any()
    assert found <= 4


@pytest.mark.parametrize(
    ("respondents", "permutations", "least", "way"),
    [
        (16, 49, "0.06", "more permutations"),
        (8, 1999, "0.086", "more respondents: they can be parted in 35 ways"),
        (7, 1999, "0.086", "more respondents: they can be parted in 35 ways"),
    ],
)
def test_tests_that_can_find_nothing_are_told(respondents: int, permutations: int, least: str, way: str) -> None:
    values = np.random.default_rng(0).random((respondents, 4))
    epochs = epochs_of(values, condition=conditions(respondents, "x", "y"))
    epochs = epochs.assign(**{f"s{i}": epochs["happiness"] for i in range(3)})
    table = compare_groups(epochs, ["s0", "s1", "s2"], by="condition", permutations=permutations)
    assert table.attrs["notes"] == [
        f"stimulus all: after correction for 3 tests no p below {least} is possible: take fewer signals or {way}"
    ]


def test_pairs_of_few_respondents_can_find_nothing() -> None:
    values = np.repeat(np.random.default_rng(0).random((4, 4)), 2, axis=0)
    epochs = epochs_of(values, condition=["x", "y"] * 4, respondent=[f"r{i // 2}" for i in range(8)])
    table = compare_groups(epochs, ["happiness"], by="condition", permutations=1999)
    assert table["design"].tolist()[0] == "paired"
    assert table.attrs["notes"][-1].endswith(
        "no p below 0.12 is possible: take more respondents: they can be parted in 8 ways"
    )


def test_time_before_the_stimulus_is_not_compared() -> None:
    epochs = epochs_of(np.random.default_rng(0).random((8, 10)), condition=conditions(8, "x", "y"))
    epochs[["epoch_start_s", "epoch_end_s"]] -= 4
    assert compare_groups(epochs, ["happiness"], by="condition")["start_s"].iloc[0] == 0.0


def test_stimuli_can_be_the_groups() -> None:
    epochs = epochs_of(np.random.default_rng(0).random((6, 5)), stimulus=conditions(6, "ad", "film"))
    table = compare_groups(epochs, ["happiness"], by="stimulus")
    assert table[["stimulus", "first", "second"]].iloc[0].tolist() == ["all", "ad", "film"]


def test_groups_that_cannot_be_compared_are_named() -> None:
    values = np.random.default_rng(0).random((8, 5))
    with pytest.raises(UsageError, match="'condition' makes 1 group under each stimulus: comparing needs two"):
        compare_groups(epochs_of(values, condition="x"), ["happiness"], by="condition")
    with pytest.raises(UsageError, match="no two groups of 'condition' have 3 usable respondents"):
        compare_groups(epochs_of(values, condition=["x"] * 6 + ["y"] * 2), ["happiness"], by="condition")
    third = epochs_of(values, condition=["x"] * 3 + ["y"] * 3 + ["z"] * 2)
    table = compare_groups(third, ["happiness"], by="condition")
    assert table.attrs["notes"] == [
        "stimulus all: group 'z' has 2 usable respondents, not compared",
        "stimulus all: for one test no p below 0.1 is possible: take more respondents: they can be parted in 10 ways",
    ]

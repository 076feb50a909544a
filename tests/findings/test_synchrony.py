from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from group_studies import autocorrelated, epochs_of
from hypothesis import given
from hypothesis import strategies as st

from videmo.findings.permutation import holm
from videmo.findings.synchrony import LEAST_EPOCHS, leave_one_out, synchrony, synchrony_test

NAN = float("nan")


def test_correlation_with_the_others_by_hand() -> None:
    """Against pandas, which leaves out what is missing pair by pair."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 40))
    values[rng.random(values.shape) < 0.2] = NAN
    for i, found in enumerate(leave_one_out(values)):
        others = pd.DataFrame(np.delete(values, i, axis=0))
        mean = others.mean().where(others.notna().sum() >= 2)
        assert found == pytest.approx(pd.Series(values[i]).corr(mean))


def test_too_little_in_common_has_no_correlation() -> None:
    rise = np.linspace(0, 1, 30)
    values = np.stack([rise, rise**2, np.sqrt(rise), rise])
    values[3, LEAST_EPOCHS - 1 :] = NAN
    assert np.isnan(leave_one_out(values)).tolist() == [False, False, False, True]
    values[3] = 0.5  # does not change
    assert np.isnan(leave_one_out(values)).tolist() == [False, False, False, True]
    # One other alone is no mean of others.
    assert np.isnan(leave_one_out(values[:2])).all()


@given(shift=st.integers(0, 29), scale=st.floats(0.01, 100), level=st.floats(-10, 10), seed=st.integers(0, 9))
def test_time_and_units_in_common_do_not_matter(shift: int, scale: float, level: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(4, 30))
    moved = scale * np.roll(values, shift, axis=1) + level
    np.testing.assert_allclose(leave_one_out(moved), leave_one_out(values), atol=1e-6)


def test_many_tables_at_once_are_as_one_by_one() -> None:
    values = np.random.default_rng(0).normal(size=(3, 2, 4, 20))
    found = leave_one_out(values)
    assert found.shape == (3, 2, 4)
    np.testing.assert_allclose(found[2, 1], leave_one_out(values[2, 1]))


def test_what_is_shared_is_found() -> None:
    rng = np.random.default_rng(1)
    values = autocorrelated(rng, 1, 90) + 1.5 * autocorrelated(rng, 10, 90)
    mean, p = synchrony_test(values, permutations=999)
    assert mean == pytest.approx(np.tanh(np.arctanh(leave_one_out(values)).mean()))
    assert p < 0.01
    assert synchrony_test(values, permutations=999) == (mean, p)
    assert synchrony_test(values, permutations=999, seed=1)[1] == pytest.approx(p, abs=0.02)


def test_no_correlation_at_all_has_no_p() -> None:
    assert np.isnan(synchrony_test(np.full((4, 30), 0.5), permutations=9)).all()
    assert np.isnan(synchrony_test(np.full((4, 30), NAN), permutations=9)).all()


def test_false_positives_are_as_rare_as_promised() -> None:
    """200 groups that share nothing: 5 ± 2 % have p <= 0.05, though each respondent's values change slowly.

    Over 500 such groups of 3, 12 and 20 respondents it was 5.0, 4.0 and 3.4 %.
    """
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = np.exp(autocorrelated(rng, 8, 80))
        values[rng.random(values.shape) < 0.1] = NAN
        found += synchrony_test(values, permutations=199, seed=seed)[1] <= 0.05
    assert 0.03 <= found / 200 <= 0.07


@pytest.mark.parametrize("gap", [slice(6, 54), slice(8, 52)])
def test_shifts_that_leave_no_correlation_are_no_evidence(gap: slice) -> None:
    """Groups that share nothing but when they are away: hardly a shift lets them meet for 10 epochs again.

    With such shifts counted as "not as alike", 97 and 33 of 100 groups had p <= 0.05.
    """
    found = 0
    for seed in range(100):
        values = autocorrelated(np.random.default_rng(seed), 4, 60, 0.5)
        values[:, gap] = NAN
        found += synchrony_test(values, permutations=199, seed=seed)[1] <= 0.05
    assert found <= 7


def test_shifts_that_leave_no_correlation_cost_little_power() -> None:
    rng = np.random.default_rng(0)
    values = autocorrelated(rng, 5, 60, 0.5) + 1.5 * autocorrelated(rng, 1, 60, 0.5)
    values[:, 15:45] = NAN
    assert synchrony_test(values, permutations=199)[1] <= 0.02


def test_tables_of_groups_and_respondents() -> None:
    rng = np.random.default_rng(2)
    together = rng.normal(size=(1, 60)) + 0.5 * rng.normal(size=(5, 60))
    values = np.concatenate([together, rng.normal(size=(5, 60)), rng.normal(size=(2, 60))])
    values[0, 5:] = NAN
    epochs = epochs_of(values, condition=["x"] * 5 + ["y"] * 5 + ["z"] * 2)
    groups, people = synchrony(epochs, ["happiness"], by="condition", permutations=499)
    assert groups[["stimulus", "group", "signal", "respondents", "epochs"]].to_numpy().tolist() == [
        ["all", "x", "happiness", 4, 60], ["all", "y", "happiness", 5, 60],
    ]  # fmt: skip
    assert groups["isc"][0] > 0.7
    assert groups["p_corrected"].tolist() == pytest.approx(holm(groups["p"].tolist()))
    assert people["respondent"].tolist() == [f"r{i:02}" for i in range(10)]
    assert people["isc"].isna().tolist() == [True] + 9 * [False]
    assert groups["isc"][1] == pytest.approx(np.tanh(np.arctanh(people["isc"][5:]).mean()))


def test_time_before_the_stimulus_does_not_count_and_two_respondents_are_none() -> None:
    epochs = epochs_of(np.random.default_rng(0).normal(size=(4, 30)))
    epochs[["epoch_start_s", "epoch_end_s"]] -= 10
    groups, _ = synchrony(epochs, ["happiness"], permutations=9)
    assert groups["epochs"].tolist() == [20]
    assert groups.attrs["notes"] == []
    groups, _ = synchrony(epochs[epochs["epoch_start_s"] < 8], ["happiness"], permutations=9)
    assert groups.attrs["notes"] == [
        "stimulus all: group 'all' has 8 epochs with 3 usable respondents, a correlation needs 10: take shorter epochs"
    ]
    groups, people = synchrony(epochs[epochs["respondent"] < "r02"], ["happiness"], permutations=9)
    assert groups.empty
    assert people.empty

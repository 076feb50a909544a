from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.errors import UsageError
from videmo.findings.smoothing import ExponentialAverage, MedianFilter, SavitzkyGolay, Smoother
from videmo.findings.timeline import Float64Array

FILTERS = [MedianFilter(0.5), ExponentialAverage(0.3), SavitzkyGolay(0.5), SavitzkyGolay(0.7, order=3)]


def smooth(smoother: Smoother, times_s: list[float], values: list[float], runs: list[int] | None = None) -> list[float]:
    column = np.array(values, float)[:, None]
    number = np.zeros(len(times_s), np.int64) if runs is None else np.array(runs)
    result: list[float] = smoother.smooth(np.array(times_s, float), column, number)[:, 0].tolist()
    return result


def test_median_by_hand_at_uneven_times() -> None:
    # Half a second to either side, ends included: 0 sees 0 and 0.5; 0.5 sees 0 to 1; 1 sees 0.5 to 1; 3 itself.
    # Each row weighs half of the steps beside it, at the ends the whole step: 0.5, 0.3, 0.25, 1.2 and 2 s.
    assert smooth(MedianFilter(1.0), [0, 0.5, 0.6, 1.0, 3.0], [1, 9, 2, 4, 7]) == [1.0, 4.0, 4.0, 4.0, 7.0]
    # As many seconds below as above: the middle of the two.
    assert smooth(MedianFilter(0.4), [0, 0.2, 0.4], [2, 6, 9]) == [4.0, 6.0, 7.5]


def weighted_median(values: Float64Array, weights_s: Float64Array) -> float:
    order = np.argsort(values)
    share = np.cumsum(weights_s[order]) / weights_s.sum()
    low, high = np.searchsorted(share, [0.5 - 1e-9, 0.5 + 1e-9])
    return float(values[order][[low, high]].mean())


@pytest.mark.parametrize(("rows", "window_s"), [(300, 1.0), (300, 0.05), (20_000, 1.0)])
def test_median_is_the_one_of_each_window_by_itself(rows: int, window_s: float) -> None:
    rng = np.random.default_rng(3)
    times_s = np.cumsum(rng.choice([1 / 30, 1 / 5, 0.02], rows))
    values = np.round(rng.random((rows, 2)), 2)  # with ties
    steps = np.diff(times_s)
    weights_s = np.append(steps[0], steps) + np.append(steps, steps[-1])
    smoothed = MedianFilter(window_s).smooth(times_s, values, np.zeros(rows, np.int64))
    for row in range(0, rows, max(rows // 300, 1)):
        near = np.abs(times_s - times_s[row]) <= window_s / 2 + 1e-9
        expected = [weighted_median(column[near], weights_s[near]) for column in values.T]
        assert smoothed[row].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("window_s", [0.2, 0.5, 10.0])
@pytest.mark.parametrize("rate_hz", [25, 30, 30_000 / 1001])
def test_at_a_constant_rate_the_median_is_that_of_rows(rate_hz: float, window_s: float) -> None:
    times_s = np.arange(3000) / rate_hz
    values = np.random.default_rng(0).random((3000, 2))
    rows = 2 * int(window_s / 2 * rate_hz + 1e-6) + 1
    expected = pd.DataFrame(values).rolling(rows, center=True, min_periods=1).median().to_numpy()
    np.testing.assert_array_equal(MedianFilter(window_s).smooth(times_s, values, np.zeros(3000, np.int64)), expected)


def test_a_short_spike_is_removed_however_dense_its_frames_are() -> None:
    """Five frames a second, thirty in a spike of 0.4 s: its rows were most of those in a window."""
    before_s, spike_s, after_s = np.arange(0, 5, 0.2), 5 + np.arange(10) / 30, 5.4 + np.arange(0, 5, 0.2)
    times_s = np.concatenate([before_s, spike_s, after_s]).tolist()
    values = [0.05] * len(before_s) + [0.9] * len(spike_s) + [0.05] * len(after_s)
    assert smooth(MedianFilter(1.0), times_s, values) == [0.05] * len(times_s)


@given(steps_s=st.lists(st.floats(0.001, 2), min_size=1, max_size=30), seed=st.integers(0, 9))
def test_a_median_is_the_same_backwards(steps_s: list[float], seed: int) -> None:
    # Whole milliseconds, so that what lies on the end of a window does so both ways.
    times_s = np.round(np.cumsum(steps_s), 3) + 0.001 * np.arange(len(steps_s))
    values = np.random.default_rng(seed).random(len(steps_s))
    forward = smooth(MedianFilter(0.5), times_s.tolist(), values.tolist())
    backward = smooth(MedianFilter(0.5), (times_s[-1] - times_s)[::-1].tolist(), values[::-1].tolist())
    assert forward == backward[::-1]


def test_an_exponential_average_halves_after_its_half_life_where_the_rate_drops() -> None:
    """Thirty frames a second at 1, then five at 0: weighed alike they took 1.4 s to halve, not 0.5 s."""
    times_s = np.append(np.arange(150) / 30, 5 + np.arange(60) / 5)
    smoothed = np.array(smooth(ExponentialAverage(0.5), times_s.tolist(), (times_s < 5).astype(float).tolist()))
    age_s = times_s[150:] - times_s[149]  # of the last 1, and all before it were 1
    np.testing.assert_allclose(smoothed[150:], 2 ** (-age_s / 0.5), rtol=2e-3)


def test_an_exponential_average_does_not_depend_on_how_often_it_was_looked() -> None:
    times_s = np.cumsum(np.random.default_rng(0).choice([1 / 30, 1 / 5], 400))
    values = np.cumsum(np.random.default_rng(1).normal(0, 1, 400))
    # The same signal, which holds back to the row before, with a second row somewhere within each step.
    twice_s = np.sort(np.append(times_s, times_s[1:] - 0.4 * np.diff(times_s)))
    twice = values[np.searchsorted(times_s, twice_s)]
    once = smooth(ExponentialAverage(0.5), times_s.tolist(), values.tolist())
    again = smooth(ExponentialAverage(0.5), twice_s.tolist(), twice.tolist())
    late = times_s > times_s[0] + 15  # the start is forgotten
    np.testing.assert_allclose(np.array(again)[np.isin(twice_s, times_s)][late], np.array(once)[late], atol=1e-6)


@pytest.mark.parametrize("smoother", [*FILTERS, MedianFilter(20.0)], ids=str)
def test_an_hour_of_a_face_takes_no_time(smoother: Smoother) -> None:
    values = np.random.default_rng(0).random((100_000, 7))
    started = time.process_time()
    smoother.smooth(np.arange(100_000) / 30, values, np.zeros(100_000, np.int64))
    assert time.process_time() - started < 5


def test_median_removes_an_outlier_and_keeps_a_step() -> None:
    times_s = [i * 0.04 for i in range(50)]
    step = [0.0] * 25 + [1.0] * 25
    spoilt = step.copy()
    spoilt[10] = 1.0
    assert smooth(MedianFilter(0.2), times_s, spoilt) == step


def test_exponential_average_by_hand_at_uneven_times() -> None:
    # Half-life 1 s. At 1 s the first weighs 1/2; at 3 s the first 1/8 and the second 1/4.
    smoothed = smooth(ExponentialAverage(1.0), [0, 1, 3], [8, 2, 4])
    assert smoothed == pytest.approx([8.0, (0.5 * 8 + 2) / 1.5, (8 / 8 + 2 / 4 + 4) / 1.375])


def test_the_lag_stated_is_the_lag_measured() -> None:
    # A ramp comes out late by the lag, once the start is forgotten.
    times_s = np.arange(0, 20, 0.002)
    for smoother in FILTERS:
        smoothed = smoother.smooth(times_s, times_s[:, None], np.zeros(len(times_s), np.int64))[:, 0]
        assert times_s[7000] - smoothed[7000] == pytest.approx(smoother.lag_s, abs=0.002)


def test_savitzky_golay_keeps_a_parabola_and_lowers_noise() -> None:
    times_s = [i * 0.1 for i in range(30)]
    parabola = [3 + 2 * t - t * t for t in times_s]
    assert smooth(SavitzkyGolay(0.5), times_s, parabola) == pytest.approx(parabola)
    # Five points, order 2: the middle of an impulse is 17/35 (Savitzky and Golay's table).
    impulse = [0.0] * 10 + [1.0] + [0.0] * 10
    assert max(smooth(SavitzkyGolay(0.4), times_s[:21], impulse)) == pytest.approx(17 / 35)


def test_savitzky_golay_takes_short_runs_as_they_are() -> None:
    assert smooth(SavitzkyGolay(1.0), [0, 5, 5.1], [1, 2, 4], [0, 1, 1]) == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("smoother", FILTERS, ids=str)
def test_nothing_is_mixed_across_runs(smoother: Smoother) -> None:
    rng = np.random.default_rng(1)
    times_s = np.cumsum(rng.uniform(0.02, 0.1, 60))
    values = rng.random((60, 2))
    runs = np.repeat([0, 1, 2], [20, 1, 39])
    alone = [
        smoother.smooth(times_s[runs == run], values[runs == run], np.zeros((runs == run).sum(), np.int64))
        for run in range(3)
    ]
    np.testing.assert_allclose(smoother.smooth(times_s, values, runs), np.concatenate(alone), atol=1e-9)
    assert smoother.smooth(times_s[:0], values[:0], runs[:0]).shape == (0, 2)


@pytest.mark.parametrize("smoother", FILTERS, ids=str)
@given(
    steps_s=st.lists(st.floats(0.001, 2), min_size=1, max_size=30),
    level=st.floats(0, 1),
    start_s=st.floats(0, 1e5),
)
def test_a_constant_stays_constant(smoother: Smoother, steps_s: list[float], level: float, start_s: float) -> None:
    times_s = (start_s + np.cumsum(steps_s)).tolist()
    assert smooth(smoother, times_s, [level] * len(times_s)) == pytest.approx([level] * len(times_s), abs=1e-9)


@pytest.mark.parametrize("smoother", FILTERS[:2], ids=str)
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_means_and_medians_stay_in_the_range(smoother: Smoother, values: list[float]) -> None:
    smoothed = smooth(smoother, [i * 0.07 for i in range(len(values))], values)
    assert min(values) - 1e-9 <= min(smoothed)
    assert max(smoothed) <= max(values) + 1e-9


@pytest.mark.parametrize(
    "build", [lambda: MedianFilter(0), lambda: ExponentialAverage(-1), lambda: SavitzkyGolay(float("nan"))]
)
def test_filters_need_a_length(build: object) -> None:
    with pytest.raises(UsageError, match="expected a length above 0"):
        build()  # type: ignore[operator]


def test_a_polynomial_needs_an_order() -> None:
    with pytest.raises(UsageError, match="order of -1"):
        SavitzkyGolay(1.0, order=-1)

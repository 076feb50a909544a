from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.errors import UsageError
from videmo.findings.smoothing import ExponentialAverage, MedianFilter, SavitzkyGolay, Smoother

FILTERS = [MedianFilter(0.5), ExponentialAverage(0.3), SavitzkyGolay(0.5), SavitzkyGolay(0.7, order=3)]


def smooth(smoother: Smoother, times_s: list[float], values: list[float], runs: list[int] | None = None) -> list[float]:
    column = np.array(values, float)[:, None]
    number = np.zeros(len(times_s), np.int64) if runs is None else np.array(runs)
    result: list[float] = smoother.smooth(np.array(times_s, float), column, number)[:, 0].tolist()
    return result


def test_median_by_hand_at_uneven_times() -> None:
    # Half a second to either side, ends included: 0 sees 0 and 0.5; 0.5 sees 0 to 1; 1 sees 0.5 to 1; 3 itself.
    assert smooth(MedianFilter(1.0), [0, 0.5, 0.6, 1.0, 3.0], [1, 9, 2, 4, 7]) == [5.0, 3.0, 4.0, 4.0, 7.0]


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

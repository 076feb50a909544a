"""Lanes: order, parallelism, failure stops all, interruption is exact."""

from __future__ import annotations

import threading
import time

import pytest

from videmo.pipeline.lanes import Cancellation, Cancelled, run_lanes


def test_reports_come_in_input_order_whatever_finishes_first() -> None:
    def run_one(number: int, _: Cancellation) -> int:
        time.sleep(0.01 * (5 - number))
        return number * 10

    assert run_lanes(range(5), run_one, jobs=3) == [0, 10, 20, 30, 40]


def test_no_more_lanes_than_jobs_are_open() -> None:
    lock = threading.Lock()
    open_now: list[int] = []
    seen: list[int] = []

    def run_one(number: int, _: Cancellation) -> None:
        with lock:
            open_now.append(number)
            seen.append(len(open_now))
        time.sleep(0.005)
        with lock:
            open_now.remove(number)

    run_lanes(range(12), run_one, jobs=3)
    assert max(seen) == 3


def test_an_error_cancels_the_other_lanes_and_is_raised_when_they_have_ended() -> None:
    ended: list[int] = []

    def run_one(number: int, cancellation: Cancellation) -> None:
        if number == 1:
            raise ValueError("lane broke")
        try:
            while True:
                cancellation.check()
                time.sleep(0.001)
        finally:
            ended.append(number)

    with pytest.raises(ValueError, match="lane broke"):
        run_lanes(range(2), run_one, jobs=2)
    assert ended == [0]


def test_inputs_not_yet_begun_are_not_begun_after_an_error() -> None:
    begun: list[int] = []

    def run_one(number: int, _: Cancellation) -> None:
        begun.append(number)
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        run_lanes(range(50), run_one, jobs=1)
    assert len(begun) < 50


def test_cancellation_from_outside_raises_cancelled() -> None:
    flag = Cancellation()
    flag.cancel()
    with pytest.raises(Cancelled):
        run_lanes([1], lambda _, cancellation: cancellation.check(), jobs=1, cancellation=flag)

"""Every request is answered exactly once, whatever happens; threaded answers equal inline ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.pipeline.batching import BatchWorker, InlineWorker, submit_ahead
from videmo.pipeline.channel import ChannelClosed


def square_all(requests: Sequence[int]) -> list[int]:
    return [request * request for request in requests]


@given(
    requests=st.lists(st.integers(-99, 99), max_size=60),
    batch_size=st.integers(1, 9),
    limit=st.integers(1, 20),
)
@settings(max_examples=40)
def test_threaded_equals_inline(requests: list[int], batch_size: int, limit: int) -> None:
    inline: InlineWorker[int, int] = InlineWorker(square_all)
    expected = list(submit_ahead(iter(requests), inline.submit, limit=limit))
    worker = BatchWorker(square_all, batch_size=batch_size, max_wait_s=0.001)
    assert list(submit_ahead(iter(requests), worker.submit, limit=limit)) == expected
    worker.close()
    assert [answer for _, answer in expected] == square_all(requests)


def test_batches_fill_across_lanes() -> None:
    sizes: list[int] = []

    def run(requests: Sequence[int]) -> list[int]:
        sizes.append(len(requests))
        time.sleep(0.005)
        return square_all(requests)

    worker = BatchWorker(run, batch_size=8, max_wait_s=0.05)
    with ThreadPoolExecutor(4) as lanes:
        sums = lanes.map(
            lambda lane: sum(a for _, a in submit_ahead(iter([lane] * 40), worker.submit, limit=4)), range(4)
        )
        assert list(sums) == [0, 40, 160, 360]
    worker.close()
    assert sum(sizes) == 160
    assert max(sizes) == 8
    assert sum(sizes) / len(sizes) > 4


def test_a_batch_holds_no_more_rows_than_allowed_unless_one_request_does() -> None:
    batches: list[list[int]] = []

    def run(requests: Sequence[int]) -> Sequence[int]:
        batches.append(list(requests))
        return requests

    worker = BatchWorker(run, batch_size=4, max_wait_s=0.05)
    futures = [worker.submit(rows, rows) for rows in (3, 3, 9, 1, 1)]
    worker.close()
    assert [future.result() for future in futures] == [3, 3, 9, 1, 1]
    assert batches == [[3], [3], [9], [1, 1]]


def test_model_error_answers_its_batch_and_only_that() -> None:
    def run(requests: Sequence[int]) -> list[int]:
        if 13 in requests:
            raise ValueError("unlucky")
        return square_all(requests)

    worker = BatchWorker(run, batch_size=1)
    good, bad, later = worker.submit(2), worker.submit(13), worker.submit(3)
    assert good.result() == 4
    with pytest.raises(ValueError, match="unlucky"):
        bad.result()
    assert later.result() == 9
    worker.close()


def test_wrong_number_of_answers_is_an_error_for_all() -> None:
    worker: BatchWorker[int, int] = BatchWorker(lambda _: [1], batch_size=2, max_wait_s=0.05)
    futures = [worker.submit(1), worker.submit(2)]
    worker.close()
    for future in futures:
        with pytest.raises(RuntimeError, match="1 answers to 2 requests"):
            future.result()


def test_close_answers_what_is_queued() -> None:
    worker = BatchWorker(square_all, batch_size=1000, max_wait_s=60)
    futures = [worker.submit(number) for number in range(20)]
    worker.close()
    assert [future.result(timeout=0) for future in futures] == square_all(range(20))


def test_cancel_answers_the_queue_by_channel_closed_and_refuses_more() -> None:
    release, begun = threading.Event(), threading.Event()

    def run(requests: Sequence[int]) -> list[int]:
        begun.set()
        release.wait()
        return square_all(requests)

    worker = BatchWorker(run, batch_size=1)
    running = worker.submit(5)
    begun.wait()
    queued: list[Future[int]] = [worker.submit(1), worker.submit(2)]
    canceller = threading.Thread(target=worker.cancel, name="videmo-test")
    canceller.start()
    for future in queued:
        with pytest.raises(ChannelClosed):
            future.result()
    release.set()
    canceller.join()
    assert running.result() == 25
    with pytest.raises(ChannelClosed):
        worker.submit(3)


def test_a_request_cannot_be_withdrawn_and_harms_no_other() -> None:
    worker = BatchWorker(square_all, batch_size=9, max_wait_s=60)
    futures = [worker.submit(number) for number in range(3)]
    assert not futures[1].cancel()
    worker.close()
    assert [future.result(timeout=0) for future in futures] == [0, 1, 4]


def test_submit_ahead_lets_items_pass_that_need_no_answer() -> None:
    inline: InlineWorker[int, int] = InlineWorker(square_all)
    items = submit_ahead(iter(range(4)), lambda item: inline.submit(item) if item % 2 else None, limit=3)
    assert list(items) == [(0, None), (1, 1), (2, None), (3, 9)]

"""A chain run by a thread of its own equals the chain run inline, also when it fails or nobody listens to the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.errors import StageError, VideoError
from videmo.pipeline.meters import Meters, add_up, bottleneck
from videmo.pipeline.streams import prefetch


def double(items: Iterator[int]) -> Iterator[int]:
    for item in items:
        yield 2 * item


@given(items=st.lists(st.integers(), max_size=40), capacity=st.integers(1, 9))
def test_prefetched_equals_inline(items: list[int], capacity: int) -> None:
    assert list(prefetch([double(iter(items))], capacity, name="test")) == [2 * item for item in items]


def test_error_of_the_chain_arrives_after_its_items() -> None:
    def fails() -> Iterator[int]:
        yield 1
        raise KeyError("gone")

    items = prefetch([fails()], 4, name="test")
    assert next(items) == 1
    with pytest.raises(KeyError, match="gone"):
        next(items)


def test_closing_early_closes_every_generator_in_its_own_thread() -> None:
    closed: list[tuple[str, str]] = []

    def endless(name: str, upstream: Iterator[int] | None = None) -> Iterator[int]:
        try:
            for item in upstream or iter(range(10**9)):  # noqa: UP028 - `yield from` would close the upstream itself
                yield item
        finally:
            closed.append((name, threading.current_thread().name))

    source = endless("source")
    chain = [source, endless("stage", source)]
    items = prefetch(chain, 2, name="ahead")
    assert next(items) == 0
    items.close()
    assert closed == [("stage", "videmo-ahead"), ("source", "videmo-ahead")]


def test_nothing_runs_before_the_first_item_is_asked_for() -> None:
    started = threading.Event()

    def source() -> Iterator[int]:
        started.set()
        yield 1

    items = prefetch([source()], 1, name="test")
    assert not started.wait(0.02)
    items.close()
    assert not started.is_set()


def test_meters_count_items_and_own_time_per_hop() -> None:
    meters = Meters("clip")
    source = meters.watch("source", iter(range(5)))
    ahead = prefetch([source], 2, name="ahead", meters=meters)
    assert list(meters.watch("double", double(ahead))) == [0, 2, 4, 6, 8]
    statistics = meters.statistics()
    assert [(hop.name, hop.items) for hop in statistics] == [("source", 5), ("ahead", 5), ("double", 5)]
    assert statistics[1].busy_s == 0
    summed = add_up([statistics, statistics])
    assert [hop.items for hop in summed] == [10, 10, 10]
    assert bottleneck(summed) in {"source", "double"}


def test_an_unforeseen_error_names_stage_and_video_and_keeps_its_cause() -> None:
    def fails(_: Iterator[int]) -> Iterator[int]:
        yield from ()
        raise ZeroDivisionError("no")

    with pytest.raises(StageError, match="track failed on clip: ZeroDivisionError: no") as caught:
        list(Meters("clip").watch("track", fails(iter(()))))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_raised_on_purpose_keeps_its_type() -> None:
    def fails() -> Iterator[int]:
        yield from ()
        raise VideoError("clip.mp4: not a video")

    meters = Meters("clip")
    with pytest.raises(VideoError, match=r"clip\.mp4: not a video"):
        list(meters.watch("track", meters.watch("decode", fails())))

"""Half-closed, cancelled, stuck, failing in the middle: one named test each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.pipeline.channel import Channel, ChannelClosed


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work, name="videmo-test")
    thread.start()
    return thread


@given(items=st.lists(st.integers(), max_size=50), capacity=st.integers(1, 5))
def test_everything_arrives_once_and_in_order(items: list[int], capacity: int) -> None:
    channel: Channel[int] = Channel(capacity)

    def produce() -> None:
        for item in items:
            channel.send(item)
        channel.close()

    thread = in_thread(produce)
    assert list(channel) == items
    thread.join()


def test_closed_channel_gives_what_is_queued_then_ends() -> None:
    channel: Channel[str] = Channel(2)
    channel.send("a")
    channel.close()
    assert list(channel) == ["a"]
    with pytest.raises(ChannelClosed):
        channel.send("b")


def test_error_reaches_the_receiver_after_the_items_before_it() -> None:
    channel: Channel[int] = Channel(2)
    channel.send(1)
    channel.close(ValueError("broke"))
    received = iter(channel)
    assert next(received) == 1
    with pytest.raises(ValueError, match="broke"):
        next(received)


def test_cancel_wakes_a_blocked_sender() -> None:
    channel: Channel[int] = Channel(1)
    channel.send(1)
    woken = threading.Event()

    def send_into_full() -> None:
        with pytest.raises(ChannelClosed):
            channel.send(2)
        woken.set()

    thread = in_thread(send_into_full)
    assert not woken.wait(0.05)
    channel.cancel()
    thread.join()
    assert woken.is_set()
    assert list(channel) == []


def test_waits_are_measured() -> None:
    channel: Channel[int] = Channel(1)
    timer = threading.Timer(0.05, channel.close)
    timer.name = "videmo-test"
    timer.start()
    assert list(channel) == []
    timer.join()
    assert channel.waited_for_input_s >= 0.04


def test_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Channel(0)

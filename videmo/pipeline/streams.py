"""Generators put together: a chain that closes what it opened, and a thread that works ahead."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeVar

from videmo.pipeline.channel import Channel, ChannelClosed
from videmo.pipeline.meters import Meters

T = TypeVar("T")


def close_all(generators: Sequence[Iterator[Any]]) -> None:
    """Close generators from the last to the first: each one's `finally` runs before that of its upstream."""
    for generator in reversed(generators):
        if isinstance(generator, Generator):
            generator.close()


def prefetch(
    chain: Sequence[Iterator[Any]], capacity: int, *, name: str, meters: Meters | None = None
) -> Generator[Any, None, None]:
    """Run a chain of generators in a thread of its own, at most `capacity` items ahead of the consumer.

    `chain` lists the generators of the segment from source to last; the last one is iterated, all are closed in the
    thread that ran them, also when the consumer stops early. Order is kept; an error of the chain reaches the consumer
    after the items before it. The thread is started by the first `next` and has ended when this generator is closed.
    """
    channel: Channel[Any] = Channel(capacity)
    received: Iterator[Any] = iter(channel)
    if meters is not None:
        received = meters.watch_channel(name, channel, received)
    return _pump(chain, channel, received, name)


def _pump(
    chain: Sequence[Iterator[Any]], channel: Channel[Any], received: Iterator[Any], name: str
) -> Generator[Any, None, None]:
    thread = threading.Thread(target=_produce, args=(chain, channel), name=f"videmo-{name}")
    thread.start()
    try:
        yield from received
    finally:
        channel.cancel()
        thread.join()


def _produce(chain: Sequence[Iterator[Any]], channel: Channel[Any]) -> None:
    """Send what the chain yields until it ends, fails or nobody listens; the channel is closed last in every case."""
    error: BaseException | None = None
    try:
        for item in chain[-1]:
            try:
                channel.send(item)
            except ChannelClosed:  # nobody listens; what the chain itself raises is told, whatever its name
                break
        close_all(chain)
    except BaseException as caught:  # handed to the consumer, whatever it is
        error = caught
        with contextlib.suppress(Exception):  # the first error is the one to tell
            close_all(chain)
    finally:
        channel.close(error)

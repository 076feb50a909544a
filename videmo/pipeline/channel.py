"""A bounded queue between two threads that can end, fail and be cancelled."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ChannelClosed(Exception):  # noqa: N818 - it is a state that both ends must expect, not a fault
    """The other end is gone: nothing can be sent any more, or no answer will come."""


class Channel(Generic[T]):
    """A bounded queue with back-pressure.

    Invariant: items are received in the order sent, each exactly once; after `close` the receiver gets what is queued,
    then the end or the error; after `cancel` nothing is delivered and every blocked or later `send` raises
    ChannelClosed. All state changes happen under one condition, and every change that can unblock a waiter notifies.

    `waited_for_room_s` and `waited_for_input_s` tell how long the sender and the receiver were blocked.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: expected at least 1, got {capacity}")
        self._capacity = capacity
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._cancelled = False
        self._error: BaseException | None = None
        self.waited_for_room_s = 0.0
        self.waited_for_input_s = 0.0

    def send(self, item: T) -> None:
        """Queue an item, blocking while the channel is full; raises ChannelClosed once either end has ended it."""
        with self._changed:
            began_s = time.perf_counter()
            self._changed.wait_for(lambda: len(self._items) < self._capacity or self._cancelled or self._closed)
            self.waited_for_room_s += time.perf_counter() - began_s
            if self._cancelled or self._closed:
                raise ChannelClosed
            self._items.append(item)
            self._changed.notify_all()

    def close(self, error: BaseException | None = None) -> None:
        """End the channel from the sender's side; with `error` the receiver gets it after the queued items."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
                self._changed.notify_all()

    def cancel(self) -> None:
        """End the channel from the receiver's side: drop what is queued and wake blocked senders."""
        with self._changed:
            self._cancelled = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Yield items until the sender closes or the channel is cancelled; raises the sender's error."""
        while True:
            with self._changed:
                began_s = time.perf_counter()
                self._changed.wait_for(lambda: self._items or self._closed or self._cancelled)
                self.waited_for_input_s += time.perf_counter() - began_s
                if not self._items:
                    if self._error is not None and not self._cancelled:
                        raise self._error
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

"""One thread that owns a model and answers requests of many lanes in batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from videmo.datatypes import StageStatistics
from videmo.pipeline.channel import ChannelClosed
from videmo.pipeline.meters import WaitClock

Item = TypeVar("Item")
Request = TypeVar("Request")
Answer = TypeVar("Answer")
Request_contra = TypeVar("Request_contra", contravariant=True)


class Worker(Protocol[Request_contra, Answer]):
    """Answers requests, now or later."""

    batch_size: int

    def submit(self, request: Request_contra, rows: int = 1) -> Future[Answer]: ...


class InlineWorker(Generic[Request, Answer]):
    """Answers each request at once in the caller's thread: the plain meaning that BatchWorker must agree with."""

    def __init__(self, run: Callable[[Sequence[Request]], Sequence[Answer]]) -> None:
        self._run = run
        self.batch_size = 1

    def submit(self, request: Request, rows: int = 1) -> Future[Answer]:
        """Return the answered future; an error of the model is raised by its `result`."""
        future: Future[Answer] = Future()
        _answer(self._run, [(request, rows, future)])
        return future


class BatchWorker(Generic[Request, Answer]):
    """Collects requests until a batch is full or has waited long enough, and runs the model on it.

    Invariant: **every submitted request is answered exactly once**: by its answer, by the model's error, or by
    ChannelClosed. `submit` after `close` or `cancel` raises ChannelClosed. `close` answers what is queued by the model
    first; `cancel` answers it by ChannelClosed. Both return when the thread has ended.

    A batch closes when it holds `batch_size` rows or `max_wait_s` after its first request came. `run` takes the
    requests of a batch and returns as many answers, in order. `rows` weighs a request (a frame's faces travel as one).
    """

    def __init__(
        self,
        run: Callable[[Sequence[Request]], Sequence[Answer]],
        *,
        batch_size: int,
        max_wait_s: float = 0.01,
        name: str = "batch",
    ) -> None:
        self.batch_size = batch_size
        self.name = name
        self._run = run
        self._max_wait_s = max_wait_s
        self._queue: deque[tuple[Request, int, Future[Answer]]] = deque()
        self._queued_rows = 0
        self._changed = threading.Condition()
        self._open = True
        self._batches = 0
        self._busy_s = 0.0
        self._idle_s = 0.0
        self._thread = threading.Thread(target=self._serve, name=f"videmo-{name}")
        self._thread.start()

    def submit(self, request: Request, rows: int = 1) -> Future[Answer]:
        """Queue a request of `rows` rows; its future is answered exactly once and cannot be withdrawn."""
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()  # else an answer to a future that its holder cancelled ends the thread
        with self._changed:
            if not self._open:
                raise ChannelClosed
            self._queue.append((request, rows, future))
            self._queued_rows += rows
            if len(self._queue) == 1 or self._queued_rows >= self.batch_size:
                self._changed.notify()
        return future

    def close(self) -> None:
        """Answer what is queued, then end."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()

    def cancel(self) -> None:
        """Answer what is queued by ChannelClosed, then end."""
        with self._changed:
            dropped = tuple(self._queue)
            self._queue.clear()
            self._queued_rows = 0
            self._open = False
            self._changed.notify()
        for _, _, future in dropped:
            future.set_exception(ChannelClosed())
        self._thread.join()

    def statistics(self) -> StageStatistics:
        """Return the batches run, the seconds in the model and the seconds waiting for requests."""
        return StageStatistics(f"{self.name} (batches)", self._batches, self._busy_s, self._idle_s, 0.0)

    def _serve(self) -> None:
        while batch := self._next_batch():
            began_s = time.perf_counter()
            _answer(self._run, batch)
            self._busy_s += time.perf_counter() - began_s
            self._batches += 1

    def _next_batch(self) -> list[tuple[Request, int, Future[Answer]]]:
        """Wait for a batch to close and take it; an empty one means the end."""
        with self._changed:
            began_s = time.perf_counter()
            self._changed.wait_for(lambda: self._queue or not self._open)
            self._changed.wait_for(lambda: self._queued_rows >= self.batch_size or not self._open, self._max_wait_s)
            self._idle_s += time.perf_counter() - began_s
            batch: list[tuple[Request, int, Future[Answer]]] = []
            rows = 0
            while self._queue and (not batch or rows + self._queue[0][1] <= self.batch_size):
                batch.append(self._queue.popleft())
                rows += batch[-1][1]
            self._queued_rows -= rows
            return batch


def _answer(
    run: Callable[[Sequence[Request]], Sequence[Answer]], batch: Sequence[tuple[Request, int, Future[Answer]]]
) -> None:
    try:
        answers = run([request for request, _, _ in batch])
        if len(answers) != len(batch):
            raise RuntimeError(f"the model gave {len(answers)} answers to {len(batch)} requests")
    except BaseException as error:  # every request must be answered, whatever went wrong
        for _, _, future in batch:
            future.set_exception(error)
        return
    for (_, _, future), answer in zip(batch, answers, strict=True):
        future.set_result(answer)


def submit_ahead(
    items: Iterator[Item],
    submit: Callable[[Item], Future[Answer] | None],
    *,
    limit: int,
    waits: WaitClock | None = None,
) -> Generator[tuple[Item, Answer | None], None, None]:
    """Yield every item with its answer, in order, while up to `limit` items are on their way.

    `submit` returns None for an item that needs no answer. Items whose turn has come and whose answer is there are
    yielded at once. About twice the batch size in flight keeps the worker busy while the stages around it work.
    """
    clock = waits or WaitClock()
    pending: deque[tuple[Item, Future[Answer] | None]] = deque()

    def take() -> tuple[Item, Answer | None]:
        item, future = pending.popleft()
        began_s = time.perf_counter()
        answer = None if future is None else future.result()
        clock.seconds += time.perf_counter() - began_s
        return item, answer

    for item in items:
        pending.append((item, submit(item)))
        while pending and (len(pending) >= limit or _is_answered(pending[0][1])):
            yield take()
    while pending:
        yield take()


def _is_answered(future: Future[Answer] | None) -> bool:
    return future is None or future.done()

"""Random schedules for the engine: lanes over shared workers, with delays, failures, leavers and cancellations."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from random import Random

from videmo.errors import StageError, VideoError
from videmo.pipeline.batching import BatchWorker, submit_ahead
from videmo.pipeline.channel import ChannelClosed
from videmo.pipeline.lanes import Cancellation, Cancelled, run_lanes
from videmo.pipeline.meters import Meters
from videmo.pipeline.streams import prefetch

PAUSES_S = (0, 0, 0, 0, 0.0001, 0.001, 0.003)
DEADLOCK_S = 30.0


class Planned(Exception):  # noqa: N818 - it is the schedule's wish
    """A failure that the schedule asked for."""


@dataclass(frozen=True, slots=True)
class LanePlan:
    """One lane: its items, and after how many it is damaged, breaks, or its consumer breaks or leaves (None: never)."""

    items: int
    damaged_at: int | None
    breaks_at: int | None
    consumer_breaks_at: int | None
    leaves_at: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run of the engine. `failing`: for each model, the numbers of the batches that fail or are not answered."""

    seed: int
    lanes: tuple[LanePlan, ...]
    jobs: int
    capacity: int
    limit: int
    batch_sizes: tuple[int, int]
    max_wait_s: float
    failing: tuple[frozenset[int], frozenset[int]]
    cancelled_after_s: float | None
    worker_cancelled_after_s: float | None

    @staticmethod
    def draw(seed: int) -> Schedule:
        """Return the schedule of a seed; about half of all have no failure that stops the run."""
        rng = Random(seed)

        def maybe(share: float, draw: Callable[[], int]) -> int | None:
            return draw() if rng.random() < share else None

        rare = rng.choice([0, 0.15])

        def batches() -> frozenset[int]:
            return frozenset(range(rng.randint(0, 9), 99)) if rng.random() < rare else frozenset()

        lanes = []
        for _ in range(rng.randint(1, 6)):
            items = rng.randint(0, 12)
            some = partial(rng.randint, 0, items)
            lanes.append(LanePlan(items, maybe(0.2, some), maybe(rare, some), maybe(rare, some), maybe(0.15, some)))
        return Schedule(
            seed=seed,
            lanes=tuple(lanes),
            jobs=rng.randint(1, 4),
            capacity=rng.randint(1, 4),
            limit=rng.randint(1, 8),
            batch_sizes=(rng.randint(1, 5), rng.randint(1, 5)),
            max_wait_s=rng.choice([0, 0.0005, 0.002]),
            failing=(batches(), batches()),
            cancelled_after_s=rng.uniform(0, 0.01) if rng.random() < rare else None,
            worker_cancelled_after_s=rng.uniform(0, 0.01) if rng.random() < rare else None,
        )

    @property
    def may_stop(self) -> bool:
        """True when something in it may stop the whole run."""
        breaks = any(plan.breaks_at is not None or plan.consumer_breaks_at is not None for plan in self.lanes)
        return breaks or any(self.failing) or bool(self.cancelled_after_s or self.worker_cancelled_after_s)


@dataclass(slots=True)
class Run:
    """A schedule run: what it came to and what was seen on the way."""

    schedule: Schedule
    asked: list[tuple[int, Future[int]]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    received: dict[int, list[int]] = field(default_factory=dict)
    outcomes: list[str] | None = None
    error: BaseException | None = None

    def run(self) -> None:
        """Run the lanes as `videmo.analysis` does: workers around them, closed after a good end, cancelled else."""
        plan, cancellation = self.schedule, Cancellation()
        workers = [self._worker(number) for number in range(2)]
        timers = [
            threading.Timer(after_s, act)
            for after_s, act in (
                (plan.cancelled_after_s, cancellation.cancel),
                (plan.worker_cancelled_after_s, workers[plan.seed % 2].cancel),
            )
            if after_s is not None
        ]
        for timer in timers:
            timer.start()
        try:
            lane = partial(self._run_lane, workers=workers)
            self.outcomes = run_lanes(range(len(plan.lanes)), lane, jobs=plan.jobs, cancellation=cancellation)
        except BaseException as error:
            self.error = error
        for worker in workers:
            worker.close() if self.error is None else worker.cancel()
        for timer in timers:
            timer.join()

    def _worker(self, number: int) -> BatchWorker[int, int]:
        rng, batches = Random(f"{self.schedule.seed} model {number}"), iter(range(10**6))

        def model(requests: Sequence[int]) -> list[int]:
            time.sleep(rng.choice(PAUSES_S))
            if next(batches) not in self.schedule.failing[number]:
                return [answer_of(request, number) for request in requests]
            if rng.random() < 0.3:
                return []  # one answer for each request was asked for
            raise Planned(f"model {number}")

        size = self.schedule.batch_sizes[number]
        return BatchWorker(model, batch_size=size, max_wait_s=self.schedule.max_wait_s, name=f"soak-{number}")

    def _run_lane(self, lane: int, cancellation: Cancellation, *, workers: Sequence[BatchWorker[int, int]]) -> str:
        plan, meters = self.schedule.lanes[lane], Meters(f"lane {lane}")
        rng = Random(f"{self.schedule.seed} consumer {lane}")
        ahead = prefetch([meters.watch("source", self._source(lane))], self.schedule.capacity, name="a", meters=meters)
        first = meters.watch("detect", self._ask(ahead, workers[0]))
        second = meters.watch("classify", self._ask(first, workers[1]))
        received = self.received[lane] = []
        with closing(prefetch([ahead, first, second], self.schedule.capacity, name="b", meters=meters)) as items:
            try:
                while len(received) != plan.leaves_at and (item := next(items, None)) is not None:
                    cancellation.check()
                    received.append(item)
                    if len(received) == plan.consumer_breaks_at:
                        raise Planned(f"consumer {lane}")
                    time.sleep(rng.choice(PAUSES_S))
            except VideoError:
                return "damaged"
        return "left" if len(received) == plan.leaves_at else "done"

    def _source(self, lane: int) -> Iterator[int]:
        plan, rng = self.schedule.lanes[lane], Random(f"{self.schedule.seed} source {lane}")
        self.opened.append(lane)
        try:
            for position in range(plan.items + 1):
                time.sleep(rng.choice(PAUSES_S))
                if position == plan.damaged_at:
                    raise VideoError(f"lane {lane}: damaged: leave it out")
                if position == plan.breaks_at:
                    raise Planned(f"source {lane}")
                if position < plan.items:
                    yield 1000 * lane + position
        finally:
            self.closed.append(lane)

    def _ask(self, items: Iterator[int], worker: BatchWorker[int, int]) -> Iterator[int]:
        def submit(item: int) -> Future[int]:
            future = worker.submit(item, rows=1 + item % 3)
            self.asked.append((item, future))
            return future

        for _, answer in submit_ahead(items, submit, limit=self.schedule.limit):
            assert answer is not None
            yield answer

    def check(self) -> None:
        """Assert what the engine promises, whatever happened."""
        for lane, items in self.received.items():
            expected = [answered(1000 * lane + position) for position in range(len(items))]
            assert items == expected, f"lane {lane}: wrong order or answers"
        assert sorted(self.opened) == sorted(self.closed), "a source was not closed"
        for request, future in self.asked:
            assert future.done(), f"{request} was never answered"
            error = future.exception()
            assert isinstance(error, Planned | ChannelClosed | RuntimeError | None)
            assert error is not None or future.result() in (answer_of(request, 0), answer_of(request, 1))
        if self.error is not None:
            assert self.schedule.may_stop, self.error
            assert isinstance(self.error, StageError | Planned | ChannelClosed | Cancelled), self.error
            return
        assert self.outcomes is not None
        for lane, outcome in enumerate(self.outcomes):
            plan, count = self.schedule.lanes[lane], len(self.received[lane])
            assert outcome != "done" or (count == plan.items and plan.damaged_at is None), f"lane {lane} lost items"
            assert outcome != "damaged" or plan.damaged_at is not None
            assert outcome != "left" or count == plan.leaves_at


def answer_of(request: int, model: int) -> int:
    """Return what a model answers."""
    return 7 * request + model


def answered(item: int) -> int:
    """Return what both models, one after the other, make of an item."""
    return answer_of(answer_of(item, 0), 1)


def run_schedule(seed: int) -> Run:
    """Run the schedule of a seed and check it; raises AssertionError naming the seed, also where it does not end."""
    run = Run(Schedule.draw(seed))
    thread = threading.Thread(target=run.run, name=f"schedule-{seed}", daemon=True)
    thread.start()
    thread.join(DEADLOCK_S)
    if thread.is_alive():
        raise AssertionError(f"deadlock in schedule {seed}:\n{_stacks()}")
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("videmo")]
    assert not left, f"schedule {seed} left threads: {left}"
    try:
        run.check()
    except AssertionError as error:
        raise AssertionError(f"schedule {seed}: {error}\n{run.schedule}") from error
    return run


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"--- {names.get(ident)}\n{''.join(traceback.format_stack(frame)[-6:])}"
        for ident, frame in sys._current_frames().items()
    )

"""The engine under random schedules: no deadlock, every request answered exactly once, no thread left."""

from __future__ import annotations

import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from schedules import Planned, Schedule, run_schedule

from videmo.pipeline.batching import BatchWorker
from videmo.pipeline.channel import Channel, ChannelClosed

SOON_S = 5.0


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let Python change threads a hundred times as often as it does by itself."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(usual_s / 100)
    yield
    sys.setswitchinterval(usual_s)


def soak(seeds: range) -> Counter[str]:
    """Run the schedules of the seeds and return how often they ended which way."""
    runs = [run_schedule(seed) for seed in seeds]
    ends = Counter("ended" if run.error is None else type(run.error).__name__ for run in runs)
    return ends + Counter(outcome for run in runs for outcome in run.outcomes or [])


def test_schedules_are_the_same_for_the_same_seed() -> None:
    assert Schedule.draw(5) == Schedule.draw(5) != Schedule.draw(6)


@pytest.mark.usefixtures("hasty_threads")
def test_the_engine_keeps_its_promises_under_random_schedules() -> None:
    ends = soak(range(200))
    # The schedules must really be rough: each way to end came up.
    assert set(ends) == {"ended", "StageError", "Planned", "ChannelClosed", "Cancelled", "done", "damaged", "left"}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("hasty_threads")
def test_ten_thousand_schedules() -> None:
    assert soak(range(1000, 11_000))["ended"] > 5000


class ChannelMachine(RuleBasedStateMachine):
    """A channel against a list: one sender, which may block in a thread of its own, and one receiver."""

    @initialize(capacity=st.integers(1, 3))
    def open(self, capacity: int) -> None:
        self.channel: Channel[int] = Channel(capacity)
        self.received = iter(self.channel)
        self.capacity, self.next, self.held = capacity, 0, deque[int]()
        self.error: Planned | None = None
        self.closed = self.cancelled = self.ended = False
        self.blocked: threading.Thread | None = None
        self.refused = threading.Event()

    @precondition(lambda self: self.is_open and len(self.held) < self.capacity)
    @rule()
    def send(self) -> None:
        self.channel.send(self.next)
        self.held.append(self.next)
        self.next += 1

    @precondition(lambda self: self.is_open and len(self.held) == self.capacity and not self.blocked)
    @rule()
    def send_into_full(self) -> None:
        def send() -> None:
            try:
                self.channel.send(self.next)
            except ChannelClosed:
                self.refused.set()

        self.blocked = threading.Thread(target=send, name="videmo-sender")
        self.blocked.start()

    @precondition(lambda self: (self.held or not self.is_open) and not self.ended)
    @rule()
    def receive(self) -> None:
        if self.held:
            assert next(self.received) == self.held.popleft()
            if self.blocked:
                self._unblock(refused=False)
                self.held.append(self.next)
                self.next += 1
        elif self.error and not self.cancelled:
            with pytest.raises(Planned):
                next(self.received)
            self.ended = True
        else:
            assert next(self.received, None) is None
            self.ended = True

    @rule(fails=st.booleans())
    def close(self, fails: bool) -> None:
        error = Planned() if fails else None
        self.channel.close(error)
        self.error = self.error if self.closed else error  # the first end is the one to tell
        self.closed = True
        self._unblock(refused=True)

    @rule()
    def cancel(self) -> None:
        self.channel.cancel()
        self.cancelled = True
        self.held.clear()
        self._unblock(refused=True)

    @precondition(lambda self: not self.is_open)
    @rule()
    def send_into_ended(self) -> None:
        with pytest.raises(ChannelClosed):
            self.channel.send(-1)

    @invariant()
    def a_blocked_sender_waits(self) -> None:
        assert not (self.blocked and self.is_open and self.refused.is_set())

    @property
    def is_open(self) -> bool:
        return not (self.closed or self.cancelled)

    def _unblock(self, *, refused: bool) -> None:
        if self.blocked:
            self.blocked.join(SOON_S)
            assert not self.blocked.is_alive(), "the sender was not woken"
            assert self.refused.is_set() == refused
            self.blocked = None

    def teardown(self) -> None:
        if hasattr(self, "channel"):
            self.cancel()


class BatchWorkerMachine(RuleBasedStateMachine):
    """A batch worker whose model fails on demand: each request has its one answer, whatever comes before or after."""

    @initialize(batch_size=st.integers(1, 5), max_wait_s=st.sampled_from([0.0, 0.001]))
    def start(self, batch_size: int, max_wait_s: float) -> None:
        self.fails = self.ended = self.cancelled = False
        self.asked: list[tuple[int, bool, Future[int]]] = []
        self.answers: Counter[int] = Counter()
        self.worker = BatchWorker(self._model, batch_size=batch_size, max_wait_s=max_wait_s, name="soak")

    def _model(self, requests: Sequence[int]) -> list[int]:
        if self.fails:
            raise Planned
        return [request * request for request in requests]

    @precondition(lambda self: not self.ended)
    @rule(rows=st.integers(0, 7))
    def submit(self, rows: int) -> None:
        number = len(self.asked)
        future = self.worker.submit(number, rows)
        future.add_done_callback(lambda _: self.answers.update([number]))
        self.asked.append((number, self.fails, future))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def try_to_withdraw(self, data: st.DataObject) -> None:
        assert not data.draw(st.sampled_from(self.asked))[2].cancel()

    @precondition(lambda self: self.asked and not self.cancelled)
    @rule()
    def wait(self) -> None:
        number, _, future = self.asked[-1]
        assert future.exception(SOON_S) is not None or future.result() == number * number

    @rule(fails=st.booleans())
    def change_model(self, fails: bool) -> None:
        for _, _, future in self.asked:
            future.exception(SOON_S)  # so that each request meets the model of its time
        self.fails = fails

    @rule()
    def close(self) -> None:
        self.worker.close()
        self.ended = True

    @rule()
    def cancel(self) -> None:
        self.cancelled |= not self.ended
        self.worker.cancel()
        self.ended = True

    @precondition(lambda self: self.ended)
    @rule()
    def submit_after_the_end(self) -> None:
        with pytest.raises(ChannelClosed):
            self.worker.submit(0)

    def teardown(self) -> None:
        if not hasattr(self, "worker"):
            return
        self.worker.close()
        assert self.answers == Counter({number: 1 for number, _, _ in self.asked})
        for number, failed, future in self.asked:
            error = future.exception(0)
            if isinstance(error, ChannelClosed):
                assert self.cancelled
            else:
                assert isinstance(error, Planned) == failed
                assert failed or future.result() == number * number


TestChannel = ChannelMachine.TestCase
TestBatchWorker = BatchWorkerMachine.TestCase
TestChannel.settings = TestBatchWorker.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

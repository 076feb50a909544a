"""Several lanes at once: one thread per open video, each failing alone or stopping all, cancelled exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

Input = TypeVar("Input")
Report = TypeVar("Report")

SIGNALS_SEEN_EVERY_S: Final = 0.2


class Cancelled(Exception):  # noqa: N818 - a request that was heard, not a fault
    """The run was asked to stop; raised inside a lane at its next frame."""


class Cancellation:
    """A flag that every lane looks at once per frame."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask every lane to stop at its next frame."""
        self._event.set()

    def check(self) -> None:
        """Raise Cancelled if the run was asked to stop."""
        if self._event.is_set():
            raise Cancelled


def run_lanes(
    inputs: Sequence[Input],
    run_one: Callable[[Input, Cancellation], Report],
    *,
    jobs: int,
    cancellation: Cancellation | None = None,
) -> list[Report]:
    """Run `run_one` on every input, `jobs` at a time, and return the reports in input order.

    `run_one` reports what concerns one input alone. Whatever it raises stops the run: the other lanes are cancelled and
    the error is raised here once all threads have ended. The same holds for KeyboardInterrupt in the calling thread.
    """
    flag = cancellation or Cancellation()
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="videmo-lane") as pool:
        futures = [pool.submit(run_one, item, flag) for item in inputs]
        try:
            error = _first_error(futures)
        except BaseException as caught:
            error = caught
        if error is not None:
            flag.cancel()
            for future in futures:
                future.cancel()
    if error is not None:
        raise error
    return [future.result() for future in futures]


def _first_error(futures: Sequence[Future[Report]]) -> BaseException | None:
    """Wait until all lanes have ended or one has failed, and return its error.

    The system may hand Ctrl-C to any thread, Python acts on it in this one alone, and a thread that sleeps for good
    does not learn of it: hence the look up now and then.
    """
    pending = set(futures)
    while pending:
        done, pending = wait(pending, SIGNALS_SEEN_EVERY_S, FIRST_EXCEPTION)
        for future in done:
            error = future.exception()
            if error is not None and not isinstance(error, Cancelled):
                return error
    return None

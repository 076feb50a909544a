"""The hops of one lane: what each did, how long it worked and waited, and which one broke."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from videmo.datatypes import StageStatistics
from videmo.errors import StageError, VidemoError
from videmo.pipeline.channel import Channel, ChannelClosed

T = TypeVar("T")


@dataclass(slots=True)
class WaitClock:
    """Seconds that a stage spent blocked on somebody else's work; written by the thread that runs the stage."""

    seconds: float = 0.0


@dataclass(slots=True)
class _Hop:
    name: str
    channel: Channel[object] | None = None
    waits: WaitClock = field(default_factory=WaitClock)
    items: int = 0
    inside_s: float = 0.0


class Meters:
    """The hops of one lane in the order of the stream; each is written by one thread and read when the lane is over.

    An error that a stage did not raise on purpose leaves its hop as StageError with the name of the stage and `lane`.
    """

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._hops: list[_Hop] = []

    def watch(self, name: str, items: Iterator[T], waits: WaitClock | None = None) -> Generator[T, None, None]:
        """Yield from a stage, counting its items and the time inside it (that of the hops before it included)."""
        hop = _Hop(name, waits=waits or WaitClock())
        self._hops.append(hop)
        return self._run(hop, items)

    def watch_channel(self, name: str, channel: Channel[T], items: Iterator[T]) -> Generator[T, None, None]:
        """Yield what comes out of a channel, counting its items and both of its waits."""
        hop = _Hop(name, channel=channel)  # type: ignore[arg-type]  # only its clocks are read
        self._hops.append(hop)
        return self._run(hop, items)

    def _run(self, hop: _Hop, items: Iterator[T]) -> Generator[T, None, None]:
        try:
            while True:
                began_s = time.perf_counter()
                try:
                    item = next(items)
                except StopIteration:
                    return
                except (VidemoError, ChannelClosed):
                    raise
                except Exception as error:
                    raise StageError(hop.name, self._lane, error) from error
                finally:
                    hop.inside_s += time.perf_counter() - began_s
                hop.items += 1
                yield item
        finally:
            if isinstance(items, Generator):
                items.close()

    def statistics(self) -> tuple[StageStatistics, ...]:
        """Return one record per hop with its own time only: what it spent inside the hops before it is taken off."""
        records = []
        before_s = 0.0
        for hop in self._hops:
            if hop.channel:
                room_s = hop.channel.waited_for_room_s
                records.append(StageStatistics(hop.name, hop.items, 0.0, hop.inside_s, room_s))
            else:
                busy_s = max(0.0, hop.inside_s - before_s - hop.waits.seconds)
                records.append(StageStatistics(hop.name, hop.items, busy_s, hop.waits.seconds, 0.0))
            before_s = hop.inside_s
        return tuple(records)


def add_up(lanes: list[tuple[StageStatistics, ...]]) -> tuple[StageStatistics, ...]:
    """Return the statistics of several lanes summed by hop name, in the order the names first appear."""
    sums: dict[str, StageStatistics] = {}
    for record in (record for lane in lanes for record in lane):
        old = sums.get(record.name, StageStatistics(record.name, 0, 0.0, 0.0, 0.0))
        sums[record.name] = StageStatistics(
            record.name,
            old.items + record.items,
            old.busy_s + record.busy_s,
            old.waiting_for_input_s + record.waiting_for_input_s,
            old.waiting_for_room_s + record.waiting_for_room_s,
        )
    return tuple(sums.values())


def bottleneck(stages: tuple[StageStatistics, ...]) -> str | None:
    """Return the name of the hop that worked longest, None when nothing ran."""
    return max(stages, key=lambda stage: stage.busy_s).name if stages else None

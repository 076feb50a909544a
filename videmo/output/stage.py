"""The last stage: every scored frame is handed to the sinks of its video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from videmo.datatypes import FrameFaces, ScoredFaces
from videmo.output.base import Sink


def write(items: Iterator[FrameFaces[ScoredFaces]], sinks: Sequence[Sink]) -> Iterator[FrameFaces[ScoredFaces]]:
    """Yield the items on after each sink has written them; closing or aborting the sinks is up to the lane."""
    for item in items:
        for sink in sinks:
            sink.write(item)
        yield item

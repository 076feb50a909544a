"""The contract of a reader: one open video or image sequence that yields frames once, in presentation order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from videmo.datatypes import Frame, VideoInfo


@dataclass(slots=True)
class ReadProblems:
    """What reading came to: frames that decoded and what went wrong; read by the lane at the end.

    The decode stage counts `decoded`, the reader all else.
    """

    decoded: int = 0
    undecodable: int = 0
    missing_pts: int = 0
    reordered_pts: int = 0
    implausible_pts: int = 0
    stray_pts: int = 0
    restarts: int = 0
    truncated: bool = False

    def warnings(self) -> tuple[str, ...]:
        """Return one sentence per kind of problem that occurred."""
        told = []
        if self.truncated:
            told.append("the file is truncated: what could be decoded was kept")
        if self.undecodable:
            told.append(f"{self.undecodable} undecodable frames were skipped")
        if self.missing_pts:
            told.append(f"{self.missing_pts} frames had no timestamp: estimated from the frame rate")
        if self.implausible_pts:
            told.append(f"{self.implausible_pts} timestamps lay over a month ahead: estimated from the frame rate")
        if self.stray_pts:
            told.append(f"{self.stray_pts} timestamps lay far off those around them: estimated from these")
        if self.restarts:
            told.append(f"the clock began anew {self.restarts} times: the time goes on from the frame before")
        if self.reordered_pts:
            told.append(f"{self.reordered_pts} timestamps did not increase: moved up by one tick")
        return tuple(told)


class Reader(Protocol):
    """One open input.

    A reader is open once it is made; making it raises VideoError when the input cannot be opened or holds no frame at
    all. `frames()` may be called once; it yields every decodable frame with strictly increasing `pts` and counts in
    `problems` what goes wrong. `close()` may be called at any time, twice too, from the thread that iterates.
    """

    info: VideoInfo
    problems: ReadProblems

    def frames(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...

"""What a run tells those who watch it; silent by default."""

from __future__ import annotations

from typing import Protocol

from videmo.datatypes import VideoInfo, VideoReport


class ProgressListener(Protocol):
    """Hears how a run goes: begun once with the number of inputs, the rest for each of them.

    Called from the lanes' threads, several at once; must be quick and must not raise. An input that fails may finish
    without having started.
    """

    def begun(self, videos: int) -> None: ...

    def started(self, video: VideoInfo) -> None: ...

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None: ...

    def finished(self, report: VideoReport) -> None: ...


class NoProgress:
    """Hears and says nothing."""

    def begun(self, videos: int) -> None:
        """Say nothing."""

    def started(self, video: VideoInfo) -> None:
        """Say nothing."""

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        """Say nothing."""

    def finished(self, report: VideoReport) -> None:
        """Say nothing."""

"""What a run tells those who watch it; silent by default."""

from __future__ import annotations

from typing import Protocol

from videmo.datatypes import VideoInfo, VideoReport


class ProgressListener(Protocol):
    """Hears how a run goes. Called from the lanes' threads, several at once; must be quick and must not raise."""

    def started(self, video: VideoInfo) -> None: ...

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None: ...

    def finished(self, report: VideoReport) -> None: ...


class NoProgress:
    """Hears and says nothing."""

    def started(self, video: VideoInfo) -> None:
        """Say nothing."""

    def advanced(self, video: VideoInfo, time_s: float, frames: int, faces: int) -> None:
        """Say nothing."""

    def finished(self, report: VideoReport) -> None:
        """Say nothing."""

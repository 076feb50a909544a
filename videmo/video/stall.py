"""How long a file may keep its reader waiting for the next frame."""

from __future__ import annotations

import time
from pathlib import Path

from videmo.errors import VideoError


class StallWatch:
    """Seconds since a reader gave its last frame, against a limit; what the frames' consumer takes does not count.

    It is asked between packets, and FFmpeg asks its own clock while it reads. What neither sees is a single call that
    never comes back: of a decoder, or of a disk that the system itself waits for.

    Args:
        path: the file, for the message.
        limit_s: seconds without a frame after which the file is given up.
    """

    def __init__(self, path: Path, limit_s: float) -> None:
        self.limit_s = limit_s
        self._path = path
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self._began_s = time.monotonic()

    def check(self) -> None:
        """Raise VideoError when the limit is passed."""
        if time.monotonic() - self._began_s > self.limit_s:
            raise self.error()

    def error(self) -> VideoError:
        """Return the error that names the file, the cause and the way out."""
        return VideoError(
            f"{self._path}: gave no frame for {self.limit_s:g} s: the file is damaged or its disk does not answer: "
            "copy it again, or allow more with the setting stall_limit_s"
        )

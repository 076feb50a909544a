"""The contract of a sink: the scored frames of one video in, finished files out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from videmo.datatypes import FrameFaces, ScoredFaces


class Sink(Protocol):
    """Writes the results of one video.

    Everything is written under a name ending in `.partial` and renamed by `close`: a file that exists under its final
    name is complete. `close` returns the files written; `abort` removes what was begun and may follow a failed `close`.
    `needs_images` says whether frames must still carry their pictures; frames with `analysed=False` reach only such
    sinks' drawing, never a table. Raises OutputError (disk full, no permission) that names the file and the way out.
    """

    needs_images: bool

    def write(self, item: FrameFaces[ScoredFaces]) -> None: ...

    def close(self) -> list[Path]: ...

    def abort(self) -> None: ...

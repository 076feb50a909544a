"""What a fuzz target is: one reader of videmo, fed with the bytes of one file."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from videmo.errors import VidemoError

MOST_LINES = 21
"""`refuse` lists twenty problems of a file and says how many there are beside."""
MOST_LETTERS = 2000


class UnclearError(Exception):
    """videmo refused a file, but in words that help nobody."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader that is given damaged files.

    Attributes:
        name: What it is called on the command line.
        file: The file that is damaged, below a folder of its own.
        read: Reads it, as a command would; gets its path.
        seeds: Gives the contents of good files.
        prepare: Puts into the folder what the reader needs beside the file.
        words: What the format is made of, for the fuzzer's dictionary.
        says: What an error may name instead of the folder, for readers that are given no path.
    """

    name: str
    file: str
    read: Callable[[Path], object]
    seeds: Callable[[], Sequence[bytes]]
    prepare: Callable[[Path], object] | None = None
    words: Sequence[str] = ()
    says: str | None = None

    def __call__(self, data: bytes) -> None:
        """Read the file with other bytes in it; lets through no exception but those that should never be."""
        try:
            self.feed(data)
        except VidemoError as error:
            self._check(str(error))

    def feed(self, data: bytes) -> None:
        """Read the file with other bytes in it."""
        path = _folder(self) / self.file
        path.write_bytes(data)
        self.read(path)

    def _check(self, message: str) -> None:
        """Raise UnclearError where an error does not say in a few lines what is affected."""
        if self.says is None and str(_folder(self)) not in message and not message.startswith("/"):
            raise UnclearError(f"names no file: {message}")  # labels may name a picture anywhere: it is named first
        if self.says is not None and self.says not in message:
            raise UnclearError(f"does not say {self.says!r}: {message}")
        lines = message.split("\n")
        if len(lines) > MOST_LINES or not all(map(str.strip, lines)):
            raise UnclearError(f"{len(lines)} lines, or empty ones: {message}")
        if max(map(len, lines)) > MOST_LETTERS:
            raise UnclearError(f"a line of {max(map(len, lines))} letters: {message[:MOST_LETTERS]}")


@cache
def _folder(target: Target) -> Path:
    """Return the folder of a target; it goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target.name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / target.file).parent.mkdir(parents=True, exist_ok=True)
    if target.prepare:
        target.prepare(folder)
    return folder

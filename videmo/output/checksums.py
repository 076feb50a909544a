"""What the files of a run are: the SHA-256 of each, in the format of `sha256sum`."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from videmo.errors import UsageError
from videmo.output.files import explained, replacing
from videmo.presets import hash_file

CHECKSUMS: Final = "checksums.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class Checksums:
    """OUT/checksums.sha256: one line for each file of a run; `sha256sum --check` reads it, too.

    A line is dropped before its file is written again and added after. So a crash leaves files without a line, never
    a line that is wrong by our own doing; and what was damaged between two runs keeps the line of what it was.

    Args:
        out: the folder of a run.

    Raises:
        UsageError: the file is there and damaged.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._known = read_checksums(out)

    def drop(self, paths: Iterable[Path]) -> None:
        """Forget files that are about to be written again or removed.

        Raises:
            OutputError: the disk is full or the folder does not allow it.
        """
        with self._lock:
            names = {self._name(path) for path in paths} & self._known.keys()
            for name in names:
                del self._known[name]
            if names:
                self._write()

    def add(self, paths: Iterable[Path]) -> None:
        """Hash the files that have no line yet; those that are not there are left out.

        Raises:
            OutputError: a file cannot be read.
        """
        for path in paths:
            if (name := self._name(path)) not in self._known and path.is_file():
                with explained(path):
                    sha256 = hash_file(path)
                with self._lock:
                    self._known[name] = sha256

    def write(self) -> None:
        """Write all lines.

        Raises:
            OutputError: the disk is full or the folder does not allow it.
        """
        with self._lock:
            self._write()

    def _write(self) -> None:
        lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(self._known.items())]
        with replacing(self._out / CHECKSUMS) as partial:
            partial.write_text("".join(lines), encoding="utf-8", newline="\n")

    def _name(self, path: Path) -> str:
        return path.relative_to(self._out).as_posix()


def read_checksums(out: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a run by its path below `out`; empty where none was ever written.

    Raises:
        UsageError: the file is damaged.
    """
    path = out / CHECKSUMS
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}): restore it, or analyse again with --overwrite") from error
    found = [_LINE.fullmatch(line) for line in lines if line]
    if wrong := next((number for number, line in enumerate(found, 1) if line is None), None):
        raise UsageError(f"{path}, line {wrong}: no checksum: restore the file, or analyse again with --overwrite")
    return {line[2]: line[1] for line in found if line is not None}

"""One writer at a time in the folder of a run; the system takes the lock back from a process that dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from videmo.errors import UsageError
from videmo.output.files import check_inside, explained

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK: Final = ".videmo.lock"


@contextmanager
def hold_folder(out: Path) -> Iterator[None]:
    """Keep every other writer out of a folder until the block ends; makes the folder.

    The open file `.videmo.lock` in it holds the lock, not its existence: after a kill or a power failure the file may
    still lie there, and the next writer just takes it.

    Raises:
        UsageError: somebody else writes to the folder now, or a link in it leads out of it; nothing was touched.
        OutputError: the folder cannot be written to.
    """
    path = out / LOCK
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
        for entry in out.iterdir():
            check_inside(entry, out)
        file = _open_locked(path)
    if file is None:
        raise UsageError(
            f"{out}: another videmo is writing to this folder: wait until it has ended, or choose another folder"
        )
    try:
        yield
    finally:
        _remove(path, file)


def _open_locked(path: Path) -> BinaryIO | None:
    """Return the lock's file, locked, or None where somebody else has it; `path` names this file and no other."""
    while True:
        file = path.open("ab")
        try:
            if not _lock(file):
                file.close()
                return None
            with suppress(FileNotFoundError):  # it was removed by its last holder after we had opened it: once more
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: BinaryIO) -> bool:
    """Lock a file without waiting; return whether it is ours."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the first where there is flock, the second on Windows
        return False
    return True


def _remove(path: Path, file: BinaryIO) -> None:
    """Remove the lock's file and let go of it."""
    with file, explained(path):
        if sys.platform != "win32":
            path.unlink(missing_ok=True)  # while it is still ours
    if sys.platform == "win32":
        with suppress(PermissionError):  # an open file cannot be removed there: the next holder has it already
            path.unlink(missing_ok=True)

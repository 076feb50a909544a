"""Files that exist only when they are complete: written under a name ending in `.partial`, then renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videmo.errors import OutputError

_NO_ROOM = "free some space or choose another folder with --out, then continue with --resume"
_NO_PERMISSION = "choose a folder you may write to with --out"
_WAYS_OUT = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EFBIG: "the file system does not take files this large: choose another folder with --out",
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: _NO_PERMISSION,
    errno.ENAMETOOLONG: "give the input a shorter name",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into an OutputError that names `path`, the cause and the way out."""
    try:
        yield
    except OSError as error:
        code = error.errno or errno.EIO
        way_out = _WAYS_OUT.get(code, "check the disk and the folder given with --out")
        raise OutputError(f"{path}: cannot be written: {os.strerror(code)}; {way_out}") from error


def partial_path(path: Path) -> Path:
    """Return the name under which `path` is written until it is complete; makes its folder.

    Raises:
        OutputError: the folder cannot be made.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.partial")


def publish(path: Path) -> None:
    """Give the finished `.partial` file its name `path`; its bytes are on the disk before the name is.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    partial = partial_path(path)
    with explained(path):
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the name to write `path` under; it becomes `path` when the block ends well and is removed when not.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    partial = partial_path(path)
    try:
        with explained(path):
            yield partial
        publish(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

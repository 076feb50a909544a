"""Files that exist only when they are complete: written under a name ending in `.partial`, then renamed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from videmo.errors import OutputError, UsageError

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

_PRIVATE: Final = 0o600
# There is no way to ask for it without setting it; a file that another thread makes meanwhile is private at worst.
_UMASK: Final = os.umask(0o077)
os.umask(_UMASK)
_BINARY: Final = getattr(os, "O_BINARY", 0)  # Windows writes line ends of its own otherwise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into an OutputError that names `path`, the cause and the way out."""
    try:
        yield
    except OSError as error:
        code = error.errno or errno.EIO
        way_out = _WAYS_OUT.get(code, "check the disk and the folder given with --out")
        raise OutputError(f"{path}: cannot be written: {os.strerror(code)}; {way_out}") from error


def check_inside(path: Path, out: Path) -> None:
    """Raise UsageError where a link, in a folder that others may have made, leads what lies at `path` out of `out`."""
    # Of a link that leads to itself, `Path.resolve` would raise.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out)):
        raise UsageError(f"{path}: a link out of {out}, where nothing is read or written: put its target in its place")


def partial_path(path: Path) -> Path:
    """Return the name under which `path` is written until it is complete; makes its folder.

    Raises:
        OutputError: the folder cannot be made.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{path.name}.partial")


def open_partial(path: Path) -> BinaryIO:
    """Return the `.partial` file of `path`, made anew and open for writing; only its owner may read it.

    What lies there is removed first: neither its permissions nor where a link leads are ours.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    partial = partial_path(path)
    with explained(path):
        partial.unlink(missing_ok=True)
        return os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, _PRIVATE), "wb")


def publish(path: Path) -> None:
    """Give the finished `.partial` file its name `path`; its bytes are on the disk before the name is.

    From then on it may be read by whom the user's umask lets read new files.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    partial = partial_path(path)
    with explained(path):
        with partial.open("r+b") as file:  # Windows syncs no file that is open for reading only
            os.fsync(file.fileno())
            mode = os.fstat(file.fileno()).st_mode
        # Disks without permissions (FAT) gave it others, and refuse any change.
        if stat.S_IMODE(mode) == _PRIVATE:
            partial.chmod(0o666 & ~_UMASK)
        partial.replace(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the name to write `path` under; it becomes `path` when the block ends well and is removed when not.

    The file is there already, empty and private (see `open_partial`): open it for writing, do not replace it.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    partial = partial_path(path)
    open_partial(path).close()
    try:
        with explained(path):
            yield partial
        publish(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

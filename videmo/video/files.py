"""Is this path a file one can read? Asked before any library opens it, so that a pipe never hangs a run. Its hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from videmo.errors import VideoError
from videmo.presets import hash_file


def check_readable(path: Path) -> None:
    """Raise VideoError, with cause and way out, unless `path` is a readable regular file with something in it."""
    try:
        size_bytes = path.stat().st_size
    except FileNotFoundError as error:
        if path.is_symlink():
            raise VideoError(f"{path}: a broken link to {path.readlink()}: restore the file it points to") from error
        raise VideoError(f"{path}: no such file or folder: check the name") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}): check its folder and permissions") from error
    if not os.access(path, os.R_OK):
        raise VideoError(f"{path}: no permission to read it: change its permissions or run as its owner")
    if path.is_dir():
        raise VideoError(f"{path}: the folder holds no video and no picture: check the name")
    if not path.is_file():
        raise VideoError(f"{path}: not a regular file but a pipe, socket or device: save the video to a file first")
    if size_bytes == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes): copy or record it again")


def hash_source(paths: Sequence[Path], check: Callable[[], object] = lambda: None) -> str:
    """Return the SHA-256 of a file; of a sequence that of the hashes of its readable pictures in their order.

    `check` is called once per MiB and may raise to stop. Raises VideoError when the file cannot be read.
    """
    if len(paths) == 1:
        return _hash_readable(paths[0], check)
    hashes = []
    for path in paths:
        with suppress(VideoError):  # the reader skips and counts it
            hashes.append(_hash_readable(path, check))
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _hash_readable(path: Path, check: Callable[[], object]) -> str:
    check_readable(path)
    try:
        return hash_file(path, check)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}): check the path and its rights") from error

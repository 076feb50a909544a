"""Is this path a file one can read? Asked before any library opens it, so that a pipe never hangs a run."""

from __future__ import annotations

import os
from pathlib import Path

from videmo.errors import VideoError


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

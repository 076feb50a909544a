"""Zip archives of presets, read into memory: exactly the members expected, of a size that can be."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from videmo.errors import PresetError

MOST_BYTES: Final = 2**30
"""The largest network has a hundredth of it; a few bytes may claim any size."""

DAMAGED: Final = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What the standard library raises where an archive is cut, changed, encrypted or of a kind it does not know."""


def read_members(path: Path, names: Sequence[str]) -> list[bytes]:
    """Return the members of an archive in the order of `names`; nothing is unpacked to the disk.

    Raises:
        PresetError: the archive is damaged, has other members, or one that claims more than `MOST_BYTES`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            if sorted(member.filename for member in found) != sorted(names):
                raise PresetError(f"{path}: expected {', '.join(names)} in it and nothing else: restore the file")
            if any(member.file_size > MOST_BYTES for member in found):
                raise PresetError(f"{path}: claims to hold more than {MOST_BYTES} bytes: restore the file")
            return [archive.read(name) for name in names]
    except DAMAGED as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> PresetError:
    """Return the error of a network that cannot be read, in one line."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return PresetError(f"{path}: the network cannot be read ({reason}): restore the preset's folder")

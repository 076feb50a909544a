"""Picture files in memory to arrays, through OpenCV."""

from __future__ import annotations

import struct
from typing import Final

import cv2
import numpy as np

from videmo.datatypes import UInt8Array

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BESIDE_THE_DATA: Final = 12  # bytes of a chunk: length, type, checksum


def decode_picture(data: bytes, flags: int) -> UInt8Array | None:
    """Return the pixels of a picture file (H, W) or (H, W, 3), or None where it cannot be read.

    Args:
        data: The file's bytes.
        flags: OpenCV's, such as `cv2.IMREAD_COLOR`.
    """
    if not data or _claims_too_much(data):
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def _claims_too_much(data: bytes) -> bool:
    """Return whether a chunk of a PNG (ISO/IEC 15948) is said to be longer than the file.

    OpenCV takes memory for it, up to 2 GiB, before it misses the bytes.
    """
    if not data.startswith(_PNG):
        return False
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        at += length + _BESIDE_THE_DATA
        if kind == b"IEND":
            return False
    return at > len(data)

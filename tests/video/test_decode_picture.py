from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from videmo.video.decode_picture import decode_picture

PICTURE = np.arange(48, dtype=np.uint8).reshape(6, 8)


def encode(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, PICTURE)[1])


def test_a_picture_comes_back() -> None:
    found = decode_picture(encode(".png"), cv2.IMREAD_GRAYSCALE)

    assert found is not None
    np.testing.assert_array_equal(found, PICTURE)


@pytest.mark.parametrize("more", [b"", b"and more"])
def test_what_follows_the_end_of_a_png_does_not_matter(more: bytes) -> None:
    assert decode_picture(encode(".png") + more, cv2.IMREAD_GRAYSCALE) is not None


@pytest.mark.parametrize("data", [b"", b"no picture", encode(".jpg")[:20], encode(".png")[:-30]])
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert decode_picture(data, cv2.IMREAD_GRAYSCALE) is None


def test_a_chunk_longer_than_the_file_is_never_given_to_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(encode(".png"))
    data[33:37] = struct.pack(">I", 2**31 - 1)  # the length of the chunk after the header
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("OpenCV would take 2 GiB for it"))

    assert decode_picture(bytes(data), cv2.IMREAD_GRAYSCALE) is None

"""Clips of known size with a known number of faces, for machines without recordings of their own."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from videmo.demo import encode_pictures, paste_portrait

SIZES_PX: Final = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
FACES: Final = (1, 2, 12)
_FPS: Final = 25


def make_clips(folder: Path, seconds: float) -> list[Path]:
    """Write a clip for each of `SIZES_PX` and `FACES` that is not there yet, and return all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, size_px in SIZES_PX.items():
        for faces in FACES:
            path = folder / f"{name}-{faces}-faces-{seconds:g}s.mp4"
            if not path.exists():
                write_faces(path, *size_px, faces, round(seconds * _FPS))
            made.append(path)
    return made


def write_faces(path: Path, width_px: int, height_px: int, faces: int, frames: int) -> None:
    """Write a clip of faces that sway in a grid, as large as it allows."""
    partial = path.with_suffix(".partial.mp4")
    with av.open(str(partial), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        pictures = _pictures(width_px, height_px, faces, frames)
        encode_pictures(container, stream, pictures, (frame / _FPS for frame in range(frames)))
    partial.rename(path)


def _pictures(width_px: int, height_px: int, faces: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    columns = int(np.ceil(np.sqrt(faces * width_px / height_px / 2)))
    rows = -(-faces // columns)
    side_px = int(0.9 * min(width_px / columns, height_px / rows))
    wall = np.linspace((24, 34, 58), (60, 84, 110), height_px)[:, None]
    for frame in range(frames):
        picture = np.broadcast_to(wall, (height_px, width_px, 3)).astype(np.uint8)
        for face in range(faces):
            row, column = divmod(face, columns)
            sway_px = round(0.05 * side_px * np.sin(frame / 8 + face))
            x_px, y_px = int((column + 0.5) * width_px / columns), int((row + 0.5) * height_px / rows)
            paste_portrait(picture, x_px - side_px // 2 + sway_px, y_px - side_px // 2, side_px)
        yield picture

"""Clips made on the spot, so that no test needs a file: exact timestamps, known faces, damage on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from videmo.demo import encode_pictures, encode_tone, paste_portrait

# Where the face lies in the portrait's square (x1, y1, x2, y2), 0..1, as YuNet and Haar agree.
FACE_IN_PORTRAIT = np.array([0.32, 0.25, 0.67, 0.69], np.float32)


def write_clip(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: Fraction | float = 25,
    times_s: Iterable[float] | None = None,
    start_offset_s: float = 0,
    time_base: Fraction = Fraction(1, 90_000),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    b_frames: int = 0,
    sample_aspect_ratio: Fraction | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    audio: bool = False,
) -> Path:
    """Write RGB `pictures` (H, W, 3) as a video file, its container chosen by the suffix; returns `path`.

    Pictures are shown at `times_s`, or at `fps`, plus `start_offset_s`. They are stored as given; `rotation` (0, 90,
    180, 270; mp4 only) is the clockwise turn a player applies before showing them, after it has changed left and right
    where `mirrored`; `sample_aspect_ratio` the width of a stored pixel over its height. `audio` adds a tone as long as
    the pictures. Pictures may be a generator: memory stays bounded.
    """
    pictures = iter(pictures)
    first = next(pictures)
    times = (start_offset_s + t for t in (times_s if times_s is not None else (i / Fraction(fps) for i in count())))
    with av.open(str(path), "w", container_options=container_options) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = time_base
        if codec in ("libx264", "libx265"):
            stream.options = {"preset": "veryfast", "bf": str(b_frames)}
        stream.options = {**stream.options, **(options or {})}
        if sample_aspect_ratio is not None:
            stream.codec_context.sample_aspect_ratio = sample_aspect_ratio
        tone = container.add_stream("aac", rate=44_100) if audio else None
        end_s = encode_pictures(container, stream, chain([first], pictures), times)
        if tone is not None:
            encode_tone(container, tone, end_s)
    if rotation or mirrored:
        _tag_turn(path, rotation, mirrored)
    return path


def _tag_turn(path: Path, clockwise: int, mirrored: bool) -> None:
    """Write the display matrix of ISO 14496-12 (8.3.2) into the first track header of an mp4 file."""
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    across = (-a, -b) if mirrored else (a, b)
    matrix = np.array([*across, 0, -b, a, 0, 0, 0, 1 << 14], ">i4") << 16
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    data[start : start + 36] = matrix.astype(">i4").tobytes()
    path.write_bytes(data)


def plain(width_px: int, height_px: int, rgb: Sequence[int] = (60, 84, 110)) -> NDArray[np.uint8]:
    """Return a picture (height_px, width_px, 3) of one colour."""
    return np.broadcast_to(np.array(rgb, np.uint8), (height_px, width_px, 3)).copy()


def face_at(canvas: NDArray[np.uint8], x_px: int, y_px: int, side_px: int) -> NDArray[np.float32]:
    """Draw the portrait with its square's top left corner at (x_px, y_px); returns the face's box (4,) xyxy px."""
    paste_portrait(canvas, x_px, y_px, side_px)
    return np.array([x_px, y_px, x_px, y_px], np.float32) + side_px * FACE_IN_PORTRAIT


def moving_face(
    frames: int, *, width_px: int = 320, height_px: int = 240, side_px: int = 160
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield pictures (height_px, width_px, 3) of one face crossing from left to right, each with its box (4,) px."""
    for x_px in np.linspace(0, width_px - side_px, frames).round().astype(int):
        canvas = plain(width_px, height_px)
        yield canvas, face_at(canvas, int(x_px), (height_px - side_px) // 2, side_px)


def moving_face_clip(path: Path, *, duration_s: float = 2, fps: float = 25, audio: bool = False, **size: int) -> Path:
    """Write a clip of `moving_face` (`size` = its keywords) at a constant rate; returns `path`."""
    pictures = (picture for picture, _ in moving_face(round(duration_s * fps), **size))
    return write_clip(path, pictures, fps=fps, audio=audio)


def counting_pictures(frames: int, *, width_px: int = 64, height_px: int = 48) -> Iterator[NDArray[np.uint8]]:
    """Yield plain pictures that get brighter, so that each frame can be told from the others by its mean."""
    for level in np.linspace(20, 235, frames).round().astype(int):
        yield plain(width_px, height_px, (level, level, level))


def truncate(path: Path, share: float) -> Path:
    """Cut the file down to its first `share` (0..1) of bytes; returns `path`."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path

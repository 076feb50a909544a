"""Pictures as a video: one picture, one frame, at a rate the user names."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2

from videmo.datatypes import Frame, UInt8Array, VideoInfo
from videmo.errors import VideoError
from videmo.filenames import show_name
from videmo.video.base import ReadProblems
from videmo.video.decode_picture import decode_picture
from videmo.video.files import check_readable
from videmo.video.picture import ArrayPicture


class ImageSequenceReader:
    """Pictures in the order given; implements `base.Reader`.

    The `pts` of a frame is the position of its picture, so an unreadable picture leaves a gap in time. Pictures may
    differ in size: `info` has the size of the first readable one, each frame's picture has its own, and boxes are in
    its px.

    Args:
        video_id: Name of the sequence in the tables.
        paths: The picture files, in order.
        image_fps: Pictures per second of media time.

    Raises:
        VideoError: when none of the pictures can be read; for a single picture it says why.
    """

    def __init__(self, video_id: str, paths: Sequence[Path], image_fps: float = 1.0) -> None:
        self.problems = ReadProblems()
        self._pictures = _read_all(paths, self.problems)
        self._first = next(self._pictures, None)
        if self._first is None:
            if len(paths) == 1:
                check_readable(paths[0])
            raise VideoError(f"{_shown(paths)}: not a picture that can be read: convert it to PNG or JPEG")
        rate = Fraction(image_fps).limit_denominator(1_000_000)
        picture = self._first[1]
        self.info = VideoInfo(
            id=video_id,
            path=paths[0] if len(paths) == 1 else paths[0].parent,
            width_px=picture.width_px,
            height_px=picture.height_px,
            frame_rate=rate,
            time_base=1 / rate,
            duration_s=float(len(paths) / rate),
            frame_count=len(paths),
        )
        self._names = [show_name(path.name) for path in paths]

    def frames(self) -> Iterator[Frame]:
        """Yield every readable picture once; see `base.Reader`."""
        index = 0
        item, self._first = self._first, None
        while item is not None:
            position, picture = item
            time_s = float(position * self.info.time_base)
            yield Frame(self.info, index, position, time_s, picture, file_name=self._names[position])
            item, index = next(self._pictures, None), index + 1

    def close(self) -> None:
        """Stop reading; no file is open between two pictures."""
        self._first = None
        self._pictures.close()


def _shown(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0].parent} ({len(paths)} pictures)"


def _read_all(paths: Sequence[Path], problems: ReadProblems) -> Generator[tuple[int, ArrayPicture], None, None]:
    for position, path in enumerate(paths):
        pixels = _read_rgb(path)
        if pixels is None:
            problems.undecodable += 1
        else:
            yield position, ArrayPicture(pixels)


def _read_rgb(path: Path) -> UInt8Array | None:
    """Return the picture (H, W, 3) RGB, upright by its EXIF orientation, or None where it cannot be read.

    Read through memory, because OpenCV opens no path beyond ASCII on Windows.
    """
    try:
        check_readable(path)
        return decode_picture(path.read_bytes(), cv2.IMREAD_COLOR_RGB)
    except (VideoError, OSError):
        return None

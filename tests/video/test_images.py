"""Picture files as frames: every format and size, upright, named, with gaps for those that cannot be read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from synthetic import plain

from videmo.errors import VideoError
from videmo.video.images import ImageSequenceReader

# EXIF with nothing but "orientation = 6": the camera was turned, show the picture turned by 90 degrees clockwise.
EXIF_TURNED = (
    b"\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06" + bytes(6)
)


def write(path: Path, width_px: int = 64, height_px: int = 48, rgb: tuple[int, int, int] = (200, 100, 50)) -> Path:
    _, data = cv2.imencode(path.suffix, plain(width_px, height_px, rgb)[..., ::-1])
    path.write_bytes(data.tobytes())
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif", "Größe 視頻.png"])
def test_pictures_are_read_in_their_colours(tmp_path: Path, name: str) -> None:
    reader = ImageSequenceReader("p", [write(tmp_path / name)])
    (frame,) = reader.frames()
    assert (frame.file_name, frame.time_s, reader.info.path) == (name, 0.0, tmp_path / name)
    assert frame.picture is not None
    assert np.abs(frame.picture.rgb().astype(int) - (200, 100, 50)).max() <= 5


def test_gray_and_transparent_pictures_are_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((8, 8), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((8, 8, 4), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "3.png"), np.full((8, 8), 90 * 257, np.uint16))
    reader = ImageSequenceReader("p", sorted(tmp_path.iterdir()))
    for frame in reader.frames():
        assert frame.picture is not None
        assert np.array_equal(frame.picture.rgb(), np.full((8, 8, 3), 90))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    path = write(tmp_path / "turned.jpg")
    data = path.read_bytes()
    path.write_bytes(data[:2] + EXIF_TURNED + data[2:])
    reader = ImageSequenceReader("p", [path])
    assert (reader.info.width_px, reader.info.height_px) == (48, 64)


@pytest.mark.parametrize(
    ("image_fps", "time_base"), [(1.0, Fraction(1)), (0.1, Fraction(10)), (29.97, Fraction(100, 2997))]
)
def test_time_is_the_position_over_the_rate(tmp_path: Path, image_fps: float, time_base: Fraction) -> None:
    paths = [write(tmp_path / f"{i}.png") for i in range(4)]
    reader = ImageSequenceReader("p", paths, image_fps)
    assert reader.info.time_base == time_base
    assert [frame.time_s for frame in reader.frames()] == pytest.approx([i / image_fps for i in range(4)])
    assert reader.info.duration_s == pytest.approx(4 / image_fps)
    assert reader.info.path == tmp_path


def test_unreadable_pictures_leave_a_gap_and_are_counted(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{i}.png") for i in range(5)]
    paths[0].write_bytes(b"")
    paths[2].write_bytes(b"not a picture")
    paths[3].unlink()
    reader = ImageSequenceReader("p", paths)
    frames = list(reader.frames())
    assert [(frame.index, frame.pts, frame.file_name) for frame in frames] == [(0, 1, "1.png"), (1, 4, "4.png")]
    assert reader.problems.undecodable == 3


def test_pictures_may_differ_in_size(tmp_path: Path) -> None:
    paths = [write(tmp_path / "1.png", 64, 48), write(tmp_path / "2.png", 20, 30)]
    reader = ImageSequenceReader("p", paths)
    sizes = [(frame.picture.width_px, frame.picture.height_px) for frame in reader.frames() if frame.picture]
    assert sizes == [(64, 48), (20, 30)]
    assert (reader.info.width_px, reader.info.height_px) == (64, 48)


@pytest.mark.parametrize(
    ("data", "told"), [(None, "no such file"), (b"", "empty"), (b"GIF but not really", "not a picture")]
)
def test_a_single_bad_picture_says_why(tmp_path: Path, data: bytes | None, told: str) -> None:
    path = tmp_path / "bad.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(VideoError, match=rf"bad\.png: .*{told}"):
        ImageSequenceReader("p", [path])


def test_a_sequence_of_bad_pictures_names_its_folder(tmp_path: Path) -> None:
    paths = [tmp_path / "1.png", tmp_path / "2.png"]
    for path in paths:
        path.write_bytes(b"not a picture")
    with pytest.raises(VideoError, match=r"2 pictures\): not a picture"):
        ImageSequenceReader("p", paths)

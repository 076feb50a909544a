"""What every reader promises, asked of each implementation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from synthetic import counting_pictures, write_clip

from videmo.errors import VideoError
from videmo.video.base import Reader
from videmo.video.images import ImageSequenceReader
from videmo.video.pyav import PyAvReader

FRAMES = 12
OpenReader = Callable[[Path], Reader]


def open_clip(folder: Path) -> Reader:
    return PyAvReader("clip", write_clip(folder / "clip.mp4", counting_pictures(FRAMES), b_frames=2))


def open_pictures(folder: Path) -> Reader:
    paths = [folder / f"{position}.png" for position in range(FRAMES)]
    for path, picture in zip(paths, counting_pictures(FRAMES), strict=True):
        cv2.imwrite(str(path), picture)
    return ImageSequenceReader("clip", paths, image_fps=5)


def open_damaged_clip(folder: Path) -> Reader:
    path = folder / "clip.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(500))
    return PyAvReader("clip", path)


def open_damaged_pictures(folder: Path) -> Reader:
    path = folder / "clip.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    return ImageSequenceReader("clip", [path])


readers = pytest.mark.parametrize("open_reader", [open_clip, open_pictures])


@readers
def test_describes_the_video_before_the_first_frame(open_reader: OpenReader, tmp_path: Path) -> None:
    reader = open_reader(tmp_path)
    info = reader.info
    reader.close()
    assert (info.id, info.width_px, info.height_px, info.frame_count) == ("clip", 64, 48, FRAMES)
    assert info.duration_s == pytest.approx(FRAMES / info.frame_rate)


@readers
def test_yields_every_frame_once_in_order_of_time(open_reader: OpenReader, tmp_path: Path) -> None:
    reader = open_reader(tmp_path)
    frames = list(reader.frames())
    reader.close()
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert [frame.time_s for frame in frames] == pytest.approx([i / reader.info.frame_rate for i in range(FRAMES)])
    for frame in frames:
        assert frame.video is reader.info
        assert frame.time_s == float(frame.pts * reader.info.time_base)
        assert frame.analysed
    brightness = [frame.picture.gray().mean() for frame in frames if frame.picture is not None]
    assert brightness == sorted(brightness)
    assert len(brightness) == FRAMES


@readers
def test_pictures_have_the_promised_shapes(open_reader: OpenReader, tmp_path: Path) -> None:
    reader = open_reader(tmp_path)
    picture = next(reader.frames()).picture
    reader.close()
    assert picture is not None
    assert (picture.width_px, picture.height_px) == (64, 48)
    assert picture.rgb().shape == (48, 64, 3)
    assert picture.rgb(32, 24).shape == (24, 32, 3)
    assert picture.gray().shape == (48, 64)
    assert picture.i420().shape == (72, 64)
    assert picture.i420().flags.writeable


@readers
def test_a_good_input_has_no_problems(open_reader: OpenReader, tmp_path: Path) -> None:
    reader = open_reader(tmp_path)
    assert len(list(reader.frames())) == FRAMES
    reader.close()
    assert reader.problems.warnings() == ()


@readers
def test_can_be_closed_in_the_middle_and_twice(open_reader: OpenReader, tmp_path: Path) -> None:
    reader = open_reader(tmp_path)
    frames = reader.frames()
    first = next(frames)
    reader.close()
    reader.close()
    assert first.picture is not None
    assert first.picture.gray().shape == (48, 64)  # a frame outlives its reader


@pytest.mark.parametrize("open_reader", [open_damaged_clip, open_damaged_pictures])
def test_an_input_without_a_frame_fails_when_it_is_opened(open_reader: OpenReader, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"clip\.\w+: .+: "):
        open_reader(tmp_path)

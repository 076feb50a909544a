"""What is no video is refused in one line that names the file, the cause and the way out."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from synthetic import counting_pictures, plain, truncate, write_clip

from videmo.errors import VideoError
from videmo.video import container
from videmo.video.pyav import PyAvReader


def write_sound(path: Path, *, cover: bool) -> None:
    """Write a second of silence, with a cover picture when asked."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=44_100)
        if cover:
            picture = container.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
            picture.disposition = Disposition.attached_pic.value
            container.mux(picture.encode(av.VideoFrame.from_ndarray(plain(64, 48), format="rgb24")))
            container.mux(picture.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44_100
        container.mux(sound.encode(silence))
        container.mux(sound.encode())


def make_text(path: Path) -> None:
    path.write_text("These are notes, not a video.\n" * 50, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "make", "told"),
    [
        ("gone.mp4", Path.absolute, "no such file"),
        ("empty.mp4", Path.touch, "the file is empty"),
        ("text.mp4", make_text, "not a video"),
        ("notes.txt", make_text, "not a video"),
        ("noise.mp4", lambda path: path.write_bytes(bytes(range(256)) * 20), "not a video"),
        ("folder.mp4", Path.mkdir, "folder"),
        ("pipe.mp4", lambda path: os.mkfifo(path), "not a regular file"),
        ("link.mp4", lambda path: path.symlink_to("nowhere.mp4"), "broken link to nowhere.mp4"),
        ("loop.mp4", lambda path: path.symlink_to(path), "cannot be read"),
        ("sound.m4a", lambda path: write_sound(path, cover=False), "no video stream, it holds only sound: "),
        ("cover.mp4", lambda path: write_sound(path, cover=True), "holds only sound and a cover picture: "),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links need POSIX")
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, name: str, make: Any, told: str) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(VideoError) as caught:
        PyAvReader("clip", path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert told in message
    assert message.count(": ") >= 2  # file: cause: way out
    assert "\n" not in message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "secret.mp4", counting_pictures(2))
    path.chmod(0)
    with pytest.raises(VideoError, match=r"secret\.mp4: no permission"):
        PyAvReader("clip", path)


@pytest.mark.parametrize("name", ["a:b.mp4", "-dash-.mp4", "a b%03d.mp4", "видео 视频 é.mp4", "x'y\"z.mp4"])
def test_names_are_taken_as_they_are(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = write_clip(tmp_path / "made.mp4", counting_pictures(2))
    made.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    reader = PyAvReader("clip", Path(name))
    assert len(list(reader.frames())) == 2
    reader.close()


def test_an_unfinished_mp4_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (10, 48, 64, 3), np.uint8)
    path = truncate(write_clip(tmp_path / "unfinished.mp4", noise), 0.6)
    with pytest.raises(VideoError, match=r"unfinished\.mp4: its index \(moov\) is missing"):
        PyAvReader("clip", path)


def test_frames_that_would_fill_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "bomb.mp4", counting_pictures(2, width_px=64, height_px=48))
    monkeypatch.setattr(container, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(VideoError, match=r"bomb\.mp4: frames of 64 x 48 px, more than 3071 pixels: scale it down"):
        PyAvReader("clip", path)
    monkeypatch.setattr(container, "MOST_PIXELS", 64 * 48)
    reader = PyAvReader("clip", path)
    assert len(list(reader.frames())) == 2
    reader.close()


def test_a_pixel_aspect_that_would_fill_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = counting_pictures(2, width_px=64, height_px=48)
    path = write_clip(tmp_path / "bomb.mkv", pictures, sample_aspect_ratio=Fraction(2))
    monkeypatch.setattr(container, "MOST_PIXELS", 64 * 48)
    with pytest.raises(VideoError, match=r"bomb\.mkv: frames of 128 x 48 px, more than 3072 pixels"):
        PyAvReader("clip", path)

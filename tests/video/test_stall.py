"""A file that keeps its reader waiting fails by name; what the consumer takes its time for does not count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from synthetic import counting_pictures, write_clip

import videmo.video.pyav as pyav
from videmo.errors import VideoError
from videmo.video.pyav import PyAvReader


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", counting_pictures(12))


def read_all(reader: PyAvReader) -> int:
    try:
        return sum(1 for _ in reader.frames())
    finally:
        reader.close()


def test_a_file_that_does_not_open_in_time_fails(clip: Path) -> None:
    with pytest.raises(VideoError, match=r"clip\.mp4: gave no frame for 1e-09 s: .+: .*stall_limit_s"):
        PyAvReader("clip", clip, stall_limit_s=1e-9)


def test_packets_that_never_give_a_frame_end_by_the_limit(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = PyAvReader("clip", clip, stall_limit_s=0.1)

    def give_nothing(*_: object) -> list[av.VideoFrame]:
        time.sleep(0.04)
        return []

    monkeypatch.setattr(pyav, "_decode_packet", give_nothing)
    began_s = time.monotonic()
    with pytest.raises(VideoError, match=r"gave no frame for 0\.1 s"):
        read_all(reader)
    assert time.monotonic() - began_s < 0.4


def test_a_read_that_ffmpeg_gives_up_is_a_stall_and_no_end_of_the_file(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg's own clock ends a read by ExitError, which must not pass for a truncated file."""
    open_video = pyav.open_video

    class Stalling:
        def __init__(self, container: Any) -> None:
            self._container = container

        def __getattr__(self, name: str) -> Any:
            return getattr(self._container, name)

        def demux(self, stream: object) -> Iterator[Any]:
            for number, packet in enumerate(self._container.demux(stream)):
                if number == 5:
                    raise av.error.ExitError(1, "Immediate exit requested")
                yield packet

    def open_stalling(*args: Any, **options: Any) -> tuple[Any, Any]:
        container, stream = open_video(*args, **options)
        return Stalling(container), stream

    monkeypatch.setattr(pyav, "open_video", open_stalling)
    with pytest.raises(VideoError, match="gave no frame for 60 s"):
        read_all(PyAvReader("clip", clip))


def test_a_slow_consumer_is_no_stall(clip: Path) -> None:
    reader = PyAvReader("clip", clip, stall_limit_s=0.2)
    frames = 0
    for _ in reader.frames():
        time.sleep(0.25 if frames < 3 else 0)
        frames += 1
    reader.close()
    assert frames == 12

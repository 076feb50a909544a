"""Transport streams joined by bytes, as recorders and `cat` leave them: each frame once, damaged ones left out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import write_clip

from videmo.video.pyav import PyAvReader

MPEG2 = {"codec": "mpeg2video", "options": {"g": "25", "bf": "2"}, "time_base": Fraction(1, 25)}


def pictures(frames: int, low: int, high: int) -> list[NDArray[np.uint8]]:
    """Noise that gets brighter: each packet carries data, and each frame can be told from the others."""
    rng = np.random.default_rng(1)
    noise = rng.integers(-15, 15, (frames, 48, 64, 3))
    return list(np.clip(noise + np.linspace(low, high, frames)[:, None, None, None], 0, 255).astype(np.uint8))


def begun_in_the_middle(source: Path, path: Path, skipped: int) -> Path:
    """Copy the packets but the first `skipped`, as of a recording that begins within a group of pictures."""
    with av.open(str(source)) as container, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(container.streams.video[0])
        for packet in [packet for packet in container.demux(video=0) if packet.size][skipped:]:
            packet.stream = stream
            target.mux(packet)
    return path


def damage_payload(data: bytes, position: int) -> bytes:
    """Overwrite what one transport packet carries, counted from the end, not its header."""
    start = len(data) - 188 * position
    return data[: start + 40] + b"\x55" * 148 + data[start + 188 :]


def single_threaded(path: Path) -> int:
    """Count what one thread decodes, packet by packet."""
    found = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for packet in container.demux(stream):
            try:
                found += len(stream.decode(packet))
            except av.error.InvalidDataError:
                continue
    return found


@pytest.mark.parametrize("second", [10, 95])
def test_no_frame_comes_twice_where_the_first_part_begins_in_the_middle(tmp_path: Path, second: int) -> None:
    whole = write_clip(tmp_path / "whole.ts", pictures(100, 20, 110), **MPEG2)
    first = begun_in_the_middle(whole, tmp_path / "first.ts", 10)
    last = write_clip(tmp_path / "last.ts", pictures(second, 130, 235), **MPEG2)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + last.read_bytes())
    reader = PyAvReader("clip", path)
    brightness = [frame.picture.gray().mean() for frame in reader.frames() if frame.picture]
    reader.close()
    assert len(brightness) == single_threaded(path) < 90 + second
    assert brightness == pytest.approx(sorted(brightness), abs=1)
    assert reader.problems.restarts == 1


@pytest.mark.parametrize("second", [60, 400])
@pytest.mark.parametrize("position", [3, 12])
def test_damage_near_the_end_costs_no_other_frame(tmp_path: Path, second: int, position: int) -> None:
    options = {"options": {"g": "25"}, "b_frames": 2}
    first = write_clip(tmp_path / "first.ts", pictures(100, 20, 110), **options)
    last = write_clip(tmp_path / "last.ts", pictures(second, 130, 235), **options)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + damage_payload(last.read_bytes(), position))
    reader = PyAvReader("clip", path)
    frames = sum(1 for _ in reader.frames())
    reader.close()
    assert frames == single_threaded(path)

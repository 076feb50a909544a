"""Sound whose clock begins anew, as in recordings joined by bytes, or is wrong for a moment."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from annotated_clips import NOBODY, annotate
from sound_clips import FPS, flashes_s, write_flash
from stamps import shift_stamp

from videmo.datatypes import FrameFaces
from videmo.emotion.labels import EMOTIONS
from videmo.output.annotated import AnnotatedVideoSink
from videmo.video.pyav import PyAvReader

ONE_FRAME_S = 1 / FPS


def joined(folder: Path, codec: str) -> Path:
    """Three recordings joined by bytes, each with a clock of its own; white after 1 s of 2, 4 of 6 and 2 of 3."""
    parts = [
        write_flash(folder / "a.ts", audio_codec=codec),
        write_flash(folder / "b.ts", audio_codec=codec, flash_s=4, duration_s=6, sound_start_s=0.4),
        write_flash(folder / "c.ts", audio_codec=codec, flash_s=2, duration_s=3),
    ]
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("codec", ["aac", "mp2"])
@pytest.mark.parametrize(("first", "flashes"), [(0, [1.0, 6.0, 10.0]), (100, [2.0, 6.0]), (210, [1.6])])
def test_sound_goes_on_in_step_where_the_clock_begins_anew(
    codec: str, first: int, flashes: list[float], tmp_path: Path
) -> None:
    source = joined(tmp_path, codec)
    _, warnings = annotate(source, tmp_path / "out.mp4", slice(first, None))
    assert warnings == []
    white_s, tone_s = flashes_s(tmp_path / "out.mp4")
    assert white_s == pytest.approx(flashes, abs=1e-3)
    assert tone_s == pytest.approx(flashes, abs=ONE_FRAME_S)


@pytest.mark.parametrize("codec", ["aac", "mp2"])
def test_sound_ends_and_says_so_where_its_clock_alone_begins_anew(codec: str, tmp_path: Path) -> None:
    reader = PyAvReader("clip", joined(tmp_path, codec))
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", reader.info, EMOTIONS)
    for frame in reader.frames():
        sink.write(FrameFaces(replace(frame, clock_shifts=()), NOBODY))
    sink.close()
    reader.close()
    (warning,) = sink.warnings
    assert re.match(r"the annotated video has no sound from (1\.9|2\.0) s on: there the clock of the sound", warning)
    assert flashes_s(tmp_path / "out.mp4")[1] == pytest.approx([1.0], abs=ONE_FRAME_S)


@pytest.mark.parametrize("codec", ["aac", "mp2"])
@pytest.mark.parametrize("error_s", [-1.3, 50.0])
def test_one_wrong_time_of_the_sound_costs_that_packet_alone(codec: str, error_s: float, tmp_path: Path) -> None:
    source = write_flash(tmp_path / "clip.ts", audio_codec=codec, flash_s=3, duration_s=4)
    shift_stamp(source, 5, error_s, pid=0x101)
    _, warnings = annotate(source, tmp_path / "out.mp4")
    assert warnings == []
    assert flashes_s(tmp_path / "out.mp4") == (pytest.approx([3.0]), pytest.approx([3.0], abs=ONE_FRAME_S))

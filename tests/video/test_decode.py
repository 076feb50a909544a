"""Sampling by time and by index, bounds, and the reader closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from synthetic import counting_pictures, write_clip

from videmo.datatypes import Frame, VideoInfo
from videmo.video.base import ReadProblems
from videmo.video.discover import Input
from videmo.video.images import ImageSequenceReader
from videmo.video.pyav import PyAvReader
from videmo.video.stage import decode, open_reader

MS = Fraction(1, 1000)


class FakeReader:
    """Frames at given times without pictures."""

    def __init__(self, times_ms: Sequence[int]) -> None:
        self.info = VideoInfo("fake", Path("fake.mp4"), 64, 48, Fraction(25), MS)
        self.problems = ReadProblems()
        self.closed = 0
        self._times_ms = times_ms

    def frames(self) -> Iterator[Frame]:
        for index, pts in enumerate(self._times_ms):
            yield Frame(self.info, index, pts, float(pts * MS), None)

    def close(self) -> None:
        self.closed += 1


def times(reader: FakeReader, **options: Any) -> list[float]:
    return [frame.time_s for frame in decode(reader, **options) if frame.analysed]


CFR_25 = range(0, 2000, 40)


@pytest.mark.parametrize(
    ("times_ms", "options", "expected"),
    [
        (CFR_25, {"fps": 1}, [0, 1]),
        (CFR_25, {"fps": 5}, np.arange(0, 2, 0.2)),
        (CFR_25, {"fps": 25}, np.arange(0, 2, 0.04)),
        (CFR_25, {"fps": 60}, np.arange(0, 2, 0.04)),  # never more than there is
        (CFR_25, {"fps": 0.5}, [0]),
        (CFR_25, {"fps": 2, "start_s": 0.3}, [0.32, 0.8, 1.32, 1.8]),  # the grid starts at start_s
        (CFR_25, {"stride": 10}, [0, 0.4, 0.8, 1.2, 1.6]),
        (CFR_25, {"start_s": 0.08, "end_s": 0.2}, [0.08, 0.12, 0.16]),  # the end is not included
        (CFR_25, {"start_s": 5}, []),
        ([0, 33, 67, 100, 133, 167, 200], {"fps": 10}, [0, 0.1, 0.2]),  # times rounded to the tick
        ([0, 33, 66, 99, 133, 166, 199], {"fps": 10.01}, [0, 0.099, 0.199]),  # or cut down to it
        ([0, 1000, 5000, 5010, 5020, 6000], {"fps": 1}, [0, 1, 5, 6]),  # a gap is not made up for
        ([700, 1400, 2100], {"fps": 1}, [0.7, 1.4, 2.1]),  # first frame at or after each point
    ],
)
def test_sampling(times_ms: Sequence[int], options: dict[str, Any], expected: Sequence[float]) -> None:
    assert times(FakeReader(times_ms), **options) == pytest.approx(list(expected))


@given(
    steps_ms=st.lists(st.integers(1, 3000), max_size=60),
    fps=st.fractions(Fraction(1, 10), 60, max_denominator=20),
    start_ms=st.integers(0, 5000),
)
@example(steps_ms=[2544, 6066], fps=Fraction(15), start_ms=211)  # 8.610 + 0.001 - 0.211 s, just 126 steps
def test_each_grid_point_is_given_the_first_frame_that_reaches_it(
    steps_ms: list[int], fps: Fraction, start_ms: int
) -> None:
    times_ms = np.cumsum([0, *steps_ms]).tolist()
    frames = decode(FakeReader(times_ms), fps=float(fps), start_s=start_ms / 1000)
    sampled = [frame.pts for frame in frames if frame.analysed]
    tolerance = 1  # tick
    in_range = [t for t in times_ms if t >= start_ms]
    last_point = int((times_ms[-1] - start_ms) * fps / 1000) + 1
    points_ms = [start_ms + 1000 * k / fps for k in range(max(0, last_point) + 1)]
    firsts = [next((t for t in in_range if t + tolerance >= point), None) for point in points_ms]
    assert sampled == sorted({t for t in firsts if t is not None})


@given(steps_ms=st.lists(st.integers(1, 500), max_size=60), fps=st.floats(0.1, 60), start_ms=st.integers(0, 900))
def test_frames_between_pass_as_well(steps_ms: list[int], fps: float, start_ms: int) -> None:
    times_ms = np.cumsum([0, *steps_ms]).tolist()
    frames = list(decode(FakeReader(times_ms), fps=fps, start_s=start_ms / 1000))
    assert [frame.pts for frame in frames] == [time_ms for time_ms in times_ms if time_ms >= start_ms]
    assert [frame.index for frame in frames] == list(range(len(times_ms)))[len(times_ms) - len(frames) :]


def test_the_reader_is_closed_at_the_end_at_an_early_stop_and_on_an_error() -> None:
    whole, stopped, failing = FakeReader(CFR_25), FakeReader(CFR_25), FakeReader([])
    assert len(times(whole)) == 50
    frames = decode(stopped)
    next(frames)
    frames.close()
    failing.frames = lambda: (1 / 0 for _ in "x")  # type: ignore[assignment, misc]
    with pytest.raises(ZeroDivisionError):
        times(failing)
    assert [reader.closed for reader in (whole, stopped, failing)] == [1, 1, 1]


def test_decoding_stops_at_the_end() -> None:
    reader = FakeReader(CFR_25)
    times(reader, end_s=0.4)
    assert reader.problems.decoded == 10


def test_the_reader_fits_the_input(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", counting_pictures(3))
    video = open_reader(Input("a", (path,), "video"))
    assert isinstance(video, PyAvReader)
    assert [frame.index for frame in decode(video, stride=2) if frame.analysed] == [0, 2]
    picture = tmp_path / "a.ppm"
    picture.write_bytes(b"P6 2 1 255 " + bytes(6))
    images = open_reader(Input("b", (picture,), "images"), image_fps=2)
    assert isinstance(images, ImageSequenceReader)
    assert images.info.frame_rate == 2
    images.close()

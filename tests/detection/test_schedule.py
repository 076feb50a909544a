"""When the detector looks: by media time, by analysed frames, and after every cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.datatypes import Detections, Frame, UInt8Array, VideoInfo
from videmo.detection.base import PictureFormat
from videmo.detection.schedule import DetectionSchedule
from videmo.detection.stage import detect
from videmo.pipeline.batching import InlineWorker
from videmo.video.picture import ArrayPicture

CLIP = VideoInfo("clip", Path("clip"), 64, 48, Fraction(25), Fraction(1, 1000))


def frames_at(
    times_s: Sequence[float], *, analysed_every: int = 1, cuts: Sequence[int] = (), picture: ArrayPicture | None = None
) -> list[Frame]:
    """Frames at `times_s`; new shots begin at the indices `cuts`."""
    shots = np.searchsorted(cuts, np.arange(len(times_s)), side="right")
    return [
        Frame(CLIP, i, round(1000 * t), t, picture, analysed=i % analysed_every == 0, shot=int(shots[i]))
        for i, t in enumerate(times_s)
    ]


def due(schedule: DetectionSchedule, frames: Sequence[Frame]) -> list[int]:
    return [frame.index for frame in frames if schedule.is_due(frame)]


def test_by_default_every_analysed_frame_is_due() -> None:
    frames = frames_at([0.04 * i for i in range(6)], analysed_every=2)
    assert due(DetectionSchedule(), frames) == [0, 2, 4]


def test_by_time_the_first_frame_that_is_late_enough_is_due_however_irregular_the_frames() -> None:
    times_s = [0, 0.1, 0.49, 0.5, 0.52, 0.98, 1.0, 3.0, 3.2, 3.49, 3.6]
    assert due(DetectionSchedule(every_s=0.5), frames_at(times_s)) == [0, 3, 6, 7, 10]


def test_a_timestamp_cut_down_to_its_tick_is_late_enough() -> None:
    times_s = [int(1000 * i / 30) / 1000 for i in range(91)]
    assert due(DetectionSchedule(every_s=0.5), frames_at(times_s)) == [0, 15, 30, 45, 60, 75, 90]


def test_by_frames_only_analysed_ones_count() -> None:
    times_s = [0.04 * i for i in range(14)]
    assert due(DetectionSchedule(every_frames=3), frames_at(times_s)) == [0, 3, 6, 9, 12]
    assert due(DetectionSchedule(every_frames=3), frames_at(times_s, analysed_every=2)) == [0, 6, 12]


def test_sparse_sampling_never_waits_longer_than_it_must() -> None:
    assert due(DetectionSchedule(every_s=0.5), frames_at([0, 1, 2, 3])) == [0, 1, 2, 3]


@pytest.mark.parametrize("schedule", [DetectionSchedule(every_frames=4), DetectionSchedule(every_s=0.4)])
def test_the_first_analysed_frame_of_a_shot_is_due_and_the_count_starts_anew(schedule: DetectionSchedule) -> None:
    frames = frames_at([0.1 * i for i in range(12)], cuts=[2, 3])
    assert due(schedule, frames) == [0, 2, 3, 7, 11]


@given(
    steps=st.lists(st.floats(0.001, 2), min_size=1, max_size=40),
    every_s=st.floats(0.01, 3),
    cuts=st.lists(st.integers(1, 39), max_size=3),
    analysed_every=st.integers(1, 3),
)
def test_no_analysed_frame_lies_further_from_the_last_look_than_asked(
    steps: list[float], every_s: float, cuts: list[int], analysed_every: int
) -> None:
    frames = frames_at(np.cumsum(steps).tolist(), cuts=sorted(cuts), analysed_every=analysed_every)
    schedule, last = DetectionSchedule(every_s=every_s), frames[0]
    for frame in frames:
        if schedule.is_due(frame):
            assert frame.analysed
            last = frame
        elif frame.analysed:
            assert frame.time_s - last.time_s < every_s
            assert frame.shot == last.shot


def test_a_frame_that_is_not_due_is_neither_converted_nor_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    converted, seen = [], []
    convert = ArrayPicture.rgb

    def spy(self: ArrayPicture, width_px: int | None = None, height_px: int | None = None) -> UInt8Array:
        converted.append(self)
        return convert(self, width_px, height_px)

    def look(images: Sequence[UInt8Array]) -> list[Detections]:
        seen.extend(images)
        box = np.array([[8, 8, 40, 40]], np.float32)
        return [Detections(box, np.ones(1, np.float32))] * len(images)

    monkeypatch.setattr(ArrayPicture, "rgb", spy)
    frames = frames_at([0.04 * i for i in range(10)], picture=ArrayPicture(np.zeros((48, 64, 3), np.uint8)))
    schedule = DetectionSchedule(every_frames=4)
    items = list(detect(iter(frames), InlineWorker(look), PictureFormat("rgb", 32), min_face_px=4, schedule=schedule))
    assert [item.frame.index for item in items] == list(range(10))
    assert [item.frame.index for item in items if item.frame.detected] == [0, 4, 8]
    assert [len(item.faces) for item in items] == [int(item.frame.detected) for item in items]
    assert len(converted) == len(seen) == 3

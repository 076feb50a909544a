from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from known_clips import CUTS, ONE_FACE
from synthetic import face_at, moving_face, plain
from trajectories import Moment, idf1

from videmo.datatypes import Detections, Frame, FrameFaces, TrackedFaces, UInt8Array, VideoInfo
from videmo.detection.base import Detector, PictureFormat
from videmo.detection.haar import HaarDetector
from videmo.detection.schedule import DetectionSchedule
from videmo.detection.stage import detect
from videmo.detection.yunet import YuNetDetector
from videmo.pipeline.batching import InlineWorker
from videmo.tracking.bytetrack import ByteTracker
from videmo.tracking.shots import ShotDetector, mark_shots
from videmo.tracking.stage import track
from videmo.video.picture import ArrayPicture
from videmo.video.pyav import PyAvReader

ROOMS = np.random.default_rng(0).integers(0, 256, (3, 9, 16, 3), np.uint8).repeat(10, axis=1).repeat(10, axis=2)
FACE = Detections(np.array([[40, 20, 80, 60]], np.float32), np.array([0.9], np.float32))


def frames_of(pictures: Sequence[UInt8Array], *, fps: float = 25, analysed_every: int = 1) -> Iterator[Frame]:
    height_px, width_px = pictures[0].shape[:2]
    info = VideoInfo("clip", Path("clip"), width_px, height_px, Fraction(fps), Fraction(1, 1000))
    for index, picture in enumerate(pictures):
        pts = round(1000 * index / fps)
        yield Frame(info, index, pts, pts / 1000, ArrayPicture(picture), index % analysed_every == 0)


class StillFace:
    """Sees the same face in every picture, and counts how often it looked."""

    picture_format = PictureFormat("rgb", None)
    batch_size = 1
    birth_score = 0.7

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        self.looks += len(images)
        return [FACE] * len(images)


def find_and_track(frames: Iterator[Frame], detector: Detector, *, every: int = 1) -> list[FrameFaces[TrackedFaces]]:
    items = detect(
        mark_shots(frames, ShotDetector()),
        InlineWorker(detector.detect),
        detector.picture_format,
        min_face_px=24,
        schedule=DetectionSchedule(every_frames=every),
    )
    return list(track(items, ByteTracker()))


def test_every_frame_comes_out_in_order_and_no_identity_crosses_a_cut() -> None:
    pictures = [ROOMS[0], ROOMS[0], ROOMS[1], ROOMS[1], ROOMS[0]]
    tracked = find_and_track(frames_of(pictures), StillFace())
    assert [item.frame.index for item in tracked] == [0, 1, 2, 3, 4]
    assert [item.frame.shot for item in tracked] == [0, 0, 1, 1, 2]
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1], [1], [2], [2], [3]]


def test_frames_between_analysed_ones_pass_without_faces_and_still_tell_cuts() -> None:
    pictures = [ROOMS[0], ROOMS[0], ROOMS[0], ROOMS[2], ROOMS[0], ROOMS[0]]
    tracked = find_and_track(frames_of(pictures, analysed_every=2), StillFace())
    assert [item.frame.index for item in tracked] == [0, 1, 2, 3, 4, 5]
    assert [item.frame.shot for item in tracked] == [0, 0, 0, 1, 2, 2]
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1], [], [1], [], [2], []]


def test_a_frame_without_faces_is_an_empty_table() -> None:
    frames = frames_of([ROOMS[0], ROOMS[0]])
    tracked = list(track((FrameFaces(f, Detections.none()) for f in frames), ByteTracker()))
    assert [len(item.faces) for item in tracked] == [0, 0]


def test_a_cut_makes_the_detector_look_and_nothing_is_carried_over_it() -> None:
    pictures = [ROOMS[0]] * 3 + [ROOMS[1]] * 6
    detector = StillFace()
    tracked = find_and_track(frames_of(pictures), detector, every=5)
    assert [item.frame.detected for item in tracked] == [index in (0, 3, 8) for index in range(9)]
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1]] * 3 + [[2]] * 6
    assert detector.looks == 3


def test_a_cut_in_a_frame_that_sampling_skips_is_looked_at_in_the_next_analysed_one() -> None:
    pictures = [ROOMS[0]] * 3 + [ROOMS[1]] * 5
    tracked = find_and_track(frames_of(pictures, analysed_every=2), StillFace(), every=3)
    analysed = [item for item in tracked if item.frame.analysed]
    assert [item.frame.detected for item in analysed] == [True, False, True, False]
    assert [item.faces.track_ids.tolist() for item in analysed] == [[1], [1], [2], [2]]
    assert not any(item.frame.detected or len(item.faces) for item in tracked if not item.frame.analysed)


def passed_over(frame: Frame) -> FrameFaces[Detections]:
    return FrameFaces(replace(frame, detected=False), Detections.none())


def seen(frame: Frame, *lefts: float) -> FrameFaces[Detections]:
    """A frame in which the detector found faces 40 px wide, landmarks in their middle."""
    boxes = np.array([[x, 20, x + 40, 60] for x in lefts], np.float32).reshape(-1, 4)
    middles = np.repeat(((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None], 5, axis=1)
    return FrameFaces(frame, Detections(boxes, np.linspace(0.9, 0.8, len(lefts), dtype=np.float32), middles))


def test_a_face_goes_straight_from_one_detection_to_the_next() -> None:
    """The second step is twice as long as the first: it is the time that counts."""
    frames = list(frames_of([ROOMS[0]] * 5))
    frames[2:] = [replace(frame, time_s=frame.time_s + 0.04) for frame in frames[2:]]
    items = [seen(frames[0], 20), *map(passed_over, frames[1:4]), seen(frames[4], 40)]
    tracked = list(track(iter(items), ByteTracker()))
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1]] * 5
    assert [item.frame.index for item in tracked] == [0, 1, 2, 3, 4]
    for item, left in zip(tracked, (20, 24, 32, 36, 40), strict=True):
        assert item.faces.boxes.tolist() == [pytest.approx([left, 20, left + 40, 60], abs=1e-4)]
        assert item.faces.landmarks is not None
        assert item.faces.landmarks[0].mean(axis=0).tolist() == pytest.approx([left + 20, 40], abs=1e-4)
        assert item.faces.scores.tolist() == pytest.approx([0.9])


def test_who_comes_or_goes_between_two_detections_does_so_in_the_middle() -> None:
    frames = list(frames_of([ROOMS[0]] * 9))
    middle = map(passed_over, frames[5:8])
    items = [seen(frames[0], 20), *map(passed_over, frames[1:4]), seen(frames[4], 20, 110), *middle, seen(frames[8])]
    tracked = list(track(iter(items), ByteTracker()))
    assert [sorted(item.faces.track_ids.tolist()) for item in tracked] == (
        [[1], [1], [1], [1, 2], [1, 2], [1, 2], [1, 2], [], []]
    )
    assert all(item.faces.landmarks is not None for item in tracked if len(item.faces))
    assert tracked[3].faces.boxes[1].tolist() == tracked[4].faces.boxes[1].tolist()


def test_frames_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detection every hour must not keep an hour of pictures: what waits too long is carried on."""
    monkeypatch.setattr("videmo.tracking.between.MOST_WAITING", 3)
    asked = 0

    def items() -> Iterator[FrameFaces[Detections]]:
        nonlocal asked
        for frame in frames_of([ROOMS[0]] * 9):
            asked += 1
            yield seen(frame, 20) if frame.index in (0, 8) else passed_over(frame)

    ahead = []
    for item in track(items(), ByteTracker()):
        ahead.append(asked - 1 - item.frame.index)
        assert item.faces.track_ids.tolist() == [1]
    assert ahead == [0, 3, 3, 3, 3, 3, 2, 1, 0]


def test_frames_that_sampling_skips_do_not_wait_when_every_frame_is_looked_at() -> None:
    frames = list(frames_of([ROOMS[0]] * 4, analysed_every=2))
    stream = track((seen(f, 20) if f.analysed else passed_over(f) for f in frames), ByteTracker())
    assert [next(stream).frame.index for _ in range(2)] == [0, 1]
    ahead = (seen(f, 20) if f.analysed else passed_over(f) for f in frames[:2])
    stream = track(ahead, ByteTracker())
    assert [item.frame.index for item in stream] == [0, 1]


class RunsRight(ByteTracker):
    """Expects two faces at the right edge of a picture 160 px wide, one half out of it, one wholly."""

    def carry(self, time_s: float) -> TrackedFaces:
        boxes = np.array([[140, 20, 180, 60], [161, 20, 201, 60]], np.float32)
        return TrackedFaces(boxes, np.ones(2, np.float32), None, np.array([3, 4], np.int32))


def test_a_carried_face_is_cut_to_the_picture_and_gone_when_it_has_left() -> None:
    frame = replace(next(frames_of([ROOMS[0]])), detected=False)
    for shown in (frame, frame.without_picture()):
        item = next(track(iter([FrameFaces(shown, Detections.none())]), RunsRight()))
        assert item.faces.boxes.tolist() == [[140, 20, 160, 60]]
        assert item.faces.track_ids.tolist() == [3]


def test_follows_two_real_faces_that_pass_each_other_leave_and_return() -> None:
    """Found by the cascade: a large and a small portrait move in opposite directions, the small one hides for 0.4 s."""
    times_s = np.arange(0, 3, 0.1)
    pictures, moments = [], []
    for time_s in times_s:
        canvas = plain(480, 360)
        boxes = {"large": face_at(canvas, round(20 + 80 * time_s), 0, 200)}
        if not 1.2 <= time_s < 1.6:
            boxes["small"] = face_at(canvas, round(320 - 80 * time_s), 210, 140)
        pictures.append(canvas)
        moments.append(Moment(time_s, np.stack(list(boxes.values())), tuple(boxes)))
    tracked = find_and_track(frames_of(pictures, fps=10), HaarDetector())
    assert idf1(moments, [item.faces for item in tracked]) >= 0.95


@pytest.mark.parametrize("every", [1, 5])
def test_follows_one_real_face_with_one_identity(every: int) -> None:
    pictures = [picture for picture, _ in moving_face(25)]
    tracked = find_and_track(frames_of(pictures), HaarDetector(), every=every)
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1]] * 25
    assert sum(item.frame.detected for item in tracked) == 25 // every


def find_and_track_file(shared: Path, name: str, every: int) -> list[FrameFaces[TrackedFaces]]:
    reader = PyAvReader("clip", shared / "videos" / name)
    frames = (frame for frame in reader.frames() if frame.index % every == 0)
    detector = YuNetDetector(shared / "reference" / "face_detection_yunet_2023mar.onnx")
    tracked = find_and_track(frames, detector)
    reader.close()
    return tracked


@pytest.mark.shared
@pytest.mark.parametrize("name", ONE_FACE)
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(120)])])
def test_one_track_covers_the_frames_with_a_face(shared: Path, name: str, every: int) -> None:
    with_face = [item.faces for item in find_and_track_file(shared, name, every) if len(item.faces)]
    ids = np.concatenate([faces.track_ids for faces in with_face])
    assert np.bincount(ids).max() >= 0.95 * len(with_face)


@pytest.mark.shared
@pytest.mark.parametrize("name", [name for name in CUTS if "goldeneye" in name or "in_video" in name])
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(120)])])
def test_no_track_spans_a_visible_cut(shared: Path, name: str, every: int) -> None:
    tracked = find_and_track_file(shared, name, every)
    shots = np.searchsorted(CUTS[name], [item.frame.index for item in tracked], side="right")
    spans = {(track_id, shot) for item, shot in zip(tracked, shots, strict=True) for track_id in item.faces.track_ids}
    assert len({track_id for track_id, _ in spans}) == len(spans) > 0

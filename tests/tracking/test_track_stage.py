from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from known_clips import CUTS, ONE_FACE
from synthetic import face_at, moving_face, plain
from trajectories import Moment, idf1

from videmo.datatypes import Detections, Frame, FrameFaces, TrackedFaces, UInt8Array, VideoInfo
from videmo.detection.base import Detector
from videmo.detection.haar import HaarDetector
from videmo.detection.stage import detect
from videmo.detection.yunet import YuNetDetector
from videmo.pipeline.batching import InlineWorker
from videmo.tracking.bytetrack import ByteTracker
from videmo.tracking.shots import ShotDetector
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


def track_frames(frames: Iterator[Frame]) -> list[FrameFaces[TrackedFaces]]:
    items = (FrameFaces(frame, FACE if frame.analysed else Detections.none()) for frame in frames)
    return list(track(items, ByteTracker(), ShotDetector()))


def find_and_track(frames: Iterator[Frame], detector: Detector) -> list[FrameFaces[TrackedFaces]]:
    items = detect(frames, InlineWorker(detector.detect), detector.picture_format, min_face_px=24)
    return list(track(items, ByteTracker(), ShotDetector()))


def test_every_frame_comes_out_in_order_and_no_identity_crosses_a_cut() -> None:
    pictures = [ROOMS[0], ROOMS[0], ROOMS[1], ROOMS[1], ROOMS[0]]
    tracked = track_frames(frames_of(pictures))
    assert [item.frame.index for item in tracked] == [0, 1, 2, 3, 4]
    assert [item.shot for item in tracked] == [0, 0, 1, 1, 2]
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1], [1], [2], [2], [3]]


def test_frames_between_analysed_ones_pass_without_faces_and_still_tell_cuts() -> None:
    pictures = [ROOMS[0], ROOMS[0], ROOMS[0], ROOMS[2], ROOMS[0], ROOMS[0]]
    tracked = track_frames(frames_of(pictures, analysed_every=2))
    assert [item.frame.index for item in tracked] == [0, 1, 2, 3, 4, 5]
    assert [item.shot for item in tracked] == [0, 0, 0, 1, 2, 2]
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1], [], [1], [], [2], []]


def test_a_frame_without_faces_is_an_empty_table() -> None:
    frames = frames_of([ROOMS[0], ROOMS[0]])
    tracked = list(track((FrameFaces(f, Detections.none()) for f in frames), ByteTracker(), ShotDetector()))
    assert [len(item.faces) for item in tracked] == [0, 0]


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


def test_follows_one_real_face_with_one_identity() -> None:
    pictures = [picture for picture, _ in moving_face(25)]
    tracked = find_and_track(frames_of(pictures), HaarDetector())
    assert [item.faces.track_ids.tolist() for item in tracked] == [[1]] * 25


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

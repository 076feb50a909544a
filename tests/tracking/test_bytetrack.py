from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trajectories import SCENES, Moment, film, idf1, observe

from videmo.datatypes import Detections, TrackedFaces
from videmo.geometry import iou_matrix
from videmo.tracking.bytetrack import ByteTracker, TrackerSettings, build
from videmo.tracking.kalman import Motion


def run(tracker: ByteTracker, times_s: Sequence[float], seen: Sequence[Detections]) -> list[TrackedFaces]:
    return [tracker.update(detections, time_s) for time_s, detections in zip(times_s, seen, strict=True)]


def times_of(moments: Sequence[Moment]) -> list[float]:
    return [moment.time_s for moment in moments]


def faces_at(*places: tuple[float, float, float], scores: Sequence[float] | None = None) -> Detections:
    """Square faces: (left, top, side)."""
    boxes = np.array([(x, y, x + side, y + side) for x, y, side in places], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array(scores or [0.9] * len(places), np.float32))


def varying_times(end_s: float, seed: int) -> list[float]:
    """Times with a variable frame rate: 10 to 50 frames per second."""
    steps = np.random.default_rng(seed).uniform(0.02, 0.1, round(end_s / 0.06))
    return np.cumsum(steps).tolist()


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("fps", [25, 10, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_identities_last_through_crossing_leaving_and_returning(scene: str, fps: int, seed: int) -> None:
    moments = film(SCENES[scene], np.arange(0, 5, 1 / fps))
    seen = observe(moments, seed=seed, dropout=0.02)
    assert idf1(moments, run(ByteTracker(), times_of(moments), seen)) >= 0.95


@pytest.mark.parametrize("scene", SCENES)
def test_identities_last_at_a_variable_frame_rate(scene: str) -> None:
    moments = film(SCENES[scene], varying_times(5, seed=4))
    seen = observe(moments, seed=4, dropout=0.02)
    assert idf1(moments, run(ByteTracker(), times_of(moments), seen)) >= 0.95


def test_a_clear_face_has_its_identity_from_the_first_frame() -> None:
    assert ByteTracker().update(faces_at((10, 10, 50)), 0).track_ids.tolist() == [1]


def test_a_faint_face_starts_no_track_but_continues_one() -> None:
    faint = faces_at((10, 10, 50), scores=[0.55])
    tracker = ByteTracker()
    assert len(tracker.update(faint, 0)) == 0
    tracker.update(faces_at((10, 10, 50)), 0.04)
    assert tracker.update(faint, 0.08).track_ids.tolist() == [1]


def test_a_faint_face_does_not_take_up_a_lost_track() -> None:
    tracker = ByteTracker()
    tracker.update(faces_at((10, 10, 50)), 0)
    tracker.update(faces_at(), 0.04)
    assert len(tracker.update(faces_at((10, 10, 50), scores=[0.55]), 0.08)) == 0
    assert tracker.update(faces_at((10, 10, 50)), 0.12).track_ids.tolist() == [1]


@pytest.mark.parametrize("second", [(14, 12, 52), (25, 30, 20)], ids=["shifted", "inside"])
def test_a_second_box_of_a_face_starts_no_track(second: tuple[float, float, float]) -> None:
    seen = faces_at((10, 10, 50), second, scores=[0.95, 0.9])
    assert run(ByteTracker(), [0, 0.04], [seen, seen])[-1].track_ids.tolist() == [1]


@pytest.mark.parametrize(("away_s", "same"), [(1.5, True), (2.5, False)])
def test_a_track_ends_when_its_face_is_away_for_too_long(away_s: float, same: bool) -> None:
    tracker = ByteTracker(TrackerSettings(lost_s=2))
    face, step_s = faces_at((100, 100, 60)), 0.1
    tracker.update(face, 0)
    for index in range(1, round(away_s / step_s)):
        tracker.update(faces_at(), index * step_s)
    assert (tracker.update(face, away_s).track_ids.tolist() == [1]) is same


def test_sparse_sampling_alone_ends_no_track() -> None:
    seen = [faces_at((100 + 3 * index, 100, 60)) for index in range(5)]
    tracked = run(ByteTracker(TrackerSettings(lost_s=2)), [0, 5, 10, 15, 20], seen)
    assert {faces.track_ids.item() for faces in tracked} == {1}


def test_a_distant_face_is_another_one() -> None:
    tracker = ByteTracker()
    tracker.update(faces_at((0, 0, 50)), 0)
    assert tracker.update(faces_at((300, 0, 50)), 0.04).track_ids.tolist() == [2]


def test_a_face_of_another_size_is_another_one() -> None:
    tracker = ByteTracker()
    tracker.update(faces_at((100, 100, 50)), 0)
    assert tracker.update(faces_at((75, 75, 100)), 0.04).track_ids.tolist() == [2]


def test_every_face_above_the_score_that_the_user_chose_is_tracked() -> None:
    tracker = build(0.3)
    assert tracker.update(faces_at((10, 10, 50), scores=[0.35]), 0).track_ids.tolist() == [1]
    assert len(build(0.7).update(faces_at((10, 10, 50), scores=[0.35]), 0)) == 0


def test_landmarks_stay_with_their_faces() -> None:
    boxes = faces_at((10, 10, 50), (200, 10, 50), scores=[0.8, 0.9])
    landmarks = boxes.boxes[:, None, :2] + np.arange(10, dtype=np.float32).reshape(5, 2)
    tracked = ByteTracker().update(Detections(boxes.boxes, boxes.scores, landmarks), 0)
    assert tracked.landmarks is not None
    assert np.array_equal(tracked.landmarks[:, 0] - [0, 1], tracked.boxes[:, :2])


def running(time_s: float) -> Detections:
    """A face that runs to the right, a quarter of its width in 0.2 s, and comes nearer; its landmarks on a diagonal."""
    width = 80 * np.exp(0.1 * time_s)
    faces = faces_at((50 + 100 * time_s, 100, width))
    points = faces.boxes[:, None, :2] + np.linspace(0.2, 0.8, 5)[:, None] * [width, width]
    return Detections(faces.boxes, faces.scores, points.astype(np.float32))


@pytest.mark.parametrize("times_s", [np.arange(0, 3, 0.04), varying_times(3, seed=2)], ids=["cfr", "vfr"])
def test_a_face_detected_every_fifth_of_a_second_is_followed_in_between(times_s: Sequence[float]) -> None:
    tracker, last_s = ByteTracker(), -1.0
    for time_s in times_s:
        truth, due = running(time_s), time_s - last_s >= 0.199
        found = tracker.update(truth, time_s) if due else tracker.carry(time_s)
        last_s = time_s if due else last_s
        assert found.track_ids.tolist() == [1]
        assert found.scores.tolist() == truth.scores.tolist()
        if time_s > 0.4:
            assert iou_matrix(found.boxes, truth.boxes).item() >= 0.7
            assert found.landmarks is not None
            inside = (found.landmarks - found.boxes[:, None, :2]) / (found.boxes[:, 2:] - found.boxes[:, :2])[:, None]
            np.testing.assert_allclose(inside[0, :, 0], np.linspace(0.2, 0.8, 5), atol=1e-4)


def test_a_face_that_moves_on_is_expected_further_on() -> None:
    tracker = ByteTracker()
    run(tracker, [0, 0.2, 0.4], [running(time_s) for time_s in (0, 0.2, 0.4)])
    lefts = [tracker.carry(time_s).boxes[0, 0] for time_s in (0.41, 0.5, 0.6)]
    assert lefts == sorted(lefts)
    assert lefts[-1] > running(0.4).boxes[0, 0] + 5


def test_only_faces_of_the_last_detection_are_carried() -> None:
    tracker = ByteTracker()
    assert len(tracker.carry(0)) == 0
    tracker.update(faces_at((10, 10, 50), (200, 10, 50)), 0.04)
    tracker.update(faces_at((10, 10, 50)), 0.08)
    assert tracker.carry(0.12).track_ids.tolist() == [1]
    assert tracker.update(faces_at((10, 10, 50), (200, 10, 50)), 0.16).track_ids.tolist() == [1, 2]
    tracker.end_shot()
    assert len(tracker.carry(0.2)) == 0


def test_carrying_a_face_is_no_miss() -> None:
    """A faint face continues a track only when the detection before saw it."""
    tracker = ByteTracker()
    tracker.update(faces_at((10, 10, 50)), 0)
    for index in range(1, 20):
        tracker.carry(0.01 * index)
    assert tracker.update(faces_at((10, 10, 50), scores=[0.55]), 0.2).track_ids.tolist() == [1]


scenes = st.builds(
    lambda scene, seed, fps: observe(film(SCENES[scene], np.arange(0, 4, 1 / fps)), seed=seed, dropout=0.2),
    st.sampled_from(sorted(SCENES)),
    st.integers(0, 999),
    st.sampled_from([3, 10]),
)


@settings(max_examples=40, deadline=None)
@given(scenes, st.integers(0, 999))
def test_the_order_of_the_detections_does_not_matter(seen: list[Detections], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = [detections.take(rng.permutation(len(detections))) for detections in seen]
    times_s = [0.1 * index for index in range(len(seen))]
    for first, second in zip(run(ByteTracker(), times_s, seen), run(ByteTracker(), times_s, shuffled), strict=True):
        assert np.array_equal(first.track_ids, second.track_ids)
        assert np.array_equal(first.boxes, second.boxes)


@settings(max_examples=40, deadline=None)
@given(scenes, st.sampled_from([0.25, 2.0, 8.0]))
def test_slow_motion_with_slow_limits_gives_the_same_tracks(seen: list[Detections], slower: float) -> None:
    usual, motion = TrackerSettings(), Motion()
    slow_motion = Motion(
        motion.speed_std / slower,
        motion.growth_std / slower,
        motion.memory_s * slower,
        motion.position_noise,
        motion.size_noise,
    )
    slow = TrackerSettings(lost_s=usual.lost_s * slower, motion=slow_motion)
    times_s = [0.125 * index for index in range(len(seen))]
    slowly = run(ByteTracker(slow), [time_s * slower for time_s in times_s], seen)
    for first, second in zip(run(ByteTracker(usual), times_s, seen), slowly, strict=True):
        assert np.array_equal(first.track_ids, second.track_ids)

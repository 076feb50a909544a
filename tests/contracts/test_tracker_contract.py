"""What every tracker promises, asked of each implementation with scenes that hypothesis makes up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.datatypes import Detections, TrackedFaces
from videmo.tracking import bytetrack
from videmo.tracking.base import Tracker

BuildTracker = Callable[[float], Tracker]
trackers = pytest.mark.parametrize("build", [bytetrack.build])

coordinates = st.floats(0, 400, width=32)
face = st.tuples(coordinates, coordinates, st.floats(10, 150, width=32), st.floats(0, 1, width=32))
step = st.tuples(st.lists(face, max_size=6), st.floats(0.001, 10), st.booleans())


def detections_of(faces: list[tuple[float, float, float, float]]) -> Detections:
    rows = np.array(faces, np.float32).reshape(-1, 4)
    return Detections(np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:3]]), rows[:, 3])


def run(
    tracker: Tracker, steps: list[tuple[list[tuple[float, float, float, float]], float, bool]]
) -> list[TrackedFaces]:
    """Answer each step (faces, seconds since the last one, whether a shot begins)."""
    time_s, answers = 0.0, []
    for faces, seconds, cut in steps:
        time_s += seconds
        if cut:
            tracker.end_shot()
        answers.append(tracker.update(detections_of(faces), time_s))
    return answers


@trackers
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(step, max_size=8))
def test_faces_come_from_the_frame_each_once_with_an_identity_of_its_own(build: BuildTracker, steps: list) -> None:
    for (faces, _, _), tracked in zip(steps, run(build(0.7), steps), strict=True):
        given_boxes = detections_of(faces).boxes.tolist()
        for box in tracked.boxes.tolist():
            given_boxes.remove(box)  # raises when a face comes out that did not go in
        assert len(set(tracked.track_ids.tolist())) == len(tracked)
        assert (tracked.track_ids >= 1).all()


@trackers
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(step, max_size=8))
def test_no_identity_is_used_again_after_its_shot(build: BuildTracker, steps: list) -> None:
    shots = np.cumsum([cut for _, _, cut in steps])
    owners: dict[int, int] = {}
    for shot, tracked in zip(shots, run(build(0.7), steps), strict=True):
        for track_id in tracked.track_ids.tolist():
            assert owners.setdefault(track_id, shot) == shot


@trackers
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(step, max_size=8))
def test_identities_are_counted_from_one_without_gaps(build: BuildTracker, steps: list) -> None:
    ids = {track_id for tracked in run(build(0.7), steps) for track_id in tracked.track_ids.tolist()}
    assert ids == set(range(1, len(ids) + 1))


@trackers
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(step, max_size=6))
def test_the_same_input_gives_the_same_answer(build: BuildTracker, steps: list) -> None:
    for first, second in zip(run(build(0.7), steps), run(build(0.7), steps), strict=True):
        assert np.array_equal(first.track_ids, second.track_ids)


@trackers
@settings(max_examples=50, deadline=None)
@given(steps=st.lists(step, max_size=8), carries=st.integers(1, 3))
def test_carrying_faces_changes_nothing(build: BuildTracker, steps: list, carries: int) -> None:
    """The answers of `update` are those of a tracker that never carried; what is carried are the faces it saw last."""

    class Carrying:
        def __init__(self) -> None:
            self._tracker, self._time_s = build(0.7), 0.0
            self._last = TrackedFaces(Detections.none().boxes, Detections.none().scores)

        def update(self, detections: Detections, time_s: float) -> TrackedFaces:
            for share in np.linspace(0.1, 0.9, carries):
                carried = self._tracker.carry(self._time_s + share * (time_s - self._time_s))
                assert carried.track_ids.tolist() == self._last.track_ids.tolist()
                assert carried.scores.tolist() == self._last.scores.tolist()
            self._time_s, self._last = time_s, self._tracker.update(detections, time_s)
            return self._last

        def carry(self, time_s: float) -> TrackedFaces:
            return self._tracker.carry(time_s)

        def end_shot(self) -> None:
            self._last = TrackedFaces(Detections.none().boxes, Detections.none().scores)
            self._tracker.end_shot()

    for first, second in zip(run(build(0.7), steps), run(Carrying(), steps), strict=True):
        assert np.array_equal(first.track_ids, second.track_ids)
        assert np.array_equal(first.boxes, second.boxes)


@trackers
def test_a_still_face_is_carried_where_it_is(build: BuildTracker) -> None:
    tracker, still = build(0.7), detections_of([(50, 50, 60, 0.9)])
    for index in range(5):
        tracker.update(still, 0.2 * index)
    carried = tracker.carry(0.95)
    assert carried.track_ids.tolist() == [1]
    np.testing.assert_allclose(carried.boxes, still.boxes, atol=0.5)
    tracker.end_shot()
    assert len(tracker.carry(1)) == 0


@trackers
def test_a_still_face_keeps_its_identity_until_the_shot_ends(build: BuildTracker) -> None:
    tracker, still = build(0.7), detections_of([(50, 50, 60, 0.9)])
    before = [tracker.update(still, 0.04 * index).track_ids.tolist() for index in range(5)]
    tracker.end_shot()
    assert before == [[1]] * 5
    assert tracker.update(still, 0.2).track_ids.tolist() == [2]


@trackers
@pytest.mark.parametrize("time_s", [1.0, 0.5])
def test_time_must_increase(build: BuildTracker, time_s: float) -> None:
    tracker = build(0.7)
    tracker.update(Detections.none(), 1.0)
    with pytest.raises(ValueError, match="time_s"):
        tracker.update(Detections.none(), time_s)
    with pytest.raises(ValueError, match="time_s"):
        tracker.carry(time_s)

"""Where faces are hidden, on hand-made sightings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored_frames import scored_frames, video_info

from videmo.datatypes import Frame, FrameFaces, ScoredFaces, VideoInfo
from videmo.emotion.labels import EMOTIONS
from videmo.output.hiding import Foreknowledge, HiddenFaces, LookAhead, Sighting


def sighting(time_s: float, xs: Mapping[int, float], shot: int = 0) -> Sighting:
    """Return faces of 10 px by track, each with its left edge at x."""
    boxes = np.array([[x, 0, x + 10, 10] for x in xs.values()], np.float32).reshape(-1, 4)
    return Sighting(time_s, shot, np.array(list(xs), np.int32), boxes)


def told(sightings: Sequence[Sighting], hold_s: float = 0.3) -> HiddenFaces:
    hidden = HiddenFaces(hold_s)
    for item in sightings:
        hidden.see(item)
    return hidden


def lefts(hidden: HiddenFaces, time_s: float, shot: int | None = 0) -> list[float]:
    return sorted({round(float(x), 3) for x in hidden.boxes_at(time_s, shot)[:, 0]})


def test_a_face_is_hidden_where_it_is_seen_and_nowhere_else() -> None:
    hidden = told([sighting(0.0, {1: 0, 2: 50}), sighting(0.1, {1: 1, 2: 51})])
    assert lefts(hidden, 0.0) == [0, 50]
    assert lefts(hidden, 0.1) == [1, 51]
    assert lefts(hidden, 0.5) == [1, 51], "nothing was analysed since"


def test_a_short_gap_is_hidden_on_the_line_between() -> None:
    seen = [sighting(t / 10, {1: 0} if t == 0 else {1: 90} if t == 9 else {}) for t in range(10)]
    hidden = told(seen)
    assert lefts(hidden, 0.0) == [0]
    assert lefts(hidden, 0.4) == [40], "no longer held, on its way"
    assert lefts(hidden, 0.8) == [80]
    assert lefts(hidden, 0.9) == [90]


def test_a_long_gap_is_hidden_at_its_ends_only() -> None:
    seen = [sighting(t / 10, {1: 0} if t == 0 else {1: 90} if t == 20 else {}) for t in range(21)]
    hidden = told(seen)
    assert [lefts(hidden, t) for t in (0.2, 0.3, 0.4, 1.6, 1.7, 1.9)] == [[0], [0], [], [], [90], [90]]


def test_a_face_is_hidden_before_it_is_first_found_but_not_across_a_cut() -> None:
    seen = [sighting(t / 10, {1: 5} if t >= 5 else {}, shot=int(t >= 4)) for t in range(10)]
    hidden = told(seen)
    assert lefts(hidden, 0.1, shot=0) == []
    assert lefts(hidden, 0.3, shot=0) == []
    assert lefts(hidden, 0.4, shot=1) == [5]


def test_a_face_that_was_lost_is_not_hidden_after_a_cut() -> None:
    seen = [sighting(t / 10, {1: 5} if t < 2 else {}, shot=int(t >= 3)) for t in range(6)]
    hidden = told(seen)
    assert lefts(hidden, 0.2, shot=0) == [5]
    assert lefts(hidden, 0.3, shot=1) == []


def test_between_analysed_frames_everything_near_is_hidden_however_far_they_are_apart() -> None:
    seen = [sighting(0.0, {1: 0, 2: 100}), sighting(4.0, {1: 40, 3: 200})]
    hidden = told(seen)
    assert lefts(hidden, 2.0, shot=None) == [0, 20, 100, 200]
    assert lefts(hidden, 4.0) == [40, 200]


def test_after_a_cut_between_analysed_frames_both_sides_are_hidden() -> None:
    hidden = told([sighting(0.0, {1: 0}), sighting(2.0, {2: 70}, shot=1)])
    assert lefts(hidden, 1.0, shot=None) == [0, 70]


def item(video: VideoInfo, index: int, time_s: float, x: float | None, *, shot: int = 0) -> FrameFaces[ScoredFaces]:
    count = 0 if x is None else 1
    boxes = np.array([[x, 0, x + 10, 10]] if x is not None else [], np.float32).reshape(count, 4)
    emotions = np.full((count, len(EMOTIONS)), 1 / len(EMOTIONS), np.float32)
    faces = ScoredFaces(boxes, np.ones(count), None, np.ones(count), emotions)
    return FrameFaces(Frame(video, index, round(time_s * 1000), time_s, None, shot=shot), faces)


def test_while_the_run_goes_on_frames_wait_for_a_face_to_show(tmp_path: Path) -> None:
    veil, shown = LookAhead(), {}
    for index in range(30):
        given = item(video_info(tmp_path), index, index / 10, 7 if 10 <= index < 15 else None)
        shown |= {hidden.frame.index: len(boxes) for hidden, boxes in veil.feed(given)}
    assert max(shown) == 29 - 4, "0.3 s are three frames, and the newest itself"
    shown |= {hidden.frame.index: len(boxes) for hidden, boxes in veil.finish()}
    assert [index for index in range(30) if shown[index]] == list(range(7, 25)), "0.3 s before until 1 s after"


@given(counts=st.lists(st.integers(0, 3), max_size=60), every=st.integers(1, 5), step_ms=st.sampled_from([5, 40, 400]))
def test_every_frame_comes_once_in_order_with_its_faces_hidden(
    counts: list[int], every: int, step_ms: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    items = list(scored_frames(video_info(Path("nowhere")), counts, step_ms=step_ms, analysed_every=every))
    seen = [
        Sighting(given.frame.time_s, given.frame.shot, given.faces.track_ids, given.faces.boxes)
        for given in items
        if given.frame.analysed
    ]
    for veil in (LookAhead(), Foreknowledge(iter(seen))):
        shown = [hidden for given in items for hidden in veil.feed(given)]
        waiting = len(items) - len(shown)
        shown += list(veil.finish())
        assert waiting <= 16
        assert [hidden.frame.index for hidden, _ in shown] == list(range(len(items)))
        for source, (_, boxes) in zip(items, shown, strict=True):
            assert all((boxes == box).all(axis=1).any() for box in source.faces.boxes)


@given(xs=st.lists(st.one_of(st.none(), st.floats(0, 500)), min_size=2, max_size=40))
def test_a_finished_run_hides_all_that_a_run_going_on_does_up_to_its_hold(xs: list[float | None]) -> None:
    """Wherever a face is lost for less than a second, both hide something in every frame between."""
    nowhere = video_info(Path("nowhere"))
    items = [item(nowhere, index, index / 10, x) for index, x in enumerate(xs)]
    sightings = (Sighting(i.frame.time_s, 0, i.faces.track_ids, i.faces.boxes) for i in items)
    found = [index for index, x in enumerate(xs) if x is not None]
    between = {k for a, b in pairwise(found) if b - a <= 10 for k in range(a, b + 1)}
    for veil in (LookAhead(), Foreknowledge(sightings)):
        shown = [hidden for given in items for hidden in veil.feed(given)] + list(veil.finish())
        assert between <= {index for index, (_, boxes) in enumerate(shown) if len(boxes)}

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.findings.timeline import Timeline, frame_durations, timelines

LABELS = ("neutral", "happiness")


def frames_at(times_s: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"video_id": "v", "frame_index": np.arange(len(times_s)) * 10, "time_s": times_s})


def faces_of(frames: pd.DataFrame, rows: dict[int, list[int]]) -> pd.DataFrame:
    """Return faces: for each track the positions of the frames it is seen in, in the order of the frames."""
    pairs = sorted((row, track_id) for track_id, seen in rows.items() for row in seen)
    at = [row for row, _ in pairs]
    happiness = np.array([0.1 * row for row in at])
    return pd.DataFrame(
        {
            "frame_index": frames["frame_index"].to_numpy()[at],
            "time_s": frames["time_s"].to_numpy()[at],
            "track_id": [track_id for _, track_id in pairs],
            **dict.fromkeys(("x1", "y1", "x2", "y2"), 1.0),
            "neutral": 1 - happiness,
            "happiness": happiness,
        }
    )


@pytest.mark.parametrize(
    ("times_s", "limit_s", "expected"),
    [
        ([], None, []),
        ([7.0], None, [1.0]),
        ([0.0, 0.5, 1.0], None, [0.5, 0.5, 0.5]),
        # A variable rate: each frame until the next one, the last for the median step.
        ([0.0, 0.1, 0.3, 0.4], None, [0.1, 0.2, 0.1, 0.1]),
        # A pause of a minute: three steps, but at least a second.
        ([0.0, 0.1, 0.2, 60.0], None, [0.1, 0.1, 1.0, 0.1]),
        # Sampled every 5 s: the limit follows.
        ([0.0, 5.0, 10.0, 60.0], None, [5.0, 5.0, 15.0, 5.0]),
        ([0.0, 5.0, 10.0], 2.0, [2.0, 2.0, 2.0]),
    ],
)
def test_frames_stand_until_the_next_one(times_s: list[float], limit_s: float | None, expected: list[float]) -> None:
    assert frame_durations(np.array(times_s), limit_s).tolist() == pytest.approx(expected)


def test_timelines_keep_their_own_observations_and_gaps() -> None:
    frames = frames_at([0.0, 0.1, 0.3, 0.4, 0.5])
    first, second = timelines(frames, faces_of(frames, {2: [0, 1, 4], 5: [1, 2]}), LABELS)
    assert (first.video_id, first.track_id, second.track_id) == ("v", 2, 5)
    assert first.times_s.tolist() == [0.0, 0.1, 0.5]
    assert first.durations_s.tolist() == pytest.approx([0.1, 0.2, 0.1])
    assert first.gaps_s == pytest.approx(np.array([[0.3, 0.5]]))
    assert first.seen_s == pytest.approx(0.4)
    assert first.emotions[:, 1].tolist() == pytest.approx([0.0, 0.1, 0.4])
    assert second.gaps_s.shape == (0, 2)
    assert second.boxes.shape == (2, 4)


def test_rows_that_are_not_usable_leave_gaps() -> None:
    frames = frames_at([0.0, 0.1, 0.2, 0.3])
    faces = faces_of(frames, {1: [0, 1, 2, 3], 2: [0, 1]})
    faces["usable"] = (faces["track_id"] == 1) & (faces["time_s"] != 0.1)
    (line,) = timelines(frames, faces, LABELS)
    assert (line.track_id, line.times_s.tolist()) == (1, [0.0, 0.2, 0.3])
    assert line.gaps_s == pytest.approx(np.array([[0.1, 0.2]]))
    assert [len(each.times_s) for each in timelines(frames, faces, LABELS, usable_only=False)] == [4, 2]


def test_no_faces_give_no_timelines() -> None:
    frames = frames_at([0.0, 0.1])
    assert timelines(frames, faces_of(frames, {}), LABELS) == []


def test_an_observation_counts_on_both_sides_of_an_edge() -> None:
    line = Timeline(
        "v", 1, np.array([0.75, 2.0]), np.array([0.5, 2.0]), np.zeros((2, 4), np.float32), np.eye(2, dtype=np.float32)
    )
    bins = line.binned(1.0)
    assert bins.first == 0
    assert bins.seen_s.tolist() == [0.25, 0.25, 1.0, 1.0]
    assert bins.weighted.tolist() == [[0.25, 0], [0.25, 0], [0, 1], [0, 1]]


@given(
    steps=st.lists(st.floats(0.01, 5), min_size=1, max_size=20),
    start_s=st.floats(0, 1000),
    width_s=st.floats(0.05, 7),
    split=st.integers(0, 20),
)
def test_binning_loses_no_time_and_pieces_add_up(
    steps: list[float], start_s: float, width_s: float, split: int
) -> None:
    times_s = start_s + np.cumsum(steps)
    frames = frames_at(times_s.tolist())
    faces = faces_of(frames, {1: list(range(len(steps)))})
    (whole,) = timelines(frames, faces, LABELS)
    bins = whole.binned(width_s)
    assert bins.seen_s.sum() == pytest.approx(whole.seen_s)
    assert bins.seen_s.max() <= width_s * 1.0001
    assert bins.weighted.sum(axis=0) == pytest.approx(whole.durations_s @ whole.emotions.astype(float), rel=1e-5)
    pieces = [timelines(frames, part, LABELS) for part in (faces[:split], faces[split:])]
    total = np.zeros_like(bins.seen_s)
    for line in (line for lines in pieces for line in lines):
        piece = line.binned(width_s)
        total[piece.first - bins.first :][: len(piece.seen_s)] += piece.seen_s
    assert total == pytest.approx(bins.seen_s)

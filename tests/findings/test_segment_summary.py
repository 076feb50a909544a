from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.findings.segment_summary import label_rows, name_segments, summarize_segments

LABELS = ("neutral", "happiness")

# Frames at 0, 1, 3 and 4 s stand for 1, 2, 1 and 1 s. Track 1 is seen in the first three, track 2 in first and last.
FRAMES = pd.DataFrame({"video_id": "v", "frame_index": [0, 1, 2, 3], "time_s": [0.0, 1.0, 3.0, 4.0]})
FACES = pd.DataFrame(
    [
        {"frame_index": 0, "time_s": 0.0, "track_id": 1, "neutral": 0.8, "happiness": 0.2},
        {"frame_index": 0, "time_s": 0.0, "track_id": 2, "neutral": 0.9, "happiness": 0.1},
        {"frame_index": 1, "time_s": 1.0, "track_id": 1, "neutral": 0.1, "happiness": 0.9},
        {"frame_index": 2, "time_s": 3.0, "track_id": 1, "neutral": 0.4, "happiness": 0.6},
        {"frame_index": 3, "time_s": 4.0, "track_id": 2, "neutral": 0.3, "happiness": 0.7},
    ]
).assign(video_id="v")


def segments(*spans: tuple[float, float, str]) -> pd.DataFrame:
    table = pd.DataFrame(spans, columns=["start_s", "end_s", "segment"])
    table.insert(0, "video_id", "v")
    return table


def names_in(labelled: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(name) else name for name in labelled["segment"]]


def test_segments_by_track_by_hand() -> None:
    table = summarize_segments(FRAMES, FACES, LABELS, segments((0.5, 2.0, "ad"), (2.5, 9.0, "end"), (20, 21, "later")))
    assert table.columns.tolist() == [
        "video_id", "track_id", "start_s", "end_s", "segment", "duration_s", "seen_s", "usable_s", "dominant",
        "share_neutral", "share_happiness", "mean_neutral", "mean_happiness",
    ]  # fmt: skip
    keys = ["segment", "track_id", "duration_s", "seen_s", "dominant", "share_happiness", "mean_happiness"]
    assert list(table[keys].itertuples(index=False, name=None)) == [
        ("ad", 1, 1.5, 1.5, "happiness", pytest.approx(1 / 1.5), pytest.approx((0.5 * 0.2 + 1.0 * 0.9) / 1.5)),
        ("ad", 2, 1.5, 0.5, "neutral", 0.0, pytest.approx(0.1)),
        ("end", 1, 6.5, 1.5, "happiness", 1.0, pytest.approx((0.5 * 0.9 + 1.0 * 0.6) / 1.5)),
        ("end", 2, 6.5, 1.0, "happiness", 1.0, pytest.approx(0.7)),
    ]


def test_segments_of_a_video_pool_its_tracks_and_tell_when_nobody_was_seen() -> None:
    table = summarize_segments(FRAMES, FACES, LABELS, segments((0.0, 1.0, "ad"), (20, 21, "later")), by="video")
    ad, later = table.to_dict("records")
    assert (ad["seen_s"], ad["mean_happiness"], ad["dominant"]) == (2.0, pytest.approx(0.15), "neutral")
    assert (later["seen_s"], later["usable_s"]) == (0.0, 0.0)
    assert pd.isna(later["dominant"])
    assert pd.isna(later["mean_happiness"])


def test_only_usable_time_has_weight() -> None:
    faces = FACES.assign(usable=[False, True, True, True, True])
    table = summarize_segments(FRAMES, faces, LABELS, segments((0.0, 2.0, "ad")))
    assert table["seen_s"].tolist() == [2.0, 1.0]
    assert table["usable_s"].tolist() == [1.0, 1.0]
    assert table["mean_happiness"].tolist() == pytest.approx([0.9, 0.1])


def test_no_faces_give_no_tracks_but_all_segments() -> None:
    spans = segments((0.0, 2.0, "ad"))
    assert summarize_segments(FRAMES, FACES[:0], LABELS, spans).empty
    assert summarize_segments(FRAMES, FACES[:0], LABELS, spans, by="video")["seen_s"].tolist() == [0.0]


def test_rows_are_labelled_from_start_to_before_end() -> None:
    labelled = label_rows(FACES, segments((1.0, 3.0, "ad")))
    assert names_in(labelled) == [None, None, "ad", None, None]
    assert labelled.drop(columns="segment").equals(FACES)


def test_a_row_in_two_segments_is_there_for_each() -> None:
    labelled = label_rows(FACES, segments((1.0, 4.0, "ad"), (3.0, 5.0, "logo")))
    assert names_in(labelled) == [None, None, "ad", "ad", "logo", "logo"]
    assert labelled["time_s"].tolist() == [0.0, 0.0, 1.0, 3.0, 3.0, 4.0]


def test_segments_of_other_videos_do_not_label() -> None:
    both = pd.concat([FACES, FACES.assign(video_id="w")], ignore_index=True)
    labelled = label_rows(both, segments((0.0, 9.0, "ad")).assign(video_id="w"))
    assert names_in(labelled) == [None] * 5 + ["ad"] * 5
    assert names_in(label_rows(FACES, segments())) == [None] * 5


def label_one_by_one(rows: pd.DataFrame, spans: pd.DataFrame) -> list[tuple[int, str | None]]:
    """Return the position and a name for each row and segment that it lies in, row by row."""
    found = []
    for position, (video_id, time_s) in enumerate(zip(rows["video_id"], rows["time_s"], strict=True)):
        inside = (spans["video_id"] == video_id) & (spans["start_s"] <= time_s) & (time_s < spans["end_s"])
        found += [(position, name) for name in spans["segment"][inside].tolist() or [None]]
    return found


@pytest.mark.parametrize("seed", range(12))
def test_rows_of_many_videos_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"video_id": rng.choice(list("abcdef"), 80), "time_s": rng.integers(0, 20, 80) / 2.0})
    rows.index = rng.permutation(80) + 7
    starts_s = rng.integers(0, 10, 12).astype(float)
    spans = pd.DataFrame({"video_id": rng.choice(list("bcdefgh"), 12), "start_s": starts_s})
    spans = spans.assign(end_s=starts_s + rng.integers(1, 5, 12), segment=[f"s{i}" for i in range(12)])
    spans.index = rng.permutation(12)
    expected = label_one_by_one(rows, spans)
    labelled = label_rows(rows, spans)
    assert labelled.drop(columns="segment").equals(rows.iloc[[position for position, _ in expected]])
    assert names_in(labelled) == [name for _, name in expected]
    named = name_segments(rows, spans)
    assert named.drop(columns="segment").equals(rows.reset_index(drop=True))
    together = pd.DataFrame(expected).dropna().groupby(0)[1].agg("; ".join)
    assert names_in(named) == names_in(pd.DataFrame({"segment": together.reindex(range(80))}))


def test_segments_of_many_videos_take_no_time() -> None:
    """Every segment's video searched all rows, in an export for each piece again: 0.37 s with 400 videos."""
    names = [f"interview_{number:04d}" for number in range(1000)]
    spans = pd.DataFrame({"video_id": names, "start_s": 0.0, "end_s": 3.0, "segment": "ad"})
    rows = pd.DataFrame({"video_id": np.repeat(names, 100), "time_s": np.tile(np.arange(100.0), 1000)})
    started = time.process_time()
    assert (name_segments(rows, spans)["segment"] == "ad").sum() == 3000
    assert time.process_time() - started < 3
    started = time.process_time()
    for _ in range(20):
        name_segments(rows[:100], spans)
    assert time.process_time() - started < 1


@given(
    times_s=st.lists(st.floats(0, 50), min_size=1, max_size=30),
    edges_s=st.lists(st.floats(0, 60), min_size=2, max_size=8, unique=True),
)
def test_segments_that_do_not_overlap_part_the_rows(times_s: list[float], edges_s: list[float]) -> None:
    rows = pd.DataFrame({"video_id": "v", "time_s": times_s})
    edges_s = sorted(edges_s)
    spans = segments(*((a, b, f"s{i}") for i, (a, b) in enumerate(pairwise(edges_s))))
    labelled = label_rows(rows, spans)
    assert labelled["time_s"].tolist() == times_s
    expected = np.searchsorted(edges_s, times_s, "right") - 1
    inside = (expected >= 0) & (expected < len(spans))
    assert names_in(labelled) == [f"s{i}" if ok else None for i, ok in zip(expected, inside, strict=True)]


@given(
    steps_s=st.lists(st.floats(0.01, 3), min_size=2, max_size=20),
    values=st.lists(st.floats(0, 1), min_size=20, max_size=20),
    cut=st.floats(0.05, 0.95),
)
def test_parts_of_a_segment_add_up_to_the_whole(steps_s: list[float], values: list[float], cut: float) -> None:
    times_s = np.cumsum(steps_s)
    frames = pd.DataFrame({"video_id": "v", "frame_index": np.arange(len(times_s)), "time_s": times_s})
    happiness = np.array(values[: len(times_s)])
    faces = frames.assign(track_id=1, neutral=1 - happiness, happiness=happiness)
    middle_s = cut * 100
    whole, *parts = summarize_segments(
        frames, faces, LABELS, segments((0, 100, "all"), (0, middle_s, "before"), (middle_s, 100, "after")), by="video"
    ).to_dict("records")
    assert sum(part["seen_s"] for part in parts) == pytest.approx(whole["seen_s"])
    sums = [part["seen_s"] * part["mean_happiness"] for part in parts if part["seen_s"] > 0]
    assert np.nansum(sums) == pytest.approx(whole["seen_s"] * whole["mean_happiness"], abs=1e-5)
    assert happiness.min() - 1e-9 <= whole["mean_happiness"] <= happiness.max() + 1e-9

from __future__ import annotations

import resource
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.findings.baseline import seconds_in_window, subtract_baseline
from videmo.findings.segment_summary import label_rows, summarize_segments
from videmo.findings.series import build_series, resample
from videmo.findings.smoothing import MedianFilter

# Ten frames, 0.1 s each, the last pause longer.
FRAMES = pd.DataFrame({"video_id": "v", "frame_index": np.arange(10) * 3, "time_s": np.arange(10) / 10})


def faces_at(positions: list[int], values: list[float], track_id: int = 1, **columns: list[bool]) -> pd.DataFrame:
    times_s = FRAMES["time_s"].to_numpy()[positions]
    indices = FRAMES["frame_index"].to_numpy()[positions]
    return pd.DataFrame(
        {"frame_index": indices, "time_s": times_s, "track_id": track_id, "happiness": values, **columns}
    )


def test_short_gaps_are_bridged_and_flagged_and_long_ones_stay() -> None:
    # Frames 2 and 3 are missing (0.2 s), and 5 to 8 (0.4 s).
    faces = faces_at([0, 1, 4, 9], [0.0, 0.3, 0.6, 1.0])
    series = build_series(FRAMES, faces, ["happiness"], bridge_s=0.2)
    assert series["frame_index"].tolist() == [0, 3, 6, 9, 12, 27]
    assert series["time_s"].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.9])
    assert series["bridged"].tolist() == [False, False, True, True, False, False]
    assert series["usable"].tolist() == [True, True, False, False, True, True]
    assert series["happiness_smoothed"].tolist() == pytest.approx([0.0, 0.3, 0.4, 0.5, 0.6, 1.0])
    assert series["happiness"].isna().tolist() == series["bridged"].tolist()
    assert series["duration_s"].tolist() == pytest.approx([0.1] * 6)
    assert not build_series(FRAMES, faces, ["happiness"], bridge_s=0)["bridged"].any()
    assert build_series(FRAMES, faces, ["happiness"], bridge_s=0.4)["bridged"].sum() == 6


def test_unusable_rows_stay_raw_and_are_bridged_like_gaps() -> None:
    faces = faces_at([0, 1, 2, 3], [0.0, 0.9, 0.4, 0.7], usable=[True, False, True, False])
    series = build_series(FRAMES, faces, ["happiness"])
    assert series["happiness"].tolist() == [0.0, 0.9, 0.4, 0.7]
    assert series["bridged"].tolist() == [False, True, False, False]
    assert series["happiness_smoothed"].tolist() == pytest.approx([0.0, 0.2, 0.4, np.nan], nan_ok=True)


def test_tracks_are_never_joined() -> None:
    faces = pd.concat([faces_at([0, 1], [0.1, 0.1]), faces_at([3, 4], [0.9, 0.9], track_id=2)])
    series = build_series(FRAMES, faces, ["happiness"], smoother=MedianFilter(1.0))
    assert series["track_id"].tolist() == [1, 1, 2, 2]
    assert series["happiness_smoothed"].tolist() == [0.1, 0.1, 0.9, 0.9]


def test_smoothing_does_not_reach_across_a_long_gap() -> None:
    faces = faces_at([0, 1, 5, 6], [0.0, 0.0, 1.0, 1.0])
    series = build_series(FRAMES, faces, ["happiness"], smoother=MedianFilter(5.0), bridge_s=0.1)
    assert series["happiness_smoothed"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_nobody_gives_an_empty_series() -> None:
    series = build_series(FRAMES, faces_at([], []), ["happiness"], smoother=MedianFilter(1.0))
    assert series.empty
    assert resample(series, ["happiness_smoothed"], 1.0).empty
    nothing_usable = build_series(FRAMES, faces_at([0], [0.5], usable=[False]), ["happiness"])
    assert resample(nothing_usable, ["happiness_smoothed"], 1.0).empty


def test_epochs_by_hand() -> None:
    faces = pd.concat([faces_at([0, 1, 4, 9], [0.0, 0.3, 0.6, 1.0]), faces_at([2], [0.5], track_id=7)])
    series = build_series(FRAMES, faces, ["happiness"], bridge_s=0.2)
    table = resample(series, ["happiness_smoothed"], 0.25)
    rows = list(table.drop(columns="video_id").itertuples(index=False, name=None))
    assert rows == [
        # From 0, 0.1 and half of the bridged frame at 0.2 s.
        (1, 0.0, 0.25, *map(pytest.approx, (0.2, 0.05, (0.1 * 0.0 + 0.1 * 0.3 + 0.05 * 0.4) / 0.25))),
        (1, 0.25, 0.5, *map(pytest.approx, (0.1, 0.15, (0.05 * 0.4 + 0.1 * 0.5 + 0.1 * 0.6) / 0.25))),
        (1, 0.5, 0.75, 0.0, 0.0, pytest.approx(np.nan, nan_ok=True)),  # in the long gap
        (1, 0.75, 1.0, pytest.approx(0.1), 0.0, pytest.approx(1.0)),
        (7, 0.0, 0.25, pytest.approx(0.05), 0.0, pytest.approx(0.5)),
        (7, 0.25, 0.5, pytest.approx(0.05), 0.0, pytest.approx(0.5)),
    ]
    shifted = resample(series, ["happiness_smoothed"], 0.25, origin_s=0.5)
    assert shifted["epoch_start_s"].tolist() == [-0.5, -0.25, 0.0, 0.25, -0.5, -0.25]


def test_a_rounding_error_at_an_edge_opens_no_epoch() -> None:
    series = build_series(FRAMES.assign(time_s=FRAMES["time_s"] + 10.7), faces_at([0, 1], [0.2, 0.4]), ["happiness"])
    table = resample(series, ["happiness_smoothed"], 0.1, origin_s=0.7)  # 10.7 - 0.7 < 10
    assert table["epoch_start_s"].tolist() == pytest.approx([10.0, 10.1])
    assert table["seen_s"].tolist() == pytest.approx([0.1, 0.1])


def test_a_signal_without_a_value_takes_no_time_from_the_others() -> None:
    series = build_series(FRAMES, faces_at([0, 1], [0.2, 0.4]), ["happiness"]).assign(valence=[np.nan, 0.5])
    (row,) = resample(series, ["happiness", "valence"], 1.0).to_dict("records")
    assert (row["seen_s"], row["happiness"], row["valence"]) == pytest.approx((0.2, 0.3, 0.5))


@given(
    seen=st.lists(st.booleans(), min_size=10, max_size=10),
    values=st.lists(st.floats(0, 1), min_size=10, max_size=10),
    epoch_s=st.floats(0.03, 2),
    bridge_s=st.floats(0, 0.5),
)
def test_resampling_conserves_time_and_stays_in_the_range(
    seen: list[bool], values: list[float], epoch_s: float, bridge_s: float
) -> None:
    positions = np.flatnonzero(seen).tolist()
    faces = faces_at(positions, [values[i] for i in positions])
    series = build_series(FRAMES, faces, ["happiness"], bridge_s=bridge_s)
    table = resample(series, ["happiness_smoothed"], epoch_s)
    assert table["seen_s"].sum() == pytest.approx(0.1 * len(positions))
    assert table["bridged_s"].sum() == pytest.approx(series["duration_s"][series["bridged"]].sum())
    total_s = (series["duration_s"] * series["happiness_smoothed"]).sum()
    means = table["happiness_smoothed"].fillna(0)
    assert ((table["seen_s"] + table["bridged_s"]) * means).sum() == pytest.approx(total_s, abs=1e-5)
    if positions:
        assert faces["happiness"].min() - 1e-9 <= table["happiness_smoothed"].min()
        assert table["happiness_smoothed"].max() <= faces["happiness"].max() + 1e-9


def test_lengths_are_checked() -> None:
    series = build_series(FRAMES, faces_at([0], [0.5]), ["happiness"])
    with pytest.raises(UsageError, match="epoch of 0 s"):
        resample(series, ["happiness_smoothed"], 0)
    with pytest.raises(UsageError, match="bridge of -1 s"):
        build_series(FRAMES, faces_at([0], [0.5]), ["happiness"], bridge_s=-1)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_million_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    frames = pd.DataFrame({"video_id": "v", "frame_index": np.arange(260_000)})
    frames["time_s"] = np.cumsum(rng.uniform(0.03, 0.05, len(frames)))
    keep = rng.random((len(frames), 4)) < 0.97
    at, place = np.nonzero(keep)
    faces = frames.iloc[at].reset_index(drop=True)
    faces["track_id"] = (4 * (at // 2500) + place + 1).astype(np.int32)  # 400 tracks
    faces[list(EMOTIONS)] = rng.dirichlet(np.ones(8), len(at)).astype(np.float32)
    faces["usable"] = rng.random(len(at)) < 0.9
    edges_s = np.arange(0, 10_000, 5.0)
    spans = pd.DataFrame({"video_id": "v", "segment": "s", "start_s": edges_s, "end_s": edges_s + 4})
    before_kib, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    labelled = label_rows(faces, spans)
    series = build_series(frames, faces, EMOTIONS, smoother=MedianFilter(0.5))
    smoothed = [f"{label}_smoothed" for label in EMOTIONS]
    epochs = resample(series, smoothed, 1.0)
    summary = summarize_segments(frames, faces, EMOTIONS, spans)
    changes = subtract_baseline(series, smoothed, seconds_in_window(series, 0, 60))
    took_s, grew_mib = (
        time.process_time() - started,
        (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024,
    )
    print(f"{len(faces)} rows: {took_s:.1f} s of one core, {grew_mib:.0f} MiB more")  # noqa: T201
    assert len(labelled) == len(faces)
    assert len(changes) == len(series) > len(faces)
    assert len(epochs) > 10_000
    assert len(summary) > len(spans)
    assert took_s < 10
    assert grew_mib < 1024

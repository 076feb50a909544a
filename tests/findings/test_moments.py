from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.errors import UsageError
from videmo.findings.moments import Limits, find_moments
from videmo.findings.shared_moments import shared_moments

LOW = Limits(min_strength=0.05, min_prominence=0.05, min_duration_s=0.0)
SPAN = ["start_s", "peak_s", "end_s"]


def observations(times_s: list[float], values: list[float], track_id: int = 1, last_s: float = 1.0) -> pd.DataFrame:
    """Return observations that hold until the next; NaN is a gap."""
    durations_s = np.append(np.diff(times_s), last_s)
    columns = {"time_s": np.asarray(times_s, float), "duration_s": durations_s, "happiness_smoothed": values}
    return pd.DataFrame({"video_id": "v", "track_id": track_id, **columns})


def epochs(values: list[float], start_s: float = 0.0, **columns: object) -> pd.DataFrame:
    """Return epochs of 1 s; NaN is one without a value."""
    starts_s = start_s + np.arange(len(values))
    edges = {"epoch_start_s": starts_s, "epoch_end_s": starts_s + 1, "seen_s": 1.0}
    return pd.DataFrame({"video_id": "v", "track_id": 1, **edges, "happiness": values} | columns)


def test_a_triangle_by_hand() -> None:
    rows = observations([0, 1, 2, 3, 4, 5, 6, 7], [0.1, 0.1, 0.1, 0.5, 0.9, 0.5, 0.1, 0.1])
    (moment,) = find_moments(rows, ["happiness"]).to_dict("records")
    assert moment == {
        **{"video_id": "v", "track_id": 1, "signal": "happiness", "rank": 1},
        **{"start_s": 3.0, "peak_s": 4.0, "end_s": 5.0, "duration_s": 2.0},
        **{"peak": 0.9, "baseline": 0.1, "strength": 0.8, "prominence": 0.8},
    }


def test_times_are_read_off_uneven_frames() -> None:
    # Up from 0 to 0.8 between 1 and 5 s, down to 0 between 5 and 5.5 s.
    rows = observations([0, 1, 5, 5.5, 9], [0, 0, 0.8, 0, 0])
    assert find_moments(rows, ["happiness"])[SPAN].to_numpy().tolist() == [[3.0, 5.0, 5.25]]


def test_a_small_hill_on_the_shoulder_of_a_large_one() -> None:
    # The second is 0.2 above the valley beside it, so it spans 0.5 to 0.5 = from 5.5 to 6.25.
    rows = observations(list(range(12)), [0, 0, 0.5, 1.0, 0.5, 0.4, 0.6, 0.2, 0, 0, 0, 0])
    moments = find_moments(rows, ["happiness"])
    assert moments["rank"].tolist() == [1, 2]
    assert moments["prominence"].tolist() == pytest.approx([1.0, 0.2])
    assert moments[SPAN].to_numpy().tolist() == [[2.0, 3.0, pytest.approx(4.0)], [5.5, 6.0, pytest.approx(6.25)]]
    assert len(find_moments(rows, ["happiness"], Limits(min_prominence=0.3))) == 1
    assert len(find_moments(rows, ["happiness"], Limits(min_strength=0.7))) == 1
    assert len(find_moments(rows, ["happiness"], Limits(min_duration_s=1.0))) == 1
    assert find_moments(rows, ["happiness"], Limits(top=1))["peak_s"].tolist() == [3.0]


def test_of_equal_peaks_the_first_counts_and_the_dip_decides_on_the_other() -> None:
    shallow = observations(list(range(9)), [0, 0, 0.9, 0.85, 0.9, 0, 0, 0, 0])
    assert find_moments(shallow, ["happiness"])[SPAN].to_numpy().tolist() == [[1.5, 2.0, 4.5]]
    deep = observations(list(range(9)), [0, 0, 0.9, 0.2, 0.9, 0, 0, 0, 0])
    moments = find_moments(deep, ["happiness"])
    assert moments["prominence"].tolist() == pytest.approx([0.9, 0.7])
    assert moments["peak_s"].tolist() == [2.0, 4.0]


def test_limits_include_their_value() -> None:
    rows = observations(list(range(7)), [0, 0, 0.5, 0, 0, 0, 0])
    at_the_limits = Limits(min_strength=0.5, min_prominence=0.5, min_duration_s=1.0)
    assert len(find_moments(rows, ["happiness"], at_the_limits)) == 1


def test_impossible_limits_are_named() -> None:
    with pytest.raises(UsageError, match="prominence of 0: expected a number above 0"):
        Limits(min_prominence=0)
    with pytest.raises(UsageError, match=r"strength of -0\.1: expected a number from 0"):
        Limits(min_strength=-0.1)


def test_gaps_part_moments_and_end_them() -> None:
    rows = observations(list(range(10)), [0, 0, 0.8, 0.8, np.nan, 0.6, 0, 0, 0, 0])
    # The first is up from 2 to 4 s, where the stretch ends; the second begins with the next one.
    moments = find_moments(rows, ["happiness"])
    assert moments[SPAN].to_numpy().tolist() == [[1.5, 2.0, 4.0], [5.0, 5.0, 5.5]]
    assert moments["peak"].tolist() == [0.8, 0.6]
    assert moments["prominence"].tolist() == [0.8, 0.6]


def test_a_stretch_that_is_high_throughout_is_a_moment() -> None:
    rows = observations([0, 1, 2, 3, 4, 5, 6], [0.1, 0.1, 0.1, np.nan, 0.9, 0.9, np.nan])
    (moment,) = find_moments(rows, ["happiness"]).to_dict("records")
    assert (moment["start_s"], moment["end_s"], moment["baseline"]) == (4.0, 6.0, 0.1)


def test_the_median_is_over_time_not_over_rows() -> None:
    # 0.3 holds for 6 of 10 s in one row.
    rows = observations([0, 1, 2, 3, 9], [0.0, 0.1, 0.9, 0.3, 0.0])
    assert find_moments(rows, ["happiness"])["baseline"].tolist() == [0.3]


def test_a_given_baseline_counts_instead_and_who_has_none_has_no_moments() -> None:
    values = [0.2, 0.2, 0.6, 0.2, 0.2]
    rows = observations(list(range(5)), values)
    rows = pd.concat([rows, rows.assign(track_id=2)])
    rows["happiness_change"] = [value - 0.25 for value in values] + [np.nan] * 5
    (moment,) = find_moments(rows, ["happiness"]).to_dict("records")
    assert (moment["track_id"], moment["peak"]) == (1, 0.6)
    assert (moment["baseline"], moment["strength"]) == pytest.approx((0.25, 0.35))


def test_epochs_peak_at_their_middle_on_media_time() -> None:
    rows = epochs([0.0, 0.8, 0.0, 0.0], start_s=-1.0, offset_s=10.0)
    assert find_moments(rows, ["happiness"])[SPAN].to_numpy().tolist() == [[10.0, 10.5, 11.0]]
    first = find_moments(epochs([0.8, 0.0, 0.0, 0.0]), ["happiness"])
    assert first[SPAN].to_numpy().tolist() == [[0.0, 0.5, 1.0]]


def test_people_do_not_meet() -> None:
    # One ends high where the other starts low, at the same time.
    one, other = observations([0, 1, 2], [0, 0, 0.9]), observations([3, 4, 5], [0, 0, 0.5], track_id=2)
    moments = find_moments(pd.concat([one, other]), ["happiness"], LOW)
    assert moments[["track_id", "rank", "start_s", "prominence"]].to_numpy().tolist() == [
        [1, 1, 1.5, 0.9],
        [2, 1, 4.5, 0.5],
    ]


def test_nothing_gives_an_empty_table_with_its_columns() -> None:
    flat = observations([0, 1, 2], [0.5, 0.5, 0.5])
    for rows in (flat, flat[:0]):
        moments = find_moments(rows, ["happiness"])
        assert moments.empty
        assert list(moments)[:6] == ["video_id", "track_id", "signal", "rank", "start_s", "peak_s"]
    with pytest.raises(UsageError, match="no signal 'hapiness_smoothed': did you mean 'happiness_smoothed'"):
        find_moments(flat, ["hapiness"])


@given(
    values=st.lists(st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.just(np.nan)), min_size=2, max_size=12),
    steps=st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=12, max_size=12),
    shift_s=st.sampled_from([-8.0, 0.5, 64.0]),
    seed=st.integers(0, 9),
)
def test_moments_follow_a_shift_of_time_and_ignore_the_order_of_rows(
    values: list[float], steps: list[float], shift_s: float, seed: int
) -> None:
    times_s = np.cumsum(steps[: len(values)]).tolist()
    rows = pd.concat([observations(times_s, values), observations(times_s, values[::-1], track_id=2)])
    moments = find_moments(rows, ["happiness"], LOW)
    shuffled = find_moments(rows.sample(frac=1, random_state=seed), ["happiness"], LOW)
    pd.testing.assert_frame_equal(moments, shuffled)
    shifted = find_moments(rows.assign(time_s=rows["time_s"] + shift_s), ["happiness"], LOW)
    pd.testing.assert_frame_equal(moments, shifted.assign(**{name: shifted[name] - shift_s for name in SPAN}))
    assert (moments["start_s"] <= moments["peak_s"]).all()
    assert (moments["peak_s"] <= moments["end_s"]).all()
    assert (moments["strength"] >= 0.05).all()


def test_moments_of_a_stimulus_and_who_shares_them() -> None:
    study = pd.concat(
        [
            epochs([0.5, 0, 0, 0.9, 0, 0, 0, 0], start_s=-1.0, respondent="r1", video_id="a"),  # 0.5 is before it
            epochs([0, 0, 0.6, 0, 0, 0, 0], respondent="r2", video_id="b", track_id=1),
            epochs([0, 0, 0.0, 0, 0, 0, 0], respondent="r3", video_id="c"),
            epochs([0, 0, np.nan, np.nan, 0, 0, 0], respondent="r4", video_id="d"),
        ]
    ).assign(stimulus="ad")
    (moment,) = shared_moments(study, ["happiness"]).to_dict("records")
    assert (moment["stimulus"], moment["signal"], moment["rank"]) == ("ad", "happiness", 1)
    # r4 is not seen at the peak: the mean is over three.
    assert (moment["peak"], moment["baseline"]) == pytest.approx((0.5, 0.0))
    assert (moment["start_s"], moment["peak_s"], moment["end_s"]) == pytest.approx((2.0, 2.5, 3.0))
    assert (moment["respondents"], moment["with_moment"], moment["share"]) == (3, 2, pytest.approx(2 / 3))


def test_the_last_face_left_is_no_moment_of_the_stimulus() -> None:
    study = pd.concat(
        [
            epochs([0, 0.6, 0, 0, 0, 0.9, 0.9], respondent="r1", video_id="a"),
            epochs([0, 0.6, 0, 0], respondent="r2", video_id="b"),
            epochs([0, 0.6, 0, 0], respondent="r3", video_id="c"),
        ]
    ).assign(stimulus="ad")
    moments = shared_moments(study, ["happiness"])
    assert moments[["peak_s", "respondents", "share"]].to_numpy().tolist() == [[1.5, 3, 1.0]]


def test_each_stimulus_has_moments_of_its_own_and_a_respondent_counts_once() -> None:
    study = pd.concat(
        [
            epochs([0, 0.8, 0, 0, 0], respondent="r1", stimulus="x", video_id="a"),
            epochs([0, 0.4, 0, 0, 0], respondent="r1", stimulus="x", video_id="b"),
            epochs([0, 0.0, 0, 0, 0], respondent="r2", stimulus="x", video_id="c"),
            epochs([0, 0, 0, 0.9, 0], respondent="r1", stimulus="y", video_id="d"),
        ]
    )
    moments = shared_moments(study, ["happiness"])
    assert moments["stimulus"].tolist() == ["x", "y"]
    assert moments["peak"].tolist() == pytest.approx([(0.6 + 0.0) / 2, 0.9])
    assert moments["respondents"].tolist() == [2, 1]
    assert moments["share"].tolist() == [0.5, 1.0]
    assert shared_moments(study, ["happiness"], Limits(min_strength=0.95)).empty


def test_shared_moments_are_measured_from_the_baselines_of_the_respondents() -> None:
    study = pd.concat(
        [
            epochs([0.3, 0.7, 0.3, 0.3], respondent="r1", happiness_change=[0.0, 0.4, 0.0, 0.0]),
            epochs([0.1, 0.3, 0.1, 0.1], respondent="r2", happiness_change=[0.0, 0.2, 0.0, 0.0]),
            epochs([0.9, 0.0, 0.9, 0.9], respondent="r3", happiness_change=np.nan),
        ]
    )
    (moment,) = shared_moments(study, ["happiness"]).to_dict("records")
    assert (moment["stimulus"], moment["respondents"]) == ("all", 2)
    assert (moment["peak"], moment["baseline"], moment["strength"]) == pytest.approx((0.5, 0.2, 0.3))

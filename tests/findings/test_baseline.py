from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from videmo.errors import UsageError
from videmo.findings.baseline import seconds_in_segments, seconds_in_window, subtract_baseline

# Two files of respondent r, one of s, one of nobody known.
ROWS = pd.DataFrame(
    [
        ("a", 1, "r", 0.0, 1.0, 0.2),
        ("a", 1, "r", 1.0, 3.0, 0.6),
        ("a", 1, "r", 4.0, 1.0, 0.9),
        ("b", 1, "r", 0.0, 2.0, 0.1),
        ("b", 1, "r", 2.0, 2.0, np.nan),
        ("c", 1, "s", 5.0, 1.0, 0.4),
        ("d", 1, None, 0.0, 1.0, 0.8),
    ],
    columns=["video_id", "track_id", "respondent", "time_s", "duration_s", "happiness"],
)


def test_baseline_of_each_track_by_hand() -> None:
    table = subtract_baseline(ROWS, ["happiness"], seconds_in_window(ROWS, 0, 4))
    mean_a = (1.0 * 0.2 + 3.0 * 0.6) / 4.0
    expected = [0.2 - mean_a, 0.6 - mean_a, 0.9 - mean_a, 0.0, np.nan, np.nan, 0.0]
    assert table["happiness_change"].tolist() == pytest.approx(expected, nan_ok=True)
    assert table["baseline_s"].tolist() == [4.0, 4.0, 4.0, 2.0, 2.0, 0.0, 1.0]
    assert table[ROWS.columns].equals(ROWS)


def test_baseline_across_the_files_of_a_respondent_by_hand() -> None:
    table = subtract_baseline(ROWS, ["happiness"], seconds_in_window(ROWS, 0, 4), by=["respondent"])
    mean_r = (1.0 * 0.2 + 3.0 * 0.6 + 2.0 * 0.1) / 6.0
    expected = [0.2 - mean_r, 0.6 - mean_r, 0.9 - mean_r, 0.1 - mean_r, np.nan, np.nan, np.nan]
    assert table["happiness_change"].tolist() == pytest.approx(expected, nan_ok=True)
    assert table["baseline_s"].tolist() == pytest.approx([6.0] * 5 + [0.0, np.nan], nan_ok=True)


def test_the_mean_change_over_the_baseline_is_nothing() -> None:
    within_s = seconds_in_window(ROWS, 0, 4)
    table = subtract_baseline(ROWS, ["happiness"], within_s, by=["respondent"])
    table = table[(within_s > 0) & (ROWS["respondent"] == "r")]
    assert (table["duration_s"] * table["happiness_change"]).sum() == pytest.approx(0.0)


def test_a_signal_without_a_value_takes_no_time_from_the_others() -> None:
    rows = ROWS.assign(valence=[np.nan, 0.5, 0.1, *[0.0] * 4])
    table = subtract_baseline(rows, ["happiness", "valence"], seconds_in_window(rows, 0, 4))
    assert table["happiness_change"][0] == pytest.approx(0.2 - (0.2 + 3 * 0.6) / 4)
    assert table["valence_change"][:3].tolist() == pytest.approx([np.nan, 0.0, -0.4], nan_ok=True)
    assert table["baseline_s"][0] == 4.0


def test_windows_are_on_stimulus_time_where_there_is_an_offset() -> None:
    assert seconds_in_window(ROWS, 1, 4).tolist() == [0, 3, 0, 1, 2, 0, 0]
    shifted = ROWS.assign(offset_s=[1.0, 1.0, 1.0, 0.0, 0.0, np.nan, 0.0])
    assert seconds_in_window(shifted, 0, 1).tolist() == [0, 1, 0, 1, 0, 0, 1]


def test_an_observation_across_the_end_of_the_baseline_counts_by_its_share() -> None:
    table = subtract_baseline(ROWS, ["happiness"], seconds_in_window(ROWS, 0, 1.5))
    assert table["baseline_s"][0] == 1.5
    assert table["happiness_change"][2] == pytest.approx(0.9 - (1.0 * 0.2 + 0.5 * 0.6) / 1.5)


def test_time_in_segments_that_overlap_counts_once() -> None:
    rows = pd.DataFrame({"time_s": [0.0, 1.0, 2.0, 6.0], "duration_s": [1.0, 1.0, 4.0, 1.0]})
    segments = pd.DataFrame({"start_s": [3.0, 0.5, 0.75, 6.5], "end_s": [4.0, 1.25, 1.0, 9.0]})
    assert seconds_in_segments(rows, segments).tolist() == [0.5, 0.25, 1.0, 0.5]
    assert seconds_in_segments(rows, segments[:0]).tolist() == [0.0] * 4


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(UsageError, match="baseline from 4 to 4 s"):
        seconds_in_window(ROWS, 4, 4)
    with pytest.raises(UsageError, match="no column panel in the table: give a manifest"):
        subtract_baseline(ROWS, ["happiness"], seconds_in_window(ROWS, 0, 4), by=["panel"])
    assert subtract_baseline(ROWS[:0], ["happiness"], seconds_in_window(ROWS[:0], 0, 4)).empty

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from videmo.errors import UsageError
from videmo.findings.baseline import in_window, subtract_baseline

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
    table = subtract_baseline(ROWS, ["happiness"], in_window(ROWS, 0, 4))
    mean_a = (1.0 * 0.2 + 3.0 * 0.6) / 4.0
    expected = [0.2 - mean_a, 0.6 - mean_a, 0.9 - mean_a, 0.0, np.nan, np.nan, 0.0]
    assert table["happiness_change"].tolist() == pytest.approx(expected, nan_ok=True)
    assert table["baseline_s"].tolist() == [4.0, 4.0, 4.0, 2.0, 2.0, 0.0, 1.0]
    assert table[ROWS.columns].equals(ROWS)


def test_baseline_across_the_files_of_a_respondent_by_hand() -> None:
    table = subtract_baseline(ROWS, ["happiness"], in_window(ROWS, 0, 4), by=["respondent"])
    mean_r = (1.0 * 0.2 + 3.0 * 0.6 + 2.0 * 0.1) / 6.0
    expected = [0.2 - mean_r, 0.6 - mean_r, 0.9 - mean_r, 0.1 - mean_r, np.nan, np.nan, np.nan]
    assert table["happiness_change"].tolist() == pytest.approx(expected, nan_ok=True)
    assert table["baseline_s"].tolist() == pytest.approx([6.0] * 5 + [0.0, np.nan], nan_ok=True)


def test_the_mean_change_over_the_baseline_is_nothing() -> None:
    within = in_window(ROWS, 0, 4)
    table = subtract_baseline(ROWS, ["happiness"], within, by=["respondent"])[within & (ROWS["respondent"] == "r")]
    assert (table["duration_s"] * table["happiness_change"]).sum() == pytest.approx(0.0)


def test_a_signal_without_a_value_takes_no_time_from_the_others() -> None:
    rows = ROWS.assign(valence=[np.nan, 0.5, 0.1, *[0.0] * 4])
    table = subtract_baseline(rows, ["happiness", "valence"], in_window(rows, 0, 4))
    assert table["happiness_change"][0] == pytest.approx(0.2 - (0.2 + 3 * 0.6) / 4)
    assert table["valence_change"][:3].tolist() == pytest.approx([np.nan, 0.0, -0.4], nan_ok=True)
    assert table["baseline_s"][0] == 4.0


def test_windows_are_on_stimulus_time_where_there_is_an_offset() -> None:
    assert in_window(ROWS, 1, 4).tolist() == [False, True, False, False, True, False, False]
    shifted = ROWS.assign(offset_s=[1.0, 1.0, 1.0, 0.0, 0.0, np.nan, 0.0])
    assert in_window(shifted, 0, 1).tolist() == [False, True, False, True, False, False, True]


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(UsageError, match="baseline from 4 to 4 s"):
        in_window(ROWS, 4, 4)
    with pytest.raises(UsageError, match="no column panel in the table: give a manifest"):
        subtract_baseline(ROWS, ["happiness"], in_window(ROWS, 0, 4), by=["panel"])
    assert subtract_baseline(ROWS[:0], ["happiness"], in_window(ROWS[:0], 0, 4)).empty

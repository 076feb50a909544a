"""`videmo timelines`, on tables written without any model."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from written_runs import write_segments, write_study, write_video

from videmo.cli.values import parse_baseline, parse_bridge, parse_names, parse_smoother
from videmo.errors import UsageError
from videmo.findings.smoothing import ExponentialAverage, MedianFilter, SavitzkyGolay

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """One video of 4 s at 10 frames/s; the stimulus starts at 1 s; happiness is 0.1 until 3 s, then 0.9."""
    times_s = np.arange(40) / 10
    happiness = np.where(times_s < 3, 0.1, 0.9)
    write_video(tmp_path, "a", times_s, pd.DataFrame({"frame_index": range(40), "happiness": happiness}))
    write_study(tmp_path, {"a": {"respondent": "r1", "stimulus": "ad", "offset_s": 1.0}})
    write_segments(tmp_path, ("a", "rest", 0.0, 1.0))
    return tmp_path


def test_epochs_on_stimulus_time_with_a_baseline(run_folder: Path, run_cli: Cli) -> None:
    options = ["--epoch", "1s", "--baseline", "-1-0s", "--signals", "happiness", "--format", "csv"]
    code, out, err = run_cli("timelines", run_folder, *options)
    assert (code, err) == (0, "")
    rows = pd.read_csv(io.StringIO(out))
    assert list(rows) == [
        *("video_id", "track_id", "epoch_start_s", "epoch_end_s", "seen_s", "bridged_s", "happiness"),
        *("baseline_s", "happiness_change", "respondent", "stimulus", "offset_s"),
    ]
    assert rows["epoch_start_s"].tolist() == [-1, 0, 1, 2]
    assert rows["happiness_change"].tolist() == pytest.approx([0, 0, 0, 0.8])


def test_the_lag_is_told_and_stays_with_the_file(run_folder: Path, run_cli: Cli) -> None:
    path = run_folder / "timelines.parquet"
    options = ["--smooth", "ema:0.5s", "--baseline", "rest", "--person", "largest", "--baseline-by", "respondent"]
    code, out, err = run_cli("timelines", run_folder, *options, "--format", "parquet", "--output", path)
    assert (code, out) == (0, "")
    assert err.startswith(
        "note: ExponentialAverage(half_life_s=0.5): smoothed values trail behind the raw ones by 0.721"
    )
    rows = pd.read_parquet(path)
    assert rows.attrs["lag_s"] == pytest.approx(0.5 / np.log(2))
    assert (rows.attrs["baseline"], rows.attrs["person"], rows["track_id"].unique()) == ("rest", "largest", [0])
    assert rows["happiness_change"].iloc[0] == pytest.approx(0.0)


def test_long_tables_are_cut_for_people_only(run_folder: Path, run_cli: Cli) -> None:
    _, shown, _ = run_cli("timelines", run_folder, "--epoch", "10ms", "--signals", "happiness")
    assert "the first and last 100 of 400 rows: --format csv or parquet gives all" in shown
    assert len(shown.splitlines()) < 210
    _, out, _ = run_cli("timelines", run_folder, "--epoch", "10ms", "--signals", "happiness", "--format", "json")
    assert len(json.loads(out)) == 400


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--smooth", "mean:1s"],
            "--smooth 'mean:1s': expected median:0.5s, ema:0.5s (its half-life), savgol:1s or none",
        ),
        (["--smooth", "ema"], "--smooth 'ema': expected median:0.5s"),
        (["--epoch", "0"], "--epoch '0': expected a time such as 1s"),
        (["--bridge", "-1s"], "--bridge '-1s': expected a time such as 1s"),
        (["--baseline", "5-1s"], "--baseline '5-1s': expected a window such as 0-5s or -5-0s, or the name"),
        (["--baseline", "pause"], "baseline 'pause': no segment of this name in the run; it has rest"),
        (["--baseline-by", "respondent"], "--baseline-by says whose baseline it is: give its window with --baseline"),
        (["--signals", "joy"], "signal joy: this run has neutral, happiness,"),
    ],
)
def test_bad_values_give_one_line_with_the_forms(run_folder: Path, run_cli: Cli, options: list[str], says: str) -> None:
    code, out, err = run_cli("timelines", run_folder, *options)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err


def test_values_mean_what_they_say() -> None:
    assert parse_smoother("median:500ms") == MedianFilter(0.5)
    assert parse_smoother("ema:2s") == ExponentialAverage(2.0)
    assert parse_smoother("savgol:1") == SavitzkyGolay(1.0)
    assert parse_smoother("none") is None
    assert parse_baseline("0-5s") == (0.0, 5.0)
    assert parse_baseline("-5-0s") == (-5.0, 0.0)
    assert parse_baseline("-10s - -5s") == (-10.0, -5.0)
    assert parse_baseline("500-1500ms") == (0.5, 1.5)
    assert parse_baseline("500ms-2s") == (0.5, 2.0)
    assert parse_baseline("pre-roll") == "pre-roll"
    assert [parse_bridge(text) for text in ("0", "0s", "0.0ms", "250ms")] == [0.0, 0.0, 0.0, 0.25]
    assert parse_names([" a, b,", "c", "a"]) == ("a", "b", "c")
    assert parse_names(None) == ()
    with pytest.raises(UsageError, match="--bridge 'x'"):
        parse_bridge("x")

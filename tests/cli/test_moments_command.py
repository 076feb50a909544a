"""`videmo moments`, on tables written without any model."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reported_runs import finish
from written_runs import write_study, write_video

from videmo.findings.report.groups import compare_respondents

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Three respondents who watch one ad, which starts 1 s later in each; two of them smile 4 to 5 s into it."""
    times_s = np.arange(100) / 10
    for number, video_id in enumerate("abc"):
        smiles = (times_s >= 4 + number) & (times_s < 5 + number) & (number < 2)
        faces = pd.DataFrame({"frame_index": range(100), "happiness": np.where(smiles, 0.9, 0.0)})
        write_video(tmp_path, video_id, times_s, faces)
    write_study(
        tmp_path, {v: {"respondent": f"r{v}", "stimulus": "ad", "offset_s": float("abc".index(v))} for v in "abc"}
    )
    return tmp_path


def test_moments_of_each_respondent_on_media_time(run_folder: Path, run_cli: Cli) -> None:
    code, out, err = run_cli("moments", run_folder, "--smooth", "none", "--format", "csv")
    assert (code, err) == (0, "")
    rows = pd.read_csv(io.StringIO(out))
    keys = ["video_id", "signal", "rank", "start_s", "end_s", "strength", "respondent", "stimulus"]
    assert list(rows[keys].itertuples(index=False, name=None)) == [
        ("a", "happiness", 1, *map(pytest.approx, (3.95, 4.95, 0.9)), "ra", "ad"),
        ("b", "happiness", 1, *map(pytest.approx, (4.95, 5.95, 0.9)), "rb", "ad"),
    ]


def test_moments_of_the_stimulus_and_their_share(run_folder: Path, run_cli: Cli) -> None:
    options = ["--by", "stimulus", "--signal", "happiness", "--baseline", "0-2s"]
    path = run_folder / "moments.parquet"
    code, out, err = run_cli("moments", run_folder, *options, "--format", "parquet", "--output", path)
    assert (code, out) == (0, "")
    assert "note: MedianFilter(window_s=0.5): smoothed values trail behind the raw ones by 0 s" in err
    table = pd.read_parquet(path)
    (row,) = table.to_dict("records")
    assert (row["stimulus"], row["signal"], row["respondents"], row["with_moment"]) == ("ad", "happiness", 3, 2)
    assert (row["peak"], row["share"]) == pytest.approx((0.6, 2 / 3))
    assert 3.5 < row["start_s"] < 4.5 < row["end_s"] < 5.5
    assert (table.attrs["epoch_s"], table.attrs["person"]) == (0.5, "largest")


def test_the_report_and_the_command_it_names_agree(run_folder: Path, run_cli: Cli) -> None:
    groups = compare_respondents(finish(run_folder), None)
    assert groups is not None
    path, epoch = run_folder / "moments.parquet", f"{groups.epoch_s:g}s"
    options = ["--by", "stimulus", "--smooth", "none", "--epoch", epoch]
    assert run_cli("moments", run_folder, *options, "--format", "parquet", "--output", path)[0] == 0
    reported = groups.moments[groups.moments["signal"] == "happiness"]
    assert len(reported) == 1
    pd.testing.assert_frame_equal(pd.read_parquet(path), reported, check_like=True)


def test_people_are_told_where_there_is_nothing(run_folder: Path, run_cli: Cli) -> None:
    code, out, _ = run_cli("moments", run_folder, "--min-strength", "0.95")
    assert (code, out) == (
        0,
        "no moment: lower --min-strength, --min-prominence or --min-duration to see weaker ones\n",
    )
    code, _, err = run_cli("moments", run_folder, "--min-duration", "long")
    assert (code, "--min-duration 'long': expected a time such as 1s" in err) == (2, True)
    code, _, err = run_cli("moments", run_folder, "--signal", "joy")
    assert (code, "signal joy: this run has neutral, happiness" in err) == (2, True)

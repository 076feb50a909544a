"""`videmo aggregate` and `videmo charts`, on tables written without any model."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from written_runs import write_study, write_video

Cli = Callable[..., tuple[int, str, str]]
TIMES_S = np.arange(0, 20, 0.5)
PEOPLE = {f"v{i}": {"respondent": f"r{i}", "stimulus": "spot", "condition": "xy"[i % 2]} for i in range(8)}


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Eight respondents, 20 s at 2 frames/s; all smile from 8 to 12 s, those under x to 0.8, the others to 0.3."""
    out = tmp_path / "out"
    for i, video_id in enumerate(PEOPLE):
        wiggle = 0.02 * np.random.default_rng(i).random(len(TIMES_S))
        smile = np.where((TIMES_S >= 8) & (TIMES_S < 12), [0.8, 0.3][i % 2], 0.1) + wiggle
        write_video(out, video_id, TIMES_S.tolist(), pd.DataFrame({"frame_index": range(40), "happiness": smile}))
    write_study(out, PEOPLE)
    return out


def test_groups_are_compared_and_written_to_a_folder(run_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    to = tmp_path / "tables"
    code, out, err = run_cli("aggregate", run_folder, "--by", "condition", "--signal", "happiness", "--output", to)
    assert (code, out, err) == (0, "", "")
    assert sorted(path.name for path in to.iterdir()) == [
        "comparison.csv", "curves.csv", "respondents.csv", "synchrony.csv",
    ]  # fmt: skip
    curves = pd.read_csv(to / "curves.csv").set_index(["group", "epoch_start_s"])
    assert curves["respondents"].unique().tolist() == [4]
    assert curves.loc[("x", 9.0), "mean"] == pytest.approx(0.81, abs=0.01)
    assert curves.loc[("x", 9.0), "showing"] == 1.0
    assert curves.loc[("y", 9.0), "showing"] == 0.0
    compared = pd.read_csv(to / "comparison.csv")
    cluster = compared.loc[compared[compared["cluster"] > 0]["difference"].idxmax()]
    assert (cluster["start_s"], cluster["end_s"]) == (8.0, 12.0)
    # Of the 70 ways to make two groups of four only two are as extreme.
    assert cluster["p"] == pytest.approx(2 / 70, abs=0.012)
    assert cluster["p_corrected"] == cluster["p"]
    assert cluster["difference"] == pytest.approx(0.5, abs=0.01)
    alike = pd.read_csv(to / "synchrony.csv")
    assert (alike["isc"] > 0.95).all()
    assert len(pd.read_csv(to / "respondents.csv")) == 8


def test_people_read_it_in_short(run_folder: Path, run_cli: Cli) -> None:
    code, out, _ = run_cli("aggregate", run_folder, "--signal", "happiness", "--permutations", "50")
    assert code == 0
    assert "comparison" not in out
    curves, synchrony = out.split("\nsynchrony\n")
    assert curves.split()[:5] == ["curves", "stimulus", "group", "signal", "respondents"]
    assert curves.splitlines()[-1].split()[:4] == ["spot", "all", "happiness", "8"]
    assert synchrony.splitlines()[-1].split()[:4] == ["spot", "all", "happiness", "8"]


def test_one_table_goes_to_stdout_or_to_a_file(run_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    options = ["--signal", "happiness", "--permutations", "20", "--table", "curves"]
    code, out, _ = run_cli("aggregate", run_folder, *options, "--epoch", "5s", "--format", "csv")
    assert (code, len(pd.read_csv(io.StringIO(out)))) == (0, 4)
    assert run_cli("aggregate", run_folder, *options, "--output", tmp_path / "curves.parquet")[0] == 0
    assert len(pd.read_parquet(tmp_path / "curves.parquet")) == 20
    assert run_cli("aggregate", run_folder, *options, "--output", tmp_path / "curves.json")[0] == 0
    assert len(json.loads((tmp_path / "curves.json").read_text())) == 20


def test_a_suffix_in_capitals_is_one_too(run_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    to = tmp_path / "curves.CSV"
    options = ["--signal", "happiness", "--permutations", "9", "--epoch", "5s", "--table", "curves"]
    assert run_cli("aggregate", run_folder, *options, "--output", to)[0] == 0
    assert len(pd.read_csv(to)) == 4


def test_with_a_baseline_changes_are_analysed(run_folder: Path, run_cli: Cli) -> None:
    options = ["--signal", "happiness", "--baseline", "0-5s", "--permutations", "20", "--table", "curves"]
    code, out, _ = run_cli("aggregate", run_folder, *options, "--format", "csv", "--by", "condition")
    assert code == 0
    curves = pd.read_csv(io.StringIO(out))
    assert curves["signal"].unique().tolist() == ["happiness_change"]
    assert curves.set_index(["group", "epoch_start_s"]).loc[("x", 9.0), "mean"] == pytest.approx(0.7, abs=0.01)


def test_the_same_seed_writes_the_same(run_folder: Path, run_cli: Cli) -> None:
    options = ["--by", "condition", "--signal", "happiness", "--table", "comparison", "--format", "csv"]
    first, again, other = (
        run_cli("aggregate", run_folder, *options, "--permutations", "99", "--seed", seed)[1] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_charts_are_drawn_on_the_way(run_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    options = ["--by", "condition", "--signal", "happiness", "--permutations", "20", "--chart-format", "svg"]
    assert run_cli("aggregate", run_folder, *options, "--charts", tmp_path / "charts")[0] == 0
    assert sorted(path.name for path in (tmp_path / "charts").iterdir()) == [
        "curves_spot.svg", "heat_spot_happiness.svg", "ribbons_spot.svg",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--table", "comparison"], "--table comparison: groups are compared with --by COLUMN"),
        (["--table", "curves", "--format", "parquet"], "--format parquet needs --output FILE"),
        (["--table", "curves", "--format", "json", "--output", "c.csv"], "--output c.csv cannot be of --format json"),
        (["--format", "table", "--output", "folder"], "--output folder cannot be of --format table"),
    ],
)
def test_how_to_write_is_asked_before_the_work(options: list[str], says: str, run_cli: Cli, tmp_path: Path) -> None:
    code, _, err = run_cli("aggregate", tmp_path / "not looked for", *options)
    assert code == 2
    assert err.startswith(f"videmo: {says}")


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("video", [f"v{i}.svg" for i in range(8)]),
        ("respondent", [f"respondent_r{i}.svg" for i in range(8)]),
        ("condition", ["curves_spot.svg", "heat_spot_happiness.svg", "ribbons_spot.svg"]),
    ],
)
def test_charts_of_videos_respondents_and_groups(
    run_folder: Path, run_cli: Cli, tmp_path: Path, by: str, names: list[str]
) -> None:
    to = tmp_path / "charts"
    options = ["--by", by, "--format", "svg", "--out", to, "--signal", "happiness"]
    code, out, _ = run_cli("charts", run_folder, *options)
    assert code == 0
    assert out.split() == [str(to / name) for name in names]
    for name in names:
        assert ElementTree.parse(to / name).getroot().tag.endswith("svg")


def test_charts_of_a_run_without_a_finished_video_are_refused(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    code, out, err = run_cli("charts", tmp_path, "--out", tmp_path / "charts")
    assert (code, out) == (2, "")
    assert "no video of this run is finished" in err


def test_what_cannot_be_aggregated_is_named(run_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    def error(*options: object) -> str:
        code, out, err = run_cli(*options)
        assert (code, out) == (2, "")
        return err

    assert "no column of the study 'conditon': did you mean 'condition'" in error(
        "aggregate", run_folder, "--by", "conditon"
    )
    assert "no column of the study 'vidoe': did you mean 'video'" in error(
        "charts", run_folder, "--by", "vidoe", "--out", tmp_path
    )
    assert "signal hapiness: this run has neutral" in error("aggregate", run_folder, "--signal", "hapiness")
    assert "'stimulus' makes 1 group" in error("aggregate", run_folder, "--by", "stimulus", "--permutations", "9")
    assert "choose it with --table (curves, comparison" in error("aggregate", run_folder, "--format", "csv")
    assert "groups are compared with --by" in error(
        "aggregate", run_folder, "--table", "comparison", "--permutations", "9"
    )
    write_study(run_folder, {f"v{i}": {"respondent": "rs"[i % 2], "stimulus": "spot"} for i in range(8)})
    assert "fewer than 3 usable respondents" in error("aggregate", run_folder)
    (run_folder / "study.parquet").unlink()
    message = error("aggregate", run_folder)
    assert f"{run_folder}: no study in this run" in message
    assert "--resume --manifest study.csv" in message

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_runs import write_segments, write_study, write_video

from videmo.errors import UsageError
from videmo.findings.respondent import take_largest
from videmo.findings.smoothing import ExponentialAverage, MedianFilter
from videmo.findings.tables import Run
from videmo.findings.timelines import TimelineOptions, build_timelines

HAPPY = ("happiness",)


def happy(values: list[float], **columns: object) -> pd.DataFrame:
    """Return faces in the first frames, one each."""
    return pd.DataFrame({"frame_index": range(len(values)), "happiness": values, **columns})


@pytest.fixture
def study(tmp_path: Path) -> Run:
    """Three recordings: two of r1 and one of r2, whose stimuli start at 0, 0.5 and 1 s; VFR in the second."""
    write_video(tmp_path, "a", [0.0, 0.5, 1.0, 1.5], happy([0.2, 0.4, 0.6, 0.8]))
    write_video(tmp_path, "b", [0.0, 0.5, 1.5], happy([0.0, 0.3, 0.9]))  # the last holds for 0.75 s, a usual step
    write_video(tmp_path, "c", [0.0, 0.5, 1.0, 1.5], happy([0.1, 0.1, 0.5, 0.7]))
    write_study(
        tmp_path,
        {
            "a": {"respondent": "r1", "stimulus": "x", "offset_s": 0.0},
            "b": {"respondent": "r1", "stimulus": "y", "offset_s": 0.5},
            "c": {"respondent": "r2", "stimulus": "x", "offset_s": 1.0},
        },
    )
    return Run(tmp_path)


def test_observations_are_on_stimulus_time_and_carry_the_study(study: Run) -> None:
    rows = build_timelines(study, TimelineOptions(signals=HAPPY))
    assert list(rows) == [
        *("video_id", "track_id", "frame_index", "time_s", "stimulus_s", "duration_s", "usable", "bridged"),
        *("happiness", "happiness_smoothed", "respondent", "stimulus", "offset_s"),
    ]
    assert rows["stimulus_s"].tolist() == [0, 0.5, 1, 1.5, -0.5, 0, 1, -1, -0.5, 0, 0.5]
    assert rows["duration_s"].tolist() == [0.5] * 4 + [0.5, 1, 0.75] + [0.5] * 4
    assert rows["respondent"].tolist() == ["r1"] * 7 + ["r2"] * 4


def test_epochs_of_every_video_share_the_time_of_the_stimulus(study: Run) -> None:
    rows = build_timelines(study, TimelineOptions(epoch_s=1.0, signals=HAPPY))
    keys = ["video_id", "epoch_start_s", "epoch_end_s", "seen_s", "happiness", "stimulus"]
    assert list(rows[keys].itertuples(index=False, name=None)) == [
        ("a", 0, 1, 1, pytest.approx(0.3), "x"),
        ("a", 1, 2, 1, pytest.approx(0.7), "x"),
        ("b", -1, 0, 0.5, pytest.approx(0.0), "y"),
        ("b", 0, 1, 1, pytest.approx(0.3), "y"),
        ("b", 1, 2, 0.75, pytest.approx(0.9), "y"),
        ("c", -1, 0, 1, pytest.approx(0.1), "x"),
        ("c", 0, 1, 1, pytest.approx(0.6), "x"),
    ]


def test_each_track_against_the_first_second_of_the_stimulus(study: Run) -> None:
    rows = build_timelines(study, TimelineOptions(epoch_s=1.0, baseline=(0.0, 1.0), signals=HAPPY))
    means = {"a": 0.3, "b": 0.3, "c": 0.6}
    expected = [row.happiness - means[row.video_id] for row in rows.itertuples()]
    assert rows["happiness_change"].tolist() == pytest.approx(expected, abs=1e-6)
    assert rows["baseline_s"].unique().tolist() == [1.0]
    assert list(rows)[-3:] == ["respondent", "stimulus", "offset_s"]
    assert rows.attrs["notes"] == []


def test_one_baseline_across_the_files_of_a_respondent(study: Run) -> None:
    options = TimelineOptions(epoch_s=1.0, baseline=(-1.0, 0.0), baseline_by=("respondent",), signals=HAPPY)
    rows = build_timelines(study, options)
    # Before its stimulus r1 is seen in b only, for 0.5 s at 0; r2 in c for 1 s at 0.1.
    assert rows["baseline_s"].tolist() == [0.5] * 5 + [1.0] * 2
    assert rows["happiness_change"].tolist() == pytest.approx([0.3, 0.7, 0, 0.3, 0.9, 0, 0.5])
    by_track = build_timelines(study, TimelineOptions(epoch_s=1.0, baseline=(-1.0, 0.0), signals=HAPPY))
    assert by_track["happiness_change"][:2].isna().all()
    assert by_track.attrs["notes"] == ["no baseline time for 1 of 3 by video_id and track_id: their changes are empty"]


def test_a_segment_is_a_baseline_and_counts_once_where_it_overlaps_itself(study: Run) -> None:
    write_segments(
        study.out, ("a", "rest", 0.0, 1.0), ("a", "rest", 0.5, 1.0), ("a", "ad", 1.0, 2.0), ("b", "rest", 0.0, 0.5)
    )
    rows = build_timelines(study, TimelineOptions(baseline="rest", signals=HAPPY))
    of_a = rows[rows["video_id"] == "a"]
    assert of_a["baseline_s"].tolist() == [1.0] * 4
    assert of_a["happiness_change"].tolist() == pytest.approx([-0.1, 0.1, 0.3, 0.5])
    assert rows.groupby("video_id")["baseline_s"].first().tolist() == [1.0, 0.5, 0.0]
    with pytest.raises(UsageError, match="baseline 'pause': no segment of this name in the run; it has rest, ad"):
        build_timelines(study, TimelineOptions(baseline="pause"))


def test_smoothing_comes_before_the_baseline_and_its_lag_is_told(study: Run) -> None:
    smoother = ExponentialAverage(0.5)  # weights 1/2 for every 0.5 s of age
    rows = build_timelines(study, TimelineOptions(smoother=smoother, baseline=(0.0, 0.5), signals=HAPPY))
    smoothed = [0.2, (0.4 + 0.1) / 1.5, (0.6 + 0.2 + 0.05) / 1.75, (0.8 + 0.3 + 0.1 + 0.025) / 1.875]
    assert rows["happiness_smoothed"][:4].tolist() == pytest.approx(smoothed)
    assert rows["happiness_change"][:4].tolist() == pytest.approx([value - 0.2 for value in smoothed])
    assert rows.attrs["lag_s"] == pytest.approx(0.721, abs=1e-3)
    assert rows.attrs["smoother"] == "ExponentialAverage(half_life_s=0.5)"
    assert "trail behind the raw ones by 0.721 s" in rows.attrs["notes"][0]


def test_what_is_derived_comes_from_the_smoothed_probabilities(tmp_path: Path) -> None:
    write_video(tmp_path, "a", [0.0, 1.0, 2.0], happy([0.0, 0.9, 0.0]))
    rows = build_timelines(Run(tmp_path), TimelineOptions(smoother=MedianFilter(2.0)))
    assert rows["expressiveness"].tolist() == pytest.approx([0, 0.9, 0])
    assert rows["expressiveness_smoothed"].tolist() == pytest.approx([0.45, 0.0, 0.45])
    assert rows["valence_experimental_smoothed"].tolist() == pytest.approx([0.81 * 0.45, 0, 0.81 * 0.45])
    only = build_timelines(Run(tmp_path), TimelineOptions(smoother=MedianFilter(2.0), signals=("expressiveness",)))
    assert "neutral" not in only
    assert only["expressiveness_smoothed"].equals(rows["expressiveness_smoothed"])


def test_the_largest_usable_face_stands_for_the_respondent(tmp_path: Path) -> None:
    columns = ["frame_index", "track_id", "x2", "usable", "happiness"]
    rows = [
        (0, 1, 50.0, True, 0.1),
        (0, 2, 80.0, True, 0.2),  # larger
        (1, 1, 50.0, True, 0.3),  # the larger one is not usable
        (1, 2, 80.0, False, 0.4),
        (2, 4, 60.0, True, 0.5),
        (2, 3, 60.0, True, 0.6),  # as large, the lower id
        (3, 3, 60.0, False, 0.7),  # a gap of one frame
        (4, 5, 10.0, True, 0.8),
    ]
    write_video(tmp_path, "a", np.arange(6) / 2, pd.DataFrame(rows, columns=columns))
    options = TimelineOptions(person="largest", bridge_s=0.0, signals=HAPPY)
    series = build_timelines(Run(tmp_path), options)
    assert series["track_id"].tolist() == [0] * 4
    assert series["frame_index"].tolist() == [0, 1, 2, 4]
    assert series["happiness"].tolist() == pytest.approx([0.2, 0.3, 0.6, 0.8])
    bridged = build_timelines(Run(tmp_path), TimelineOptions(person="largest", bridge_s=0.5, signals=HAPPY))
    assert bridged["bridged"].tolist() == [False, False, False, True, False]
    assert bridged["happiness_smoothed"].tolist() == pytest.approx([0.2, 0.3, 0.6, 0.7, 0.8])


@pytest.mark.parametrize(
    ("decisions", "respondent", "taken"),
    [
        ("a,1,r1\na,2,bystander\n", "r1", [0.2, 0.2]),
        ("a,1,r1\n", "r1", [0.2, 0.2]),
        ("a,2,r1\n", "r1", [0.9]),
        ("a,1,Ann\na,2,Ben\n", "r1", [0.9, 0.2]),  # nobody bears the respondent's name
        ("b,1,r1\n", "r1", [0.9, 0.2]),
        ("a,1,r1\n", None, [0.9, 0.2]),
    ],
)
def test_the_largest_is_sought_among_those_named_as_the_respondent(
    tmp_path: Path, decisions: str, respondent: str | None, taken: list[float]
) -> None:
    faces = pd.DataFrame({"frame_index": [0, 0, 1], "track_id": [1, 2, 1], "happiness": [0.2, 0.9, 0.2]})
    write_video(tmp_path, "a", [0.0, 0.5], faces.assign(x2=[50.0, 100.0, 50.0]))
    if respondent:
        write_study(tmp_path, {"a": {"respondent": respondent}})
    (tmp_path / "identities.csv").write_text(f"video_id,track_id,identity\n{decisions}")
    rows = build_timelines(Run(tmp_path), TimelineOptions(person="largest", signals=HAPPY))
    assert rows["happiness"].tolist() == pytest.approx(taken)
    assert "identity" not in rows


def test_tables_without_usable_count_every_face(tmp_path: Path) -> None:
    write_video(tmp_path, "a", [0.0, 0.5], happy([0.2, 0.4], usable=[True, False]))
    path = tmp_path / "faces" / "a.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["usable", "exclude_reason"]), path)
    for person in ("track", "largest"):
        rows = build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0, person=person, signals=HAPPY))
        assert rows["happiness"].tolist() == pytest.approx([0.3])


def test_videos_without_faces_and_runs_without_a_study(tmp_path: Path) -> None:
    write_video(tmp_path, "empty", [0.0, 0.5], happy([]).astype({"frame_index": int}))
    for epoch_s in (None, 1.0):
        rows = build_timelines(Run(tmp_path), TimelineOptions(epoch_s=epoch_s, baseline=(0.0, 1.0)))
        assert rows.empty
        assert {"video_id", "happiness", "happiness_change"} <= set(rows)
    write_video(tmp_path, "seen", [0.0, 0.5], happy([0.2, 0.4]))
    rows = build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0))
    assert rows["video_id"].tolist() == ["seen"]
    with pytest.raises(UsageError, match="no column respondent in the table: give a manifest"):
        build_timelines(Run(tmp_path), TimelineOptions(baseline=(0.0, 1.0), baseline_by=("respondent",)))
    with pytest.raises(UsageError, match="signal joy: this run has neutral, happiness"):
        build_timelines(Run(tmp_path), TimelineOptions(signals=("joy",)))


def test_a_video_without_a_row_in_the_study_starts_at_0(study: Run) -> None:
    write_video(study.out, "d", [0.0, 0.5], happy([0.2, 0.4]))
    rows = build_timelines(study, TimelineOptions(epoch_s=1.0))
    (of_d,) = rows[rows["video_id"] == "d"].to_dict("records")
    assert (of_d["epoch_start_s"], of_d["seen_s"]) == (0.0, 1.0)
    assert pd.isna(of_d["respondent"])


def test_people_named_by_hand_are_one_track_with_a_name(tmp_path: Path) -> None:
    write_video(tmp_path, "a", [0.0, 0.5, 1.0], happy([0.2, 0.4, 0.6], track_id=[1, 2, 3]))
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\na,1,Ann\na,2,Ann\n")
    rows = build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0, signals=HAPPY))
    assert list(rows)[:3] == ["video_id", "track_id", "identity"]
    assert rows["track_id"].tolist() == [1, 3]
    assert rows["happiness"].tolist() == pytest.approx([0.3, 0.6])
    assert (rows["identity"][0], rows["identity"].isna().tolist()) == ("Ann", [False, True])
    assert "identity" not in build_timelines(Run(tmp_path), TimelineOptions(person="largest"))


def test_presets_without_neutral_have_nothing_derived(tmp_path: Path) -> None:
    write_video(tmp_path, "a", [0.0, 0.5], happy([0.2, 0.4]), labels=("happiness", "anger"))
    assert list(build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0)))[-2:] == ["happiness", "anger"]


@given(
    faces=st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 3), st.booleans()),
        unique_by=lambda face: face[:2],
    ),
    seed=st.integers(0, 9),
)
def test_the_largest_face_is_the_same_whatever_the_order(faces: list[tuple[int, int, int, bool]], seed: int) -> None:
    table = pd.DataFrame(faces, columns=["frame_index", "track_id", "side", "usable"]).assign(x1=0.0, y1=0.0)
    table = table.assign(x2=table["side"].astype(float), y2=2.0, was=table["track_id"])
    largest = take_largest(table.sample(frac=1, random_state=seed))
    expected = {}
    for frame, track_id, side, usable in faces:
        if usable:
            expected[frame] = min(expected.get(frame, (0, 9)), (-side, track_id))
    assert dict(zip(largest["frame_index"], largest["was"], strict=True)) == {
        frame: track_id for frame, (_, track_id) in expected.items()
    }
    assert (largest["track_id"] == 0).all()


def test_observations_say_in_which_segments_they_lie(tmp_path: Path) -> None:
    write_video(tmp_path, "v", [0.0, 1.0, 2.0, 3.0], pd.DataFrame({"frame_index": range(4)}))
    write_segments(tmp_path, ("v", "ad", 1.0, 3.0), ("v", "claim", 2.0, 3.0))
    rows = build_timelines(Run(tmp_path))
    assert rows["segment"].fillna("-").tolist() == ["-", "ad", "ad; claim", "-"]
    assert "segment" not in build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0))
    write_study(tmp_path, {"v": {"respondent": "r", "segment": "north"}})
    with pytest.raises(UsageError, match="manifest column segment: the rows have the run's segments"):
        build_timelines(Run(tmp_path))


@pytest.mark.parametrize("name", ["happiness_change", "baseline_s", "seen_s"])
def test_a_column_of_the_study_that_is_one_of_ours_is_refused(name: str, tmp_path: Path) -> None:
    write_video(tmp_path, "v", [0.0, 1.0, 2.0, 3.0], pd.DataFrame({"frame_index": range(4)}))
    write_study(tmp_path, {"v": {"respondent": "r", name: "high"}})
    with pytest.raises(UsageError, match=f"manifest column {name}: .* rename it"):
        build_timelines(Run(tmp_path), TimelineOptions(epoch_s=1.0, baseline=(0.0, 1.0)))


def test_a_respondents_baseline_is_of_the_faces_that_decisions_give_them(tmp_path: Path) -> None:
    faces = pd.DataFrame({"frame_index": [0, 0, 1, 1], "track_id": [1, 2, 1, 2], "happiness": [0.1, 0.9, 0.2, 0.9]})
    write_video(tmp_path, "v", [0.0, 1.0], faces)
    write_study(tmp_path, {"v": {"respondent": "Anna"}})
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\nv,1,Anna\nv,2,Moderator\n")
    options = TimelineOptions(signals=HAPPY, baseline=(0, 1), baseline_by=("respondent",))

    rows = build_timelines(Run(tmp_path), options).sort_values(["track_id", "time_s"])

    assert rows["baseline_s"].tolist() == [1, 1, 0, 0]
    assert rows["happiness_change"].tolist() == pytest.approx([0, 0.1, np.nan, np.nan], nan_ok=True)
    assert rows.attrs["notes"] == []

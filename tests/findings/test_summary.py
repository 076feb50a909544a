from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scored_frames import scored_frames, video_info
from written_runs import write_video

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.findings.summary import (
    summarize,
    summarize_by_epoch,
    summarize_epochs,
    summarize_respondents,
    summarize_run,
)
from videmo.findings.tables import Run
from videmo.output.parquet import TablesSink

LABELS = ("neutral", "happiness")
BOX = {"x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0}

# Frames at 0, 1, 3 and 4 s stand for 1, 2, 1 and 1 s. Track 1 is seen in the first three, track 2 in first and last.
FRAMES = pd.DataFrame(
    {"video_id": "v", "frame_index": [0, 1, 2, 3], "time_s": [0.0, 1.0, 3.0, 4.0], "faces": [2, 1, 1, 1]}
)
FACES = pd.DataFrame(
    [
        {"frame_index": 0, "time_s": 0.0, "track_id": 1, "neutral": 0.8, "happiness": 0.2, **BOX},
        {"frame_index": 0, "time_s": 0.0, "track_id": 2, "neutral": 0.9, "happiness": 0.1, **BOX},
        {"frame_index": 1, "time_s": 1.0, "track_id": 1, "neutral": 0.1, "happiness": 0.9, **BOX},
        {"frame_index": 2, "time_s": 3.0, "track_id": 1, "neutral": 0.4, "happiness": 0.6, **BOX},
        {"frame_index": 3, "time_s": 4.0, "track_id": 2, "neutral": 0.3, "happiness": 0.7, **BOX},
    ]
)


def test_tracks_by_hand() -> None:
    first, second = summarize(FRAMES, FACES, LABELS).to_dict("records")
    assert first == pytest.approx(
        {
            "video_id": "v", "track_id": 1, "first_s": 0.0, "last_s": 4.0, "seen_s": 4.0,
            "usable_share": 1.0, "usable_rows": 3,
            "dominant": "happiness",  # 0.2 for 1 s, 0.9 for 2 s, 0.6 for 1 s: mean 0.65
            "transitions_per_min": 15.0,  # one in 4 s
            "share_neutral": 0.25, "share_happiness": 0.75, "mean_neutral": 0.35, "mean_happiness": 0.65,
            "peak_neutral": 0.8, "peak_happiness": 0.9, "peak_neutral_s": 0.0, "peak_happiness_s": 1.0,
        }
    )  # fmt: skip
    assert second == pytest.approx(
        {
            "video_id": "v", "track_id": 2, "first_s": 0.0, "last_s": 5.0, "seen_s": 2.0,
            "usable_share": 1.0, "usable_rows": 2,
            "dominant": "neutral", "transitions_per_min": 0.0,  # it changed while nobody looked
            "share_neutral": 0.5, "share_happiness": 0.5, "mean_neutral": 0.6, "mean_happiness": 0.4,
            "peak_neutral": 0.9, "peak_happiness": 0.7, "peak_neutral_s": 0.0, "peak_happiness_s": 4.0,
        }
    )  # fmt: skip


def test_a_video_pools_its_tracks() -> None:
    (row,) = summarize(FRAMES, FACES, LABELS, by="video").to_dict("records")
    assert row == pytest.approx(
        {
            "video_id": "v", "tracks": 2, "any_face_s": 5.0, "first_s": 0.0, "last_s": 5.0, "seen_s": 6.0,
            "usable_share": 1.0, "usable_rows": 5,
            "dominant": "happiness", "transitions_per_min": 10.0,  # one in 6 s
            "share_neutral": 2 / 6, "share_happiness": 4 / 6,
            "mean_neutral": 2.6 / 6, "mean_happiness": 3.4 / 6,
            "peak_neutral": 0.9, "peak_happiness": 0.9, "peak_neutral_s": 0.0, "peak_happiness_s": 1.0,
        }
    )  # fmt: skip


def test_expressions_are_those_of_the_usable_rows() -> None:
    """Track 1 cannot be judged in its first second, track 2 in its last."""
    faces = FACES.assign(usable=[False, True, True, True, False])
    first, second = summarize(FRAMES, faces, LABELS).to_dict("records")
    assert (first["first_s"], first["last_s"], first["seen_s"]) == (0.0, 4.0, 4.0)
    assert (first["usable_share"], first["usable_rows"]) == (0.75, 2)
    assert first["mean_happiness"] == pytest.approx(0.8)  # 0.9 for 2 s, 0.6 for 1 s
    assert (first["share_happiness"], first["transitions_per_min"]) == (1.0, 0.0)
    assert (second["usable_share"], second["mean_happiness"]) == pytest.approx((0.5, 0.1))
    (video,) = summarize(FRAMES, faces, LABELS, by="video").to_dict("records")
    assert (video["usable_share"], video["usable_rows"]) == pytest.approx((4 / 6, 3))
    assert (video["tracks"], video["any_face_s"], video["seen_s"]) == (2, 5.0, 6.0)
    assert video["mean_happiness"] == pytest.approx((2 * 0.9 + 0.6 + 0.1) / 4)


def test_where_nothing_is_usable_all_rows_count_and_the_share_says_so() -> None:
    faces = FACES.assign(usable=[False, True, False, False, False])
    first, second = summarize(FRAMES, faces, LABELS).to_dict("records")
    assert (first["usable_share"], first["usable_rows"]) == (0.0, 0)
    assert first["mean_happiness"] == pytest.approx(0.65)
    assert (second["usable_share"], second["mean_happiness"]) == pytest.approx((0.5, 0.1))
    epochs = summarize_by_epoch(FRAMES, faces, LABELS, epoch_s=2.0)
    assert epochs[["track_id", "seen_s", "usable_s"]].to_numpy().tolist() == [
        [1, 2, 0],
        [1, 2, 0],
        [2, 1, 1],
        [2, 1, 0],
    ]
    assert epochs["dominant"].isna().tolist() == epochs["mean_happiness"].isna().tolist() == [True, True, False, True]
    none = summarize_by_epoch(FRAMES, faces.assign(usable=False), LABELS, epoch_s=2.0, by="video")
    assert none[["seen_s", "usable_s"]].to_numpy().tolist() == [[3, 0], [2, 0], [1, 0]]
    assert none["dominant"].isna().all()


def test_epochs_by_hand() -> None:
    table = summarize_by_epoch(FRAMES, FACES, LABELS, epoch_s=2.0)
    assert list(table) == [
        "video_id", "track_id", "epoch_start_s", "epoch_end_s", "seen_s", "usable_s", "dominant", "mean_neutral",
        "mean_happiness",
    ]  # fmt: skip
    rows = list(table.drop(columns=["video_id", "mean_neutral"]).itertuples(index=False, name=None))
    assert rows == [
        (1, 0.0, 2.0, 2.0, 2.0, "happiness", pytest.approx(0.55)),  # 0.2 for 1 s and the first half of 0.9
        (1, 2.0, 4.0, 2.0, 2.0, "happiness", pytest.approx(0.75)),  # the second half of 0.9, and 0.6 for 1 s
        (2, 0.0, 2.0, 1.0, 1.0, "neutral", pytest.approx(0.1)),
        (2, 4.0, 6.0, 1.0, 1.0, "happiness", pytest.approx(0.7)),  # no row from 2 to 4 s: it was not seen
    ]


def test_epochs_of_a_video_pool_its_tracks() -> None:
    table = summarize_by_epoch(FRAMES, FACES, LABELS, epoch_s=10.0, by="video")
    (row,) = table.to_dict("records")
    assert "track_id" not in row
    assert (row["seen_s"], row["mean_happiness"]) == pytest.approx((6.0, 3.4 / 6))


def test_no_faces_give_no_rows() -> None:
    nobody = FACES[:0]
    for by in ("track", "video"):
        assert summarize(FRAMES, nobody, LABELS, by=by).empty
        assert summarize_by_epoch(FRAMES, nobody, LABELS, epoch_s=1.0, by=by).empty


def test_an_epoch_must_have_a_length() -> None:
    with pytest.raises(UsageError, match="epoch of 0"):
        summarize_by_epoch(FRAMES, FACES, LABELS, epoch_s=0)


def test_a_run_is_the_sum_of_its_videos(tmp_path: Path) -> None:
    for video_id, counts in (("a", [1, 2, 2]), ("b", [0, 1]), ("nobody", [0, 0])):
        video = video_info(tmp_path, video_id=video_id)
        sink = TablesSink(tmp_path, video, EMOTIONS, {})
        for item in scored_frames(video, counts):
            sink.write(item)
        sink.close()
    run = Run(tmp_path)
    tracks = summarize_run(run)
    assert list(zip(tracks["video_id"], tracks["track_id"], strict=True)) == [("a", 1), ("a", 2), ("b", 1)]
    assert tracks["seen_s"].tolist() == pytest.approx([0.12, 0.08, 0.04])
    assert summarize_run(run, by="video")["tracks"].tolist() == [2, 1]
    epochs = summarize_epochs(run, 0.04, by="track")
    assert epochs.groupby("video_id").size().to_dict() == {"a": 5, "b": 1}


def test_a_respondent_pools_their_videos_over_time(tmp_path: Path) -> None:
    faces = pd.DataFrame({"frame_index": [0, 1], "happiness": [0.8, 0.2]})
    write_video(tmp_path, "first", [0.0, 1.0], faces)  # each for 1 s
    write_video(tmp_path, "second", [0.0, 2.0], faces.assign(usable=[True, False]))  # each for 2 s
    write_video(tmp_path, "other", [0.0, 1.0], faces)
    study = pd.DataFrame(
        {"respondent": ["r1", "r1", "r2"], "condition": ["a", "a", "b"], "stimulus": ["x", "y", "x"]},
        index=pd.Index(["first", "second", "other"], name="video_id"),
    )
    one, two = summarize_respondents(Run(tmp_path), study).to_dict("records")
    wanted = {"respondent": "r1", "videos": 2, "tracks": 2, "seen_s": 6.0, "usable_share": 4 / 6, "condition": "a"}
    assert {name: one[name] for name in wanted} == pytest.approx(wanted)
    assert one["mean_happiness"] == pytest.approx((0.8 + 0.2 + 2 * 0.8) / 4)
    assert one["share_happiness"] == pytest.approx(3 / 4)
    assert one["peak_happiness"] == pytest.approx(0.8)
    assert "stimulus" not in one or pd.isna(one["stimulus"])  # two of them
    assert (two["respondent"], two["stimulus"], two["usable_share"]) == ("r2", "x", 1.0)
    assert not {"first_s", "peak_happiness_s", "video_id"} & set(one)


def test_only_tracks_that_decisions_name_as_the_respondent_are_theirs(tmp_path: Path) -> None:
    faces = pd.DataFrame({"frame_index": [0, 0, 1, 1], "track_id": [1, 2, 1, 2], "happiness": [0.1, 0.9, 0.1, 0.9]})
    write_video(tmp_path, "v", [0.0, 1.0], faces)
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\nv,1,Anna\nv,2,Moderator\n")
    study = pd.DataFrame({"respondent": ["Anna"]}, index=pd.Index(["v"], name="video_id"))

    (anna,) = summarize_respondents(Run(tmp_path), study).to_dict("records")

    assert (anna["tracks"], anna["seen_s"]) == (1, 2.0)
    assert anna["mean_happiness"] == pytest.approx(0.1)
    (unnamed,) = summarize_respondents(Run(tmp_path), study.assign(respondent="r1")).to_dict("records")
    assert unnamed["mean_happiness"] == pytest.approx(0.5)


def test_respondents_need_a_study(tmp_path: Path) -> None:
    write_video(tmp_path, "v", [0.0], pd.DataFrame({"frame_index": [0]}))
    with pytest.raises(UsageError, match="no study names the respondents: give it with --manifest"):
        summarize_respondents(Run(tmp_path), pd.DataFrame(index=pd.Index([], name="video_id")))

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.findings.tables import Run
from videmo.findings.tracks import summarize_tracks
from videmo.output import rows
from videmo.output.parquet import TablesSink
from videmo.output.schema import QUALITY_COLUMNS, tracks_schema


def write_tables(out: Path, counts: list[int]) -> list[Path]:
    video = video_info(out)
    sink = TablesSink(out, video, EMOTIONS, {})
    for item in scored_frames(video, counts):
        sink.write(item)
    return sink.close()


def test_tracks_are_summed_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", 7)
    paths = write_tables(tmp_path, [1, 3, 2, 0, 3, 3, 1, 1, 1, 0] * 5)
    faces, tracks = pd.read_parquet(paths[1]), summarize_tracks(Run(tmp_path), "clip")
    assert tracks.schema.equals(tracks_schema(EMOTIONS))
    table = tracks.to_pandas()
    assert table["video_id"].tolist() == ["clip"] * 3
    for row in table.to_dict("records"):
        own = faces[faces["track_id"] == row["track_id"]]
        assert row["rows"] == len(own)
        assert (row["first_time_s"], row["last_time_s"]) == (own["time_s"].min(), own["time_s"].max())
        means = own[["x1", "y1", "x2", "y2", *EMOTIONS]].astype(np.float64).mean()
        assert [row[f"mean_{name}"] for name in means.index] == pytest.approx(means.tolist(), rel=1e-5)
        assert row["dominant"] == means[list(EMOTIONS)].idxmax()


def test_a_slower_frame_rate_does_not_make_a_time_count_less(tmp_path: Path) -> None:
    """Two seconds at 10 fps, then 1.9 at 5 fps, whose last frame stands for a usual step of 0.1 s."""
    video = video_info(tmp_path)
    sink = TablesSink(tmp_path, video, EMOTIONS, {})
    times_s = [*np.arange(20) / 10, *(2 + np.arange(10) / 5)]
    for item, time_s in zip(scored_frames(video, [1] * 30), times_s, strict=True):
        smile, box = (0.9, [10, 10, 30, 30]) if time_s < 2 else (0.1, [50, 10, 70, 30])
        probabilities = np.full((1, len(EMOTIONS)), (1 - smile) / (len(EMOTIONS) - 1), np.float32)
        probabilities[0, EMOTIONS.index("happiness")] = smile
        faces = replace(item.faces, emotions=probabilities, boxes=np.array([box], np.float32))
        sink.write(replace(item, frame=replace(item.frame, time_s=time_s), faces=faces))
    sink.close()

    (track,) = summarize_tracks(Run(tmp_path), "clip").to_pylist()

    assert track["mean_happiness"] == pytest.approx((0.9 * 2 + 0.1 * 1.9) / 3.9)
    assert track["mean_x1"] == pytest.approx((10 * 2 + 50 * 1.9) / 3.9)


def test_usable_rows_decide_the_means_and_their_time_the_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames at 0, 1, 3 and 4 s stand for 1, 2, 1 and 1 s; track 1 is usable in the second, track 2 nowhere."""
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", 3)
    video = video_info(tmp_path)
    sink = TablesSink(tmp_path, video, EMOTIONS, {})
    for item, time_s in zip(scored_frames(video, [2, 2, 1, 1]), (0.0, 1.0, 3.0, 4.0), strict=True):
        usable = np.array([time_s == 1.0, False])[: len(item.faces)]
        measures = np.where(usable[:, None], [1.0, 0.5, 0.4, 0.0, 0.1], [0.0, 0.5, 0.4, 0.0, 0.1])
        faces = replace(item.faces, measures=measures)
        sink.write(replace(item, frame=replace(item.frame, time_s=time_s), faces=faces))
    paths = sink.close()
    faces, tracks = pd.read_parquet(paths[1]), summarize_tracks(Run(tmp_path), "clip").to_pandas()
    assert faces["usable"].tolist() == [False, False, True, False, False, False]
    assert tracks["rows"].tolist() == [4, 2]
    assert tracks["usable_rows"].tolist() == [1, 0]
    assert tracks["usable_share"].tolist() == pytest.approx([2 / 5, 0])
    second = faces[faces["track_id"] == 2]
    expected = [faces["happiness"][2], np.average(second["happiness"].astype(float), weights=[1, 2])]
    assert tracks["mean_happiness"].tolist() == pytest.approx(expected, rel=1e-5)
    assert tracks["mean_x1"][0] == faces["x1"][2]


def test_tables_from_before_quality_count_as_usable(tmp_path: Path) -> None:
    _, faces = write_tables(tmp_path, [1, 2, 1])
    table = pq.read_table(faces)
    pq.write_table(table.drop_columns(["usable", "exclude_reason", *QUALITY_COLUMNS]), faces)
    tracks = summarize_tracks(Run(tmp_path), "clip").to_pandas()
    assert tracks["usable_rows"].tolist() == tracks["rows"].tolist() == [3, 1]
    assert tracks["usable_share"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("counts", [[], [0, 0, 0]])
def test_no_faces_give_an_empty_table(counts: list[int], tmp_path: Path) -> None:
    write_tables(tmp_path, counts)
    tracks = summarize_tracks(Run(tmp_path), "clip")
    assert tracks.num_rows == 0
    assert tracks.schema.equals(tracks_schema(EMOTIONS))

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.findings.tracks import summarize_tracks
from videmo.output import rows
from videmo.output.parquet import TablesSink
from videmo.output.schema import tracks_schema


def write_faces(out: Path, counts: list[int]) -> Path:
    video = video_info(out)
    sink = TablesSink(out, video, EMOTIONS, {})
    for item in scored_frames(video, counts):
        sink.write(item)
    return sink.close()[1]


def test_tracks_are_summed_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", 7)
    path = write_faces(tmp_path, [1, 3, 2, 0, 3, 3, 1, 1, 1, 0] * 5)
    faces, tracks = pd.read_parquet(path), summarize_tracks(path)
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


@pytest.mark.parametrize("counts", [[], [0, 0, 0]])
def test_no_faces_give_an_empty_table(counts: list[int], tmp_path: Path) -> None:
    tracks = summarize_tracks(write_faces(tmp_path, counts))
    assert tracks.num_rows == 0
    assert tracks.schema.equals(tracks_schema(EMOTIONS))

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.findings.replay import read_sightings, replay
from videmo.findings.tables import Run
from videmo.output import rows
from videmo.output.parquet import TablesSink


@given(counts=st.lists(st.integers(0, 3), max_size=25), every=st.integers(1, 4), group=st.integers(1, 6))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_frames_get_back_what_was_written_of_them(
    counts: list[int], every: int, group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", group)
    video = video_info(tmp_path)
    shots = [index // 5 for index in range(len(counts))]
    written = [
        replace(item, faces=replace(item.faces, measures=np.random.default_rng(0).random((len(item.faces), 5))))
        for item in scored_frames(video, counts, analysed_every=every, shots=shots)
    ]
    sink = TablesSink(tmp_path, video, EMOTIONS, {})
    for item in written:
        sink.write(item)
    sink.close()

    # A reader does not know which frames were analysed: the tables do.
    decoded = (replace(item.frame, analysed=True) for item in written)
    for item, again in zip(written, replay(decoded, Run(tmp_path), video.id), strict=True):
        assert (again.frame.index, again.frame.analysed) == (item.frame.index, item.frame.analysed)
        assert again.frame.picture is item.frame.picture
        np.testing.assert_array_equal(again.faces.boxes, item.faces.boxes)
        np.testing.assert_array_equal(again.faces.emotions, item.faces.emotions)
        np.testing.assert_array_equal(again.faces.track_ids, item.faces.track_ids)
        np.testing.assert_array_equal(again.faces.measures, item.faces.measures)
        if item.frame.analysed:
            assert again.frame.shot == item.frame.shot


def test_sightings_are_the_faces_of_every_analysed_frame_but_those_to_stay_visible(tmp_path: Path) -> None:
    video = video_info(tmp_path)
    sink = TablesSink(tmp_path, video, EMOTIONS, {})
    for item in scored_frames(video, [2, 0, 1], shots=[0, 1, 1]):
        sink.write(item)
    sink.close()
    seen = list(read_sightings(Run(tmp_path), video.id))
    assert [(item.time_s, item.shot, item.track_ids.tolist()) for item in seen] == [
        (0.0, 0, [1, 2]),
        (0.04, 1, []),
        (0.08, 1, [1]),
    ]
    np.testing.assert_array_equal(seen[0].boxes, Run(tmp_path).faces(video.id)[["x1", "y1", "x2", "y2"]][:2])
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\nclip,1,Ann\n")
    assert [item.track_ids.tolist() for item in read_sightings(Run(tmp_path), video.id, ["Ann"])] == [[2], [], []]

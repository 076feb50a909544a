"""Detection now and then: the tracker carries the faces in between, and the tables say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pandas as pd
import synthetic

import videmo
from videmo.datatypes import RunReport
from videmo.geometry import iou_matrix

Run = tuple[Path, RunReport]
BOX = ["x1", "y1", "x2", "y2"]


def test_carried_faces_are_scored_under_their_identity_and_marked(
    clip: Path, run: Run, tmp_path: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    options = ["--detect-every", "0.2s", "--no-charts", "--progress", "none"]
    assert run_cli("analyze", clip, "--out", tmp_path, *options)[0] == 0
    faces, every = pd.read_parquet(tmp_path / "faces"), pd.read_parquet(run[0] / "faces")
    assert faces["frame_index"].tolist() == every["frame_index"].tolist() == list(range(40))
    assert faces["track_id"].unique().tolist() == [1]
    looked_s = faces.loc[faces["detected"], "time_s"]
    assert looked_s.iloc[0] == 0
    assert looked_s.diff().dropna().between(0.199, 0.26).all()
    assert every["detected"].all()
    both = iou_matrix(faces[BOX].to_numpy(), every[BOX].to_numpy()).diagonal()
    assert both[faces["time_s"] > 0.4].min() >= 0.6, "the face runs 1.8 of its widths a second"
    np.testing.assert_array_equal(both[faces["detected"]], 1)
    scores = faces.groupby(faces["detected"].cumsum())["detection_score"]
    assert (scores.nunique() == 1).all(), "a carried face has the score of its last detection"
    assert (faces["emotion"].astype(str) == every["emotion"].astype(str)).mean() >= 0.8
    assert pd.read_parquet(tmp_path / "tracks.parquet")["rows"].tolist() == [40]
    with av.open(str(tmp_path / "annotated" / "face.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 40


def test_a_cut_is_looked_at_whatever_the_schedule(tmp_path: Path) -> None:
    """The face jumps from the left to the right, before another background, in the frame after a detection."""
    pictures = []
    for index in range(24):
        canvas = synthetic.plain(320, 240, (60, 84, 110) if index < 13 else (200, 190, 90))
        canvas[::2, :] = canvas[::2, :] // (2 if index < 13 else 1)
        canvas[:, :: (5 if index < 13 else 3)] = 20
        synthetic.face_at(canvas, 10 if index < 13 else 150, 40, 160)
        pictures.append(canvas)
    path = synthetic.write_clip(tmp_path / "cut.mp4", pictures)
    items = list(videmo.stream(path, videmo.Settings(detect_every_frames=12)))
    assert [item.frame.index for item in items if item.frame.detected] == [0, 12, 13]
    assert [item.frame.shot for item in items] == [0] * 13 + [1] * 11
    assert [item.faces.track_ids.tolist() for item in items] == [[1]] * 13 + [[2]] * 11
    lefts = np.concatenate([item.faces.boxes[:, 0] for item in items])
    assert lefts[:13].max() < 110 < lefts[13:].min()

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scored_frames import scored_frames, video_info

from videmo.datatypes import FrameFaces, ScoredFaces
from videmo.emotion.labels import EMOTIONS
from videmo.errors import OutputError
from videmo.output import rows
from videmo.output.parquet import TablesSink, write_table
from videmo.output.schema import (
    BOX_COLUMNS,
    LANDMARK_COLUMNS,
    POSE_COLUMNS,
    QUALITY_COLUMNS,
    faces_schema,
    frames_schema,
)
from videmo.pose import head_pose
from videmo.quality import EXCLUDE_REASONS, MEASURES, usable_mask
from videmo.settings import Settings

METADATA = {"videmo.version": "1.2.3", "videmo.preset": "tiny"}


def write(out: Path, items: list[FrameFaces[ScoredFaces]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    sink = TablesSink(out, video_info(out), EMOTIONS, METADATA)
    for item in items:
        sink.write(item)
    frames, faces = sink.close()
    return pd.read_parquet(frames), pd.read_parquet(faces)


@given(counts=st.lists(st.integers(0, 4), max_size=30), every=st.integers(1, 4), group=st.integers(1, 7))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_tables_hold_exactly_what_was_written(
    counts: list[int], every: int, group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", group)
    items = list(scored_frames(video_info(tmp_path), counts, analysed_every=every))
    frames, faces = write(tmp_path, items)
    analysed = [item for item in items if item.frame.analysed]
    assert frames["frame_index"].tolist() == [item.frame.index for item in analysed]
    assert frames["time_s"].tolist() == [item.frame.time_s for item in analysed]
    assert frames["faces"].tolist() == [len(item.faces) for item in analysed]
    assert frames["file_name"].tolist() == [item.frame.file_name for item in analysed]
    assert faces["frame_index"].tolist() == [item.frame.index for item in analysed for _ in range(len(item.faces))]
    assert len(faces) == sum(len(item.faces) for item in analysed)
    seen = [item.faces for item in analysed if len(item.faces)]
    if seen:
        emotions = np.concatenate([item.emotions for item in seen])
        np.testing.assert_array_equal(faces[list(BOX_COLUMNS)], np.concatenate([item.boxes for item in seen]))
        np.testing.assert_array_equal(faces[list(EMOTIONS)], emotions)
        points = np.concatenate([item.landmarks.reshape(-1, 10) for item in seen])  # type: ignore[union-attr]
        np.testing.assert_array_equal(faces[list(LANDMARK_COLUMNS)], points)
        poses = head_pose(points.reshape(-1, 5, 2))
        np.testing.assert_allclose(faces[list(POSE_COLUMNS)], poses, atol=0.01)
        assert faces["track_id"].tolist() == [i for item in seen for i in item.track_ids]
        assert faces["emotion"].astype(str).tolist() == [EMOTIONS[i] for i in emotions.argmax(axis=1)]


def test_quality_columns_are_the_measures_in_their_order() -> None:
    assert tuple(QUALITY_COLUMNS) == MEASURES


def test_columns_are_those_of_the_design(tmp_path: Path) -> None:
    frames, faces = write(tmp_path, list(scored_frames(video_info(tmp_path), [2])))
    assert list(frames) == ["video_id", "frame_index", "time_s", "shot", "faces", "file_name"]
    assert list(faces)[:10] == [
        "video_id",
        "frame_index",
        "time_s",
        "track_id",
        "x1",
        "y1",
        "x2",
        "y2",
        "detection_score",
        "detected",
    ]
    assert list(faces)[10:20] == [
        "right_eye_x", "right_eye_y", "left_eye_x", "left_eye_y", "nose_x", "nose_y",
        "right_mouth_x", "right_mouth_y", "left_mouth_x", "left_mouth_y",
    ]  # fmt: skip
    assert list(faces)[20:23] == ["yaw_deg", "pitch_deg", "roll_deg"]
    assert list(faces)[23:-8] == [*EMOTIONS, "emotion"]
    assert list(faces)[-8:] == [
        "face_size_px", "sharpness", "brightness", "contrast", "share_cut_off", "occlusion", "usable", "exclude_reason",
    ]  # fmt: skip
    stored = pq.read_schema(tmp_path / "faces" / "clip.parquet")
    assert stored.equals(faces_schema(EMOTIONS))
    assert {stored.field(name).type for name in (*BOX_COLUMNS, *EMOTIONS)} == {pa.float32()}
    assert stored.field("time_s").type == pa.float64()
    assert stored.field("x1").metadata[b"unit"] == b"px"
    assert stored.field("yaw_deg").metadata[b"unit"] == b"deg"
    assert pq.read_schema(tmp_path / "frames" / "clip.parquet").equals(frames_schema())


def test_landmarks_that_nobody_found_are_null(tmp_path: Path) -> None:
    first, second = scored_frames(video_info(tmp_path), [1, 2])
    bare = second.faces
    without = FrameFaces(second.frame, ScoredFaces(bare.boxes, bare.scores, None, bare.track_ids, bare.emotions))
    write(tmp_path, [first, without])
    points = pq.read_table(tmp_path / "faces" / "clip.parquet", columns=[*LANDMARK_COLUMNS, *POSE_COLUMNS])
    assert [column.null_count for column in points.columns] == [2] * 13


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_rows_hold_their_quality_and_are_usable_unless_there_is_a_reason(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    items = [
        replace(item, faces=replace(item.faces, measures=rng.random((len(item.faces), 5)) ** 2))
        for item in scored_frames(video_info(tmp_path), [3, 0, 2, 4])
    ]
    _, faces = write(tmp_path, items)
    measures = np.concatenate([item.faces.measures for item in items])
    np.testing.assert_array_equal(faces[list(QUALITY_COLUMNS)], measures)
    sides = faces["x2"] - faces["x1"], faces["y2"] - faces["y1"]
    np.testing.assert_allclose(faces["face_size_px"], np.sqrt(sides[0] * sides[1]), rtol=1e-6)
    assert (faces["usable"] == faces["exclude_reason"].isna()).all()
    assert faces["exclude_reason"].cat.categories.tolist() == list(EXCLUDE_REASONS)
    assert faces["usable"].tolist() == [
        usable for item in items for usable in usable_mask(item.faces, Settings()).tolist()
    ]


def test_the_limits_of_the_settings_decide(tmp_path: Path) -> None:
    video = video_info(tmp_path)
    sink = TablesSink(tmp_path, video, EMOTIONS, METADATA, Settings(quality_min_face_px=1000))
    for item in scored_frames(video, [2, 1]):
        sink.write(item)
    faces = pd.read_parquet(sink.close()[1])
    assert faces["exclude_reason"].tolist() == ["too_small"] * 3
    assert not faces["usable"].any()


def test_measures_that_nobody_took_are_null(tmp_path: Path) -> None:
    write(tmp_path, list(scored_frames(video_info(tmp_path), [1, 2])))
    table = pq.read_table(tmp_path / "faces" / "clip.parquet")
    assert [table[name].null_count for name in QUALITY_COLUMNS] == [3] * 5
    assert table["usable"].to_pylist() == [True] * 3


def test_rows_say_whether_the_detector_looked_at_their_frame(tmp_path: Path) -> None:
    items = list(scored_frames(video_info(tmp_path), [2, 1, 0, 3]))
    carried = [replace(item, frame=replace(item.frame, detected=item.frame.index == 0)) for item in items]
    _, faces = write(tmp_path, carried)
    assert faces["detected"].tolist() == [True] * 2 + [False] * 4
    field = faces_schema(EMOTIONS).field("detected")
    assert (field.type, field.nullable) == (pa.bool_(), False)


def test_row_groups_are_bounded_and_the_same_in_both_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", 10)
    monkeypatch.setattr(rows, "FACES_PER_GROUP", 12)
    write(tmp_path, list(scored_frames(video_info(tmp_path), [0] * 25 + [5] * 7)))
    with (
        pq.ParquetFile(tmp_path / "frames" / "clip.parquet") as frames,
        pq.ParquetFile(tmp_path / "faces" / "clip.parquet") as faces,
    ):
        groups = [(frames.metadata.row_group(i).num_rows, faces.metadata.row_group(i).num_rows) for i in range(5)]
        assert groups == [(10, 0), (10, 0), (8, 15), (3, 15), (1, 5)]
        assert frames.num_row_groups == faces.num_row_groups == 5


def test_footers_say_what_the_run_says_and_what_was_added_at_the_end(tmp_path: Path) -> None:
    sink = TablesSink(tmp_path, video_info(tmp_path), EMOTIONS, METADATA)
    for item in scored_frames(video_info(tmp_path), [1]):
        sink.write(item)
    sink.annotate({"videmo.report": '{"faces": 1}'})
    for path in sink.close():
        footer = pq.read_metadata(path).metadata
        assert footer[b"videmo.version"] == b"1.2.3"
        assert footer[b"videmo.schema_version"] == b"1.3"
        assert footer[b"videmo.table"].decode() == path.parent.name
        assert json.loads(footer[b"videmo.labels"]) == list(EMOTIONS)
        assert footer[b"videmo.report"] == b'{"faces": 1}'
        assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_the_frames_table_gets_its_name_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    replace = Path.replace

    def spy(self: Path, target: Path) -> Path:
        assert not (tmp_path / "frames" / "clip.parquet").exists()
        named.append(target.parent.name)
        return replace(self, target)

    write(tmp_path, list(scored_frames(video_info(tmp_path), [1])))
    monkeypatch.setattr(Path, "replace", spy)
    write(tmp_path, list(scored_frames(video_info(tmp_path), [2])))
    assert named == ["faces", "frames"]


def test_faces_do_not_stay_when_the_frames_cannot_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = TablesSink(tmp_path, video_info(tmp_path), EMOTIONS, METADATA)
    replace = Path.replace

    def fail_for_frames(self: Path, target: Path) -> Path:
        if target.parent.name == "frames":
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_for_frames)
    with pytest.raises(OutputError, match=r"frames/clip\.parquet: cannot be written: Permission denied; .*--out"):
        sink.close()
    sink.abort()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_all_videos_can_be_read_at_once(tmp_path: Path) -> None:
    for video_id in ("a", "b"):
        sink = TablesSink(tmp_path, video_info(tmp_path, video_id=video_id), EMOTIONS, METADATA)
        for item in scored_frames(video_info(tmp_path, video_id=video_id), [2, 1]):
            sink.write(item)
        sink.close()
    both = pd.read_parquet(tmp_path / "faces")
    assert both.groupby("video_id").size().to_dict() == {"a": 3, "b": 3}
    assert both["emotion"].cat.categories.tolist() == list(EMOTIONS)


def test_write_table_replaces_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "videos.parquet"
    write_table(path, pa.table({"a": [1]}), METADATA)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match=r"videos\.parquet: cannot be written: No space left"):
        write_table(path, pa.table({"a": [2, 3]}), METADATA)
    assert pq.read_table(path)["a"].to_pylist() == [1]
    assert [file.name for file in tmp_path.iterdir()] == ["videos.parquet"]
    footer = pq.read_metadata(path).metadata
    assert (footer[b"videmo.table"], footer[b"videmo.schema_version"]) == (b"videos", b"1.3")

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.findings.replay import replay
from videmo.findings.summary import summarize_run
from videmo.findings.tables import Run
from videmo.output.parquet import TablesSink, write_table
from videmo.output.schema import POSE_COLUMNS, QUALITY_COLUMNS
from videmo.settings import Settings


def write_run(out: Path, video_id: str = "clip", counts: tuple[int, ...] = (1, 2, 0)) -> Run:
    video = video_info(out, video_id=video_id)
    settings = Settings(fps=5, detector="yunet", detector_model=Path("yunet.onnx"))
    metadata = {"videmo.settings": json.dumps(settings.result_settings())}
    sink = TablesSink(out, video, EMOTIONS, metadata)
    for item in scored_frames(video, counts):
        sink.write(item)
    sink.close()
    return Run(out)


def test_a_run_reads_its_tables(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    write_table(tmp_path / "videos.parquet", pa.table({"video_id": ["clip"], "path": ["clip.mp4"]}), {})
    assert run.video_ids == ["clip"]
    assert run.labels == EMOTIONS
    assert run.frames("clip")["faces"].tolist() == [1, 2, 0]
    assert run.faces("clip", ["track_id"])["track_id"].tolist() == [1, 1, 2]
    assert run.faces("clip")["emotion"].cat.categories.tolist() == list(EMOTIONS)
    assert run.videos()["video_id"].tolist() == ["clip"]


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = write_run(tmp_path).settings("clip")
    assert (settings.fps, settings.detector, settings.detector_model) == (5, "yunet", Path("yunet.onnx"))


def test_half_written_videos_are_not_seen(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    sink = TablesSink(tmp_path, video_info(tmp_path, video_id="unfinished"), EMOTIONS, {})
    assert run.video_ids == ["clip"]
    with pytest.raises(UsageError, match=r"unfinished\.parquet: no such table.*--resume"):
        run.frames("unfinished")
    sink.abort()


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no results of videmo in it.*--out"):
        Run(tmp_path)
    (tmp_path / "frames").mkdir()
    with pytest.raises(UsageError, match="no video of this run is finished"):
        _ = Run(tmp_path).labels


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (tmp_path / "faces" / "clip.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UsageError, match=r"clip\.parquet: cannot be read"):
        run.faces("clip")


@pytest.mark.parametrize(("version", "read"), [("1.0", True), ("1.7", True), ("2.0", False), (None, False)])
def test_only_known_versions_are_read(version: str | None, read: bool, tmp_path: Path) -> None:
    metadata = {} if version is None else {"videmo.schema_version": version}
    videos = pa.table({"video_id": ["a"], "path": ["a.mp4"]})
    pq.write_table(videos.replace_schema_metadata(metadata), tmp_path / "videos.parquet")
    (tmp_path / "frames").mkdir()
    run = Run(tmp_path)
    if read:
        assert len(run.videos()) == 1
    else:
        with pytest.raises(UsageError, match=r"videos\.parquet: tables of version (2\.0|none), this videmo reads 1\.x"):
            run.videos()


def test_tables_from_before_quality_and_head_pose_are_read(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    for path in tmp_path.glob("*/clip.parquet"):
        table, later = pq.read_table(path), {*POSE_COLUMNS, *QUALITY_COLUMNS, "detected", "usable", "exclude_reason"}
        old = table.select([name for name in table.column_names if name not in later])
        pq.write_table(old.replace_schema_metadata({**table.schema.metadata, b"videmo.schema_version": b"1.0"}), path)
    assert "yaw_deg" not in run.faces("clip")
    assert [len(faces) for _, faces in run.row_groups("clip")] == [3]
    frames = [item.frame for item in scored_frames(video_info(tmp_path), (1, 2, 0))]
    replayed = [item.faces for item in replay(frames, run, "clip")]
    assert [len(faces) for faces in replayed] == [1, 2, 0]
    assert np.isnan(replayed[1].measures).all()
    assert summarize_run(run)["usable_share"].tolist() == [1.0, 1.0]

"""One clip from file to tables, annotated video and chart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import synthetic

import videmo
from videmo.datatypes import Detections, RunReport
from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.presets import find_preset, hash_file

Run = tuple[Path, RunReport]


def container_times_s(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0) if frame.pts is not None]


def test_every_decoded_frame_has_one_row_at_its_pts(run: Run, clip: Path) -> None:
    frames = pd.read_parquet(run[0] / "frames" / "face.parquet")
    assert frames["frame_index"].tolist() == list(range(40))
    times_s = np.array(container_times_s(clip))
    np.testing.assert_allclose(frames["time_s"], times_s - times_s[0], atol=1 / 90_000)
    assert np.diff(times_s).std() > 0.001, "the clip must have a variable frame rate"


def test_one_face_is_found_in_every_frame_under_one_identity(run: Run) -> None:
    faces = pd.read_parquet(run[0] / "faces")
    assert faces["track_id"].unique().tolist() == [1]
    assert faces["frame_index"].nunique() >= 38
    assert (faces["x2"] > faces["x1"]).all()
    assert faces["x1"].iloc[-1] > faces["x1"].iloc[0] + 100, "the face moves to the right"


def test_probabilities_sum_to_one_and_name_the_emotion(run: Run) -> None:
    faces = pd.read_parquet(run[0] / "faces")
    emotions = faces[list(EMOTIONS)]
    np.testing.assert_allclose(emotions.sum(axis=1), 1, atol=1e-5)
    assert faces["emotion"].astype(str).tolist() == emotions.idxmax(axis=1).tolist()
    assert faces["emotion"].astype(str).mode()[0] == "happiness", "the astronaut smiles"


def test_tables_over_all_videos_agree_with_the_report(run: Run, clip: Path) -> None:
    out, report = run
    video = pd.read_parquet(out / "videos.parquet").iloc[0]
    assert (video["video_id"], video["status"], video["path"]) == ("face", "done", str(clip))
    assert video["sha256"] == hash_file(clip)
    assert video["frames_decoded"] == video["frames_analysed"] == 40
    tracks = pd.read_parquet(out / "tracks.parquet")
    assert video["faces"] == report.videos[0].faces == tracks["rows"].sum()
    assert len(tracks) == video["tracks"] == 1


def test_footers_carry_what_the_numbers_depend_on(run: Run, clip: Path) -> None:
    footer = pq.read_metadata(run[0] / "faces" / "face.parquet").metadata
    preset = find_preset("ferplus-resnet-48", "emotion")
    assert footer[b"videmo.version"].decode() == videmo.__version__
    assert footer[b"videmo.preset_sha256"].decode() == preset.sha256
    assert footer[b"videmo.source_sha256"].decode() == hash_file(clip)
    assert json.loads(footer[b"videmo.settings"])["stride"] == 1


def test_run_json_tells_settings_machine_and_stages(run: Run) -> None:
    told = json.loads((run[0] / "run.json").read_text())
    assert told["status"] == "done"
    assert told["videos"] == {"done": 1, "failed": 0, "cancelled": 0}
    stages = {stage["name"]: stage["items"] for stage in told["stages"]}
    assert stages["decode"] == stages["write"] == 40
    assert told["bottleneck"] in stages


def test_annotated_video_has_every_frame_at_its_time_and_the_sound(run: Run, clip: Path) -> None:
    annotated = run[0] / "annotated" / "face.mp4"
    expected = np.array(container_times_s(clip))
    np.testing.assert_allclose(container_times_s(annotated), expected - expected[0], atol=1 / 90_000)
    with av.open(str(annotated)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"


def test_chart_is_a_picture(run: Run) -> None:
    data = (run[0] / "charts" / "face.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 10_000


def test_stream_yields_the_same_as_the_tables(run: Run, clip: Path) -> None:
    faces = pd.read_parquet(run[0] / "faces")
    items = list(videmo.stream(clip))
    assert [item.frame.index for item in items] == list(range(40))
    assert all(item.frame.picture is None for item in items)
    np.testing.assert_allclose(
        np.concatenate([item.faces.emotions for item in items]), faces[list(EMOTIONS)], atol=1e-4
    )
    np.testing.assert_array_equal(np.concatenate([item.faces.boxes for item in items]), faces[["x1", "y1", "x2", "y2"]])


def test_a_stream_that_is_left_early_leaves_nothing_behind(clip: Path) -> None:
    items = videmo.stream(clip)
    assert next(items).frame.index == 0
    items.close()  # type: ignore[attr-defined]  # it is a generator; the leak check of conftest follows


def test_sampling_by_time_and_bounds(clip: Path, tmp_path: Path) -> None:
    settings = videmo.Settings(fps=10, start_s=0.4, end_s=1.2, charts=False)
    videmo.analyze([clip], tmp_path, settings)
    frames = pd.read_parquet(tmp_path / "frames")
    assert len(frames) == 8
    assert frames["time_s"].between(0.4, 1.2, inclusive="left").all()
    within = [time_s for time_s in container_times_s(clip) if 0.4 <= time_s < 1.2]
    assert len(container_times_s(tmp_path / "annotated" / "face.mp4")) == len(within), "every frame is shown"


def test_second_run_into_the_same_folder_is_refused(run: Run, clip: Path) -> None:
    with pytest.raises(UsageError, match=r"already holds results: use --resume to go on, --overwrite"):
        videmo.analyze([clip], run[0])


def test_pictures_are_a_sequence_with_names(tmp_path: Path) -> None:
    import cv2
    import synthetic

    folder = tmp_path / "session"
    folder.mkdir()
    for number, (picture, _) in enumerate(synthetic.moving_face(3), start=9):
        cv2.imwrite(str(folder / f"img{number}.png"), picture[:, :, ::-1])
    videmo.analyze([folder], tmp_path / "out", videmo.Settings(image_fps=2))
    frames = pd.read_parquet(tmp_path / "out" / "frames")
    assert frames["file_name"].tolist() == ["img9.png", "img10.png", "img11.png"]
    assert frames["time_s"].tolist() == [0.0, 0.5, 1.0]
    assert frames["faces"].tolist() == [1, 1, 1]


def test_command_line_end_to_end(run_cli: Callable[..., tuple[int, str, str]], clip: Path, tmp_path: Path) -> None:
    code, out, err = run_cli(
        "analyze", clip, "--out", tmp_path / "o", "--no-video", "--no-charts", "--stats", "--progress", "json"
    )
    assert code == 0
    assert "1 of 1 videos" in out
    assert "<- bottleneck" in out
    events = [json.loads(line)["event"] for line in err.splitlines() if line.startswith("{")]
    assert events[:2] == ["begun", "started"]
    assert events[-1] == "finished"
    assert not (tmp_path / "o" / "annotated" / "face.mp4").exists()
    code, out, _ = run_cli("summarize", tmp_path / "o", "--format", "csv")
    assert code == 0
    assert out.startswith("video_id,")


def test_dry_run_writes_nothing(run_cli: Callable[..., tuple[int, str, str]], clip: Path, tmp_path: Path) -> None:
    code, out, _ = run_cli("analyze", clip, "--out", tmp_path / "o", "--fps", "2", "--dry-run")
    assert code == 0
    assert "fps=2.0" in out
    assert "nothing was written" in out
    assert not (tmp_path / "o").exists()


def test_dry_run_refuses_results_that_are_there(
    run_cli: Callable[..., tuple[int, str, str]], clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "o" / "frames").mkdir(parents=True)
    (tmp_path / "o" / "frames" / "face.parquet").touch()
    code, out, err = run_cli("analyze", clip, "--out", tmp_path / "o", "--dry-run")
    assert (code, out) == (2, "")
    assert "already holds results: use --resume to go on, --overwrite to start again" in err


def test_config_file_and_command_line_agree_the_line_wins(
    run_cli: Callable[..., tuple[int, str, str]], clip: Path, tmp_path: Path
) -> None:
    config = tmp_path / "c.toml"
    config.write_text("stride = 4\nno-video = true\nmin-face = 30\n")
    code, out, _ = run_cli("analyze", clip, "--out", tmp_path / "o", "--config", config, "--stride", "2", "--dry-run")
    assert code == 0
    assert "stride=2" in out
    assert "min_face_px=30" in out
    assert "annotated_video=False" in out


def test_the_detector_sees_the_size_that_was_asked_for(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from videmo.detection.haar import HaarDetector

    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr(HaarDetector, "_detect_one", lambda _, image: seen.append(image.shape) or Detections.none())
    assert len(list(videmo.stream(clip, videmo.Settings(detector="haar", detect_size_px=160, fps=5)))) == 8
    assert set(seen) == {(120, 160)}


def test_where_no_frame_is_due_the_warning_does_not_say_that_the_video_ends_before_the_start(tmp_path: Path) -> None:
    clip = synthetic.moving_face_clip(tmp_path / "clip.mp4", duration_s=1, fps=10, side_px=140)
    settings = videmo.Settings(stride=10, start_s=0.5, detector="haar", annotated_video=False, charts=False)
    (video,) = videmo.analyze([clip], tmp_path / "out", settings).videos
    assert video.frames_analysed == 0
    assert video.warnings == (
        "no frame was analysed: the video ends before the time to start at, or no frame is due from there to the end",
    )

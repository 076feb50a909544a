"""All clips beside the project in one run: every frame at its PTS, every annotated video playable, failures named."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

import videmo
from videmo.datatypes import RunReport

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.timeout(3000)]

CUTS = ("goldeneye-vfr-drop3", "in_video")


@pytest.fixture(scope="module")
def run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """The command of the issue, `videmo analyze ../shared/videos --out out`, by its Python name."""
    out = tmp_path_factory.mktemp("shared") / "out"
    return out, videmo.analyze([shared / "videos"], out)


def ticks(path: Path) -> tuple[list[int], float]:
    """Return the PTS of every decodable frame since the stream's start and the length of a tick in seconds."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        # AVI has no PTS; the decoder's DTS counts its frames.
        first, second = ("dts", "pts") if container.format.name == "avi" else ("pts", "dts")
        found: list[int] = []
        for packet in container.demux(stream):
            try:
                frames = stream.decode(packet)
            except av.error.FFmpegError:
                continue
            stamps = [(getattr(frame, first), getattr(frame, second)) for frame in frames]
            found += [other if stamp is None else stamp for stamp, other in stamps]
        start = stream.start_time if stream.start_time is not None else found[0]
        return sorted(pts - start for pts in found), float(stream.time_base or 0)


def test_all_clips_are_accounted_for(run: tuple[Path, RunReport], shared: Path) -> None:
    videos = pd.read_parquet(run[0] / "videos.parquet")
    files = [path for path in (shared / "videos").iterdir() if path.suffix != ".csv"]
    assert len(videos) == len(files) == 35
    for failed in videos[videos["status"] != "done"].itertuples():
        assert Path(failed.path).name in failed.error


def test_frames_tables_have_exactly_the_decoded_frames_at_their_pts(run: tuple[Path, RunReport]) -> None:
    for video in pd.read_parquet(run[0] / "videos.parquet").query("status == 'done'").itertuples():
        frames = pd.read_parquet(run[0] / "frames" / f"{video.video_id}.parquet")
        expected, tick_s = ticks(Path(video.path))
        assert len(frames) == len(expected), video.path
        assert np.abs(frames["time_s"] - np.array(expected) * tick_s).max() <= tick_s, video.path


def test_every_annotated_video_plays_back_alike(run: tuple[Path, RunReport]) -> None:
    for video in pd.read_parquet(run[0] / "videos.parquet").query("status == 'done'").itertuples():
        annotated = run[0] / "annotated" / f"{video.video_id}.mp4"
        frames = pd.read_parquet(run[0] / "frames" / f"{video.video_id}.parquet")
        found, tick_s = ticks(annotated)
        source_tick_s = ticks(Path(video.path))[1]
        times_s = (frames["time_s"] - frames["time_s"].iloc[0]).to_numpy()
        assert len(found) == len(frames), video.path
        assert np.abs(np.array(found) * tick_s - times_s).max() <= max(tick_s, source_tick_s), video.path
        with av.open(video.path, metadata_errors="replace") as source, av.open(str(annotated)) as target:
            if source.streams.audio and not any("sound" in warning for warning in video.warnings):
                assert target.streams.audio, video.path


def test_no_track_spans_a_cut(run: tuple[Path, RunReport]) -> None:
    for path in sorted((run[0] / "faces").glob("*.parquet")):
        faces = pd.read_parquet(path).merge(pd.read_parquet(run[0] / "frames" / path.name), on="frame_index")
        assert (faces.groupby("track_id")["shot"].nunique() <= 1).all(), path


@pytest.mark.parametrize("name", ["WolfgangLanger", "woman2", "d18", "d19", "cap13_edit2.mp4"])
def test_one_face_clips_give_one_track_with_yunet(name: str, shared: Path, tmp_path: Path) -> None:
    clip = next(path for path in (shared / "videos").iterdir() if name in path.name)
    model = shared / "reference" / "face_detection_yunet_2023mar.onnx"
    settings = videmo.Settings(detector="yunet", detector_model=model, annotated_video=False, charts=False)
    videmo.analyze([clip], tmp_path, settings)
    faces, frames = pd.read_parquet(tmp_path / "faces"), pd.read_parquet(tmp_path / "frames")
    longest = faces["track_id"].value_counts().iloc[0]
    assert longest / (frames["faces"] > 0).sum() >= 0.95

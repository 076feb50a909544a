"""The stages put together: threaded equals inline, for any number of lanes and any batch size."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.analysis.lane import scored_frames
from videmo.analysis.models import Models, serve
from videmo.datatypes import Detections, Float32Array, Frame, FrameFaces, ScoredFaces, UInt8Array, VideoInfo
from videmo.detection.base import PictureFormat
from videmo.errors import StageError, VideoError
from videmo.pipeline.lanes import Cancellation, run_lanes
from videmo.pipeline.meters import Meters
from videmo.settings import Settings
from videmo.video.base import ReadProblems
from videmo.video.picture import ArrayPicture

LABELS = ("neutral", "happiness")


class BrightSquares:
    """Finds the bright squares of a fake video: as many as the picture's first pixel says."""

    picture_format = PictureFormat("gray", None)
    birth_score = 0.5
    version = "test"

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        return [self._detect(image) for image in images]

    def _detect(self, image: UInt8Array) -> Detections:
        lefts = np.arange(int(image[0, 0]) // 50, dtype=np.float32)[:, None] * 40
        boxes = np.hstack([lefts, lefts * 0 + 10, lefts + 30, lefts * 0 + 40])
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32))


class Brightness:
    """Calls bright faces happy."""

    labels = LABELS
    crop_side_px = 8

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def classify(self, crops: UInt8Array) -> Float32Array:
        share = crops.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - share, share], axis=1).astype(np.float32)


class FakeReader:
    """Frames with as many faces as told."""

    def __init__(self, name: str, faces: Sequence[int], breaks_at: int | None = None) -> None:
        self.info = VideoInfo(name, Path(name), 160, 60, Fraction(25), Fraction(1, 25))
        self.problems = ReadProblems()
        self.closed = 0
        self._faces, self._breaks_at = faces, breaks_at

    def frames(self) -> Any:
        for index, faces in enumerate(self._faces):
            if index == self._breaks_at:
                raise VideoError(f"{self.info.id}: broke")
            pixels = np.full((60, 160, 3), 30 + index % 7, np.uint8)
            pixels[:, ::2] = 90
            pixels[0, 0] = 50 * faces
            yield Frame(self.info, index, index, index / 25, ArrayPicture(pixels))

    def close(self) -> None:
        self.closed += 1


def run_lane(reader: FakeReader, models: Models, *, threaded: bool, every: int = 1) -> list[FrameFaces[ScoredFaces]]:
    meters, chosen = Meters(reader.info.id), PLAIN.merged({"detect_every_frames": every})
    frames = scored_frames(reader, models, chosen, keep_pictures=False, meters=meters, threaded=threaded)
    try:
        return list(frames)
    finally:
        frames.close()


PLAIN = Settings(min_face_px=4)
videos = st.lists(st.lists(st.integers(0, 4), max_size=30), min_size=1, max_size=4)


@given(
    videos=videos,
    jobs=st.integers(1, 4),
    detect_batch=st.integers(1, 5),
    classify_batch=st.integers(1, 9),
    every=st.integers(1, 4),
)
@settings(max_examples=25)
def test_threaded_equals_inline(
    videos: list[list[int]], jobs: int, detect_batch: int, classify_batch: int, every: int
) -> None:
    with serve(BrightSquares(1), Brightness(1), PLAIN, threaded=False) as models:
        expected = [
            run_lane(FakeReader(str(n), faces), models, threaded=False, every=every) for n, faces in enumerate(videos)
        ]
    readers = [FakeReader(str(n), faces) for n, faces in enumerate(videos)]

    def run_one(reader: FakeReader, _: Cancellation) -> list[FrameFaces[ScoredFaces]]:
        return run_lane(reader, models, threaded=True, every=every)

    with serve(BrightSquares(detect_batch), Brightness(classify_batch), PLAIN) as models:
        found = run_lanes(readers, run_one, jobs=jobs)
    for faces, items, wanted in zip(videos, found, expected, strict=True):
        assert [item.frame.index for item in items] == list(range(len(faces)))
        assert [item.frame.detected for item in items] == [item.frame.detected for item in wanted]
        assert [item.frame.shot for item in items] == [item.frame.shot for item in wanted]
        for item, other in zip(items, wanted, strict=True):
            np.testing.assert_array_equal(item.faces.boxes, other.faces.boxes)
            np.testing.assert_array_equal(item.faces.track_ids, other.faces.track_ids)
            np.testing.assert_array_equal(item.faces.emotions, other.faces.emotions)
            assert item.frame.picture is None
    assert all(reader.closed for reader in readers)


def test_the_classifier_gets_ready_before_the_first_face_comes() -> None:
    asked: list[tuple[int, ...]] = []

    class Watched(Brightness):
        def classify(self, crops: UInt8Array) -> Float32Array:
            asked.append(crops.shape)
            return super().classify(crops)

    with serve(BrightSquares(4), Watched(4), PLAIN):
        pass
    assert asked == [(1, 8, 8, 1)]


def test_a_video_that_breaks_in_the_middle_raises_its_own_error() -> None:
    reader = FakeReader("bad", [1] * 20, breaks_at=12)
    with serve(BrightSquares(4), Brightness(4), PLAIN) as models:
        frames = scored_frames(reader, models, PLAIN, keep_pictures=False, meters=Meters("bad"))
        with pytest.raises(VideoError, match="bad: broke"):
            list(frames)
    assert reader.closed


def test_a_model_that_breaks_stops_the_lane_with_stage_and_video() -> None:
    class Broken(Brightness):
        def classify(self, crops: UInt8Array) -> Float32Array:
            raise MemoryError("no room")

    reader = FakeReader("good", [1] * 9)
    with (
        serve(BrightSquares(2), Broken(2), PLAIN) as models,
        pytest.raises(StageError, match="classify failed on good"),
    ):
        run_lane(reader, models, threaded=True)
    assert reader.closed


def test_the_detector_rests_in_between() -> None:
    """Fake readers change the number of faces in every frame; in between the nearer detection counts."""
    with serve(BrightSquares(1), Brightness(1), PLAIN, threaded=False) as models:
        items = run_lane(FakeReader("clip", [2, 0, 1, 1, 3, 0, 0]), models, threaded=False, every=3)
    assert [item.frame.detected for item in items] == [True, False, False, True, False, False, True]
    assert [len(item.faces) for item in items] == [2, 2, 1, 1, 1, 0, 0]
    assert [len(item.faces.emotions) for item in items] == [2, 2, 1, 1, 1, 0, 0]


def test_statistics_count_every_hop() -> None:
    reader = FakeReader("clip", [1] * 15)
    meters = Meters("clip")
    with serve(BrightSquares(2), Brightness(2), PLAIN) as models:
        frames = scored_frames(reader, models, PLAIN, keep_pictures=False, meters=meters)
        assert len(list(frames)) == 15
        frames.close()
        workers = models.statistics()
    hops = [hop.name for hop in meters.statistics()]
    assert hops == ["decode", "decoded", "shots", "detect", "track", "align", "classify", "scored"]
    assert all(hop.items == 15 for hop in meters.statistics())
    assert [worker.name for worker in workers] == ["detector (batches)", "classifier (batches)"]

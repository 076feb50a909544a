"""Scored frames made of plain arrays: what the last stage receives, without decoding or models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from videmo.datatypes import Frame, FrameFaces, Part, ScoredFaces, UInt8Array, VideoInfo
from videmo.emotion.labels import EMOTIONS
from videmo.pose import GENERIC_FACE


class FlatPicture:
    """A picture of one colour, its luma given; implements `datatypes.Picture` as far as sinks need it."""

    def __init__(self, width_px: int, height_px: int, luma: int = 120) -> None:
        self.width_px, self.height_px, self.luma = width_px, height_px, luma

    def i420(self) -> UInt8Array:
        height, width = self.height_px + self.height_px % 2, self.width_px + self.width_px % 2
        pixels = np.full((height * 3 // 2, width), 128, np.uint8)
        pixels[:height] = self.luma
        return pixels

    def rgb(self, width_px: int | None = None, height_px: int | None = None) -> UInt8Array:
        return np.full((height_px or self.height_px, width_px or self.width_px, 3), self.luma, np.uint8)

    def gray(self, part: Part | None = None) -> UInt8Array:
        x1, y1, x2, y2 = part or (0, 0, self.width_px, self.height_px)
        return np.full((y2 - y1, x2 - x1), self.luma, np.uint8)


def video_info(folder: Path, *, width_px: int = 320, height_px: int = 240, video_id: str = "clip") -> VideoInfo:
    """Describe an image sequence in `folder`: nothing is read from it."""
    return VideoInfo(video_id, folder, width_px, height_px, Fraction(25), Fraction(1, 1000))


def scored_faces(
    count: int, *, seed: int = 0, landmarks: bool = True, side_px: float = 60, track_ids: Sequence[int] | None = None
) -> ScoredFaces:
    """Return `count` faces at random places, tracks 1, 2, ... or those given, with random probabilities."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 200, (count, 2))
    boxes = np.concatenate([corners, corners + side_px], axis=1).astype(np.float32)
    # Faces that look into the lens, each a little different.
    places = [0.5, 0.4] + 0.4 * GENERIC_FACE[:, :2] + rng.uniform(-0.02, 0.02, (count, 5, 2))
    points = (corners[:, None] + side_px * places).astype(np.float32) if landmarks else None
    ids = np.arange(1, count + 1) if track_ids is None else np.asarray(track_ids)
    emotions = rng.dirichlet(np.full(len(EMOTIONS), 0.4), count).astype(np.float32)
    return ScoredFaces(boxes, rng.uniform(0.65, 1, count).astype(np.float32), points, ids.astype(np.int32), emotions)


def scored_frames(
    video: VideoInfo, counts: Sequence[int], *, step_ms: int = 40, analysed_every: int = 1, shots: Sequence[int] = ()
) -> Iterator[FrameFaces[ScoredFaces]]:
    """Yield one frame per entry of `counts`, each with that many faces; frames between analysed ones have none."""
    for index, count in enumerate(counts):
        analysed = index % analysed_every == 0
        picture = FlatPicture(video.width_px, video.height_px)
        name = f"{index:04}.png"
        shot = shots[index] if shots else 0
        frame = Frame(video, index, index * step_ms, index * step_ms / 1000, picture, analysed, name, shot=shot)
        faces = scored_faces(count if analysed else 0, seed=index)
        yield FrameFaces(frame, faces)

"""The observations of one track over time, each with the time it stands for.

An observation stands for the time until the next *analysed* frame, so that shares of time are right at variable frame
rates and for sampled runs. It never stands for longer than the gap limit: by default three times the usual step between
analysed frames, at least one second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.datatypes import Float32Array
from videmo.output.schema import BOX_COLUMNS

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LIMIT_STEPS, _LIMIT_S = 3.0, 1.0
INSTANT_S = 1e-6
"""Below the tick of any container: times this close are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Sums over the epochs `first`, `first` + 1, ...: `seen_s` (b,) and `weighted` (b, E), seconds times probability.

    Epoch k covers [k, k + 1) * `width_s`. The sums of several tracks, or of pieces of one, simply add up.
    """

    width_s: float
    first: int
    seen_s: Float64Array
    weighted: Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """One track: `times_s` (t,) increasing, `durations_s` (t,), `boxes` (t, 4) px, `emotions` (t, E) probabilities."""

    video_id: str
    track_id: int
    times_s: Float64Array
    durations_s: Float64Array
    boxes: Float32Array
    emotions: Float32Array

    @property
    def seen_s(self) -> float:
        """How long the face was seen, gaps left out."""
        return float(self.durations_s.sum())

    @property
    def ends_s(self) -> Float64Array:
        """When each observation ceases to hold (t,)."""
        return self.times_s + self.durations_s

    @property
    def follows(self) -> NDArray[np.bool_]:
        """Whether each observation but the first (t - 1,) follows the one before it without a gap."""
        return np.asarray(self.times_s[1:] - self.ends_s[:-1] <= INSTANT_S)

    @property
    def gaps_s(self) -> Float64Array:
        """When the track was not seen between its first and last observation: (g, 2) start and end."""
        absent = ~self.follows
        return np.stack([self.ends_s[:-1][absent], self.times_s[1:][absent]], axis=1)

    def binned(self, width_s: float) -> Bins:
        """Return sums over epochs of `width_s`; an observation across an edge counts on both sides by its share."""
        rows, epochs, seen_s = cut_by_epoch(self.times_s, self.ends_s, width_s)
        places = epochs - epochs[0]
        weighted = [np.bincount(places, seen_s * column[rows]) for column in self.emotions.T]
        return Bins(width_s, int(epochs[0]), np.bincount(places, seen_s).astype(np.float64), np.stack(weighted, axis=1))


def cut_by_epoch(
    times_s: Float64Array, ends_s: Float64Array, width_s: float
) -> tuple[IntArray, IntArray, Float64Array]:
    """Cut observations (t,) that hold from `times_s` to `ends_s` at the edges of epochs of `width_s`.

    Returns:
        For each of the p pieces, in the order of the observations: which observation (p,), which epoch (p,), how long
        (p,) s. Epoch k covers [k, k + 1) * `width_s`.

    Example:
        >>> cut_by_epoch(np.array([0.5]), np.array([1.25]), 1.0)
        (array([0, 0]), array([0, 1]), array([0.5 , 0.25]))
    """
    first = np.floor(times_s / width_s).astype(np.int64)
    counts = np.maximum(np.ceil(ends_s / width_s).astype(np.int64) - first, 1)
    rows = np.repeat(np.arange(len(counts)), counts)
    epochs = np.arange(len(rows)) - np.repeat(counts.cumsum() - counts - first, counts)
    starts_s = np.maximum(times_s[rows], epochs * width_s)
    return rows, epochs, np.clip(np.minimum(ends_s[rows], (epochs + 1) * width_s) - starts_s, 0, None)


def frame_durations(times_s: Float64Array, gap_limit_s: float | None = None) -> Float64Array:
    """Return how long each analysed frame (t,) stands for: to the next, `gap_limit_s` at most; the last, a usual step.

    Example:
        >>> frame_durations(np.array([0.0, 0.5, 1.0, 60.0])).tolist()
        [0.5, 0.5, 1.5, 0.5]
    """
    steps = np.diff(times_s)
    usual_s = float(np.median(steps)) if len(steps) else _LIMIT_S
    limit_s = max(_LIMIT_STEPS * usual_s, _LIMIT_S) if gap_limit_s is None else gap_limit_s
    return np.asarray(np.minimum(np.append(steps, usual_s)[: len(times_s)], limit_s))


def usable_faces(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the usable rows of a faces table; all where it does not say, as tables before schema version 1.2."""
    return faces[faces["usable"].to_numpy(bool)] if "usable" in faces else faces


def timelines(
    frames: pd.DataFrame,
    faces: pd.DataFrame,
    labels: Sequence[str],
    gap_limit_s: float | None = None,
    *,
    usable_only: bool = True,
) -> list[Timeline]:
    """Return the timeline of each track in `faces` that has observations, by track_id.

    Args:
        frames: the whole frames table of one video.
        faces: its faces table, or a piece of it.
        labels: the columns of the probabilities.
        gap_limit_s: longest time an observation may stand for; None chooses by the usual step.
        usable_only: leave out the rows that are not usable, so that there are gaps; False keeps them.
    """
    faces = usable_faces(faces) if usable_only else faces
    durations_s = frame_durations(frames["time_s"].to_numpy(), gap_limit_s)
    at = np.searchsorted(frames["frame_index"].to_numpy(), faces["frame_index"].to_numpy())
    track_ids = faces["track_id"].to_numpy()
    order = np.argsort(track_ids, kind="stable")
    ids, starts = np.unique(track_ids[order], return_index=True)
    times_s, face_durations_s = faces["time_s"].to_numpy(), durations_s[at]
    boxes = faces[list(BOX_COLUMNS)].to_numpy(np.float32)
    emotions = faces[list(labels)].to_numpy(np.float32)
    video_id = str(frames["video_id"].iloc[0]) if len(frames) else ""
    return [
        Timeline(video_id, int(track_id), times_s[rows], face_durations_s[rows], boxes[rows], emotions[rows])
        for track_id, rows in zip(ids, np.split(order, starts[1:]), strict=bool(len(ids)))
    ]

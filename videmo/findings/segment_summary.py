"""What happened within named time spans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.findings.observations import observe
from videmo.findings.summary import By
from videmo.findings.tables import Run
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray


def label_rows(rows: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the name of the segment they lie in: their `time_s` is in [start, end).

    Args:
        rows: any table with `video_id` and `time_s`.
        segments: from `place_segments`.

    Returns:
        `rows` with `segment`, missing outside of all. A row in several segments is there once for each, and only then
        more often than before; the order of the rows stays.

    Example:
        >>> faces = pd.DataFrame({"video_id": "a", "time_s": [0.0, 1.0]})
        >>> ad = pd.DataFrame({"video_id": ["a"], "start_s": [1.0], "end_s": [2.0], "segment": ["ad"]})
        >>> label_rows(faces, ad)["segment"].fillna("-").tolist()
        ['-', 'ad']
    """
    # One pass over the rows and over the segments, however many videos there are.
    positions = rows.groupby("video_id").indices
    here = segments[segments["video_id"].isin(list(positions))]
    times_s = rows["time_s"].to_numpy()
    found = [
        _members(times_s, np.asarray(positions[video_id]), of_video) for video_id, of_video in here.groupby("video_id")
    ]
    at = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in found)])
    names = np.concatenate([np.zeros(0, object), *(part[1] for part in found)])
    outside = np.flatnonzero(np.bincount(at, minlength=len(rows)) == 0)
    order = np.argsort(np.concatenate([at, outside]), kind="stable")
    labelled = rows.iloc[np.concatenate([at, outside])[order]].copy()
    labelled["segment"] = np.concatenate([names, np.full(len(outside), None)])[order]
    return labelled


def name_segments(rows: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Return rows as `label_rows` does, but each of them once, the names of overlapping segments parted by "; ".

    Raises:
        UsageError: the rows have a column `segment` of their own: the study's.
    """
    if "segment" in rows:
        raise UsageError("manifest column segment: the rows have the run's segments under this name: rename it")
    labelled = label_rows(rows.reset_index(drop=True), segments)
    several = labelled.index.duplicated(keep=False)
    names = labelled["segment"][several].groupby(level=0).agg("; ".join)
    once = labelled[~labelled.index.duplicated()].copy()
    once.loc[names.index, "segment"] = names
    return once


def summarize_segments(
    frames: pd.DataFrame, faces: pd.DataFrame, labels: Sequence[str], segments: pd.DataFrame, *, by: By = "track"
) -> pd.DataFrame:
    """Return one row per segment of a video and track seen in it, or (by video) one row per segment, seen or not.

    All figures are over time; an observation across the edge of a segment counts by its share.

    Columns:
        video_id; track_id (by track)
        segment, start_s, end_s, duration_s: the segment, on the time of the video
        seen_s: time that the face was seen within it; by video the tracks are pooled, so two faces count twice
        usable_s: the part of it whose rows are usable; the means and shares are over this time
        dominant: the expression with the highest mean probability, missing where nothing was usable
        share_<label>: share of `usable_s` with this expression on top, 0..1
        mean_<label>: mean probability over `usable_s`, 0..1
    """
    rows = observe(frames, faces)
    tracks, codes = np.unique(rows["track_id"].to_numpy(), return_inverse=True)
    codes, pools = (codes, max(len(tracks), 1)) if by == "track" else (np.zeros(len(rows), np.int64), 1)
    at, which, held_s = _overlaps(rows, segments)
    place, size = which * pools + codes[at], len(segments) * pools
    used_s = held_s * rows["usable"].to_numpy(bool)[at]
    emotions = rows[list(labels)].to_numpy(np.float64)
    top = emotions.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
    seen_s, usable_s = (np.bincount(place, seconds, minlength=size) for seconds in (held_s, used_s))
    divisor_s = np.where(usable_s > INSTANT_S, usable_s, np.nan)
    sums = {f"share_{label}": used_s * (top[at] == i) for i, label in enumerate(labels)}
    sums |= {f"mean_{label}": used_s * emotions[at, i] for i, label in enumerate(labels)}
    means = {name: np.bincount(place, weights, minlength=size) / divisor_s for name, weights in sums.items()}
    table = segments.loc[np.repeat(segments.index, pools)].reset_index(drop=True)
    table.insert(1, "track_id", np.resize(tracks if len(tracks) else [0], size))
    table = table.assign(duration_s=table["end_s"] - table["start_s"], seen_s=seen_s, usable_s=usable_s)
    dominant = _dominant(np.stack([means[f"mean_{label}"] for label in labels], axis=1), labels)
    table = pd.concat([table, pd.DataFrame({"dominant": dominant} | means)], axis=1)
    return (
        table[table["seen_s"] > INSTANT_S].reset_index(drop=True) if by == "track" else table.drop(columns="track_id")
    )


def summarize_run_segments(run: Run, segments: pd.DataFrame, *, by: By = "track") -> pd.DataFrame:
    """Return `summarize_segments` of every finished video of a run; `segments` are those of `place_segments`."""
    tables = [
        summarize_segments(run.frames(video_id), run.faces(video_id), run.labels, of_video, by=by)
        for video_id in run.video_ids
        if len(of_video := segments[segments["video_id"] == video_id].reset_index(drop=True))
    ]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _members(
    times_s: Float64Array, positions: IntArray, segments: pd.DataFrame
) -> tuple[IntArray, NDArray[np.object_]]:
    """Return the positions of the rows that lie in the segments of one video, and the names of these.

    `times_s` (r,) is of all rows, `positions` (n,) are those of the video.
    """
    times_s = times_s[positions]
    order = np.argsort(times_s, kind="stable")
    first, end = (np.searchsorted(times_s[order], segments[edge].to_numpy()) for edge in ("start_s", "end_s"))
    at, which = _ranges(first, end)
    return positions[order[at]], segments["segment"].to_numpy(object)[which]


def _overlaps(rows: pd.DataFrame, segments: pd.DataFrame) -> tuple[IntArray, IntArray, Float64Array]:
    """Return each pair of a row and a segment that share time: row, segment, and how long, s."""
    times_s = rows["time_s"].to_numpy()
    order = np.argsort(times_s, kind="stable")
    times_s, ends_s = times_s[order], (times_s + rows["duration_s"].to_numpy())[order]
    opens_s, closes_s = segments["start_s"].to_numpy(), segments["end_s"].to_numpy()
    # Rows of one frame end together and no row outlasts the next frame's start: the ends are in order, too.
    at, which = _ranges(np.searchsorted(ends_s, opens_s, "right"), np.searchsorted(times_s, closes_s))
    held_s = np.minimum(ends_s[at], closes_s[which]) - np.maximum(times_s[at], opens_s[which])
    return order[at], which, held_s


def _ranges(first: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Return the numbers from `first` to before `end` of each range, one range after the other, and whose each is."""
    counts = np.maximum(end - first, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(which)) - np.repeat(counts.cumsum() - counts - first, counts), which


def _dominant(means: Float64Array, labels: Sequence[str]) -> NDArray[np.object_]:
    """Return the label with the highest mean (s, E) of each row, None where the means are NaN."""
    best = np.array(labels, object)[np.nan_to_num(means, nan=-1.0).argmax(axis=1)]
    best[np.isnan(means[:, 0])] = None
    return np.asarray(best)

"""Timelines made ready for analysis: smoothed, short gaps bridged and flagged, on epochs of fixed length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.findings.observations import observe
from videmo.findings.smoothing import Smoother
from videmo.findings.timeline import INSTANT_S, Float64Array, IntArray, cut_by_epoch, frame_durations

SMOOTHED = "_smoothed"


def build_series(
    frames: pd.DataFrame,
    faces: pd.DataFrame,
    signals: Sequence[str],
    *,
    smoother: Smoother | None = None,
    bridge_s: float = 0.5,
) -> pd.DataFrame:
    """Return the signals of each track of one video over time, raw and smoothed side by side.

    Only usable rows count. Where a track has none for `bridge_s` or less (not seen, or seen but not usable), the frames
    in between get values on the straight line between its neighbours and are flagged. Longer gaps stay gaps; no filter
    reaches across them. Smoothing trails behind by `smoother.lag_s`.

    Args:
        frames: the whole frames table of the video.
        faces: its faces table; `usable` is obeyed where it is there.
        signals: the columns to smooth, numbers.
        smoother: the filter; None takes the values as they are.
        bridge_s: longest gap to bridge, s; 0 bridges none.

    Returns:
        By track and time: `video_id`, `track_id`, `frame_index`, `time_s`, `duration_s`, `usable`, `bridged`, the raw
        signals (NaN in a frame without a row) and `<signal>_smoothed` (NaN where neither usable nor bridged).

    Raises:
        UsageError: `bridge_s` is below 0.

    Example:
        >>> build_series(run.frames(i), run.faces(i), run.labels, smoother=MedianFilter(0.5))  # doctest: +SKIP
    """
    if bridge_s < 0:
        raise UsageError(f"bridge of {bridge_s} s: expected a length from 0")
    rows = observe(frames, faces)[["track_id", "frame_position", "duration_s", "usable", *signals]]
    times_s = frames["time_s"].to_numpy()
    known = rows[rows["usable"].to_numpy(bool)].reset_index(drop=True)
    known_s = times_s[known["frame_position"]]
    follows = _follows(known, known_s, bridge_s)
    values = known[list(signals)].to_numpy(np.float64)
    if smoother is not None:
        values = smoother.smooth(known_s, values, np.cumsum(~follows) - 1)
    known_rows = _with_values(known[["track_id", "frame_position"]], values, signals, bridged=False)
    filled = pd.concat([known_rows, _bridge(known, known_s, times_s, values, follows, signals)])
    series = rows.merge(filled, how="outer", on=["track_id", "frame_position"], sort=True)
    return _complete(series, frames, signals)


def resample(series: pd.DataFrame, signals: Sequence[str], epoch_s: float, *, origin_s: float = 0.0) -> pd.DataFrame:
    """Return the signals of each track on epochs of fixed length, weighted by time.

    An observation across an edge counts on both sides by its share. Bridged time counts, and is stated.

    Args:
        series: one video of `build_series`.
        signals: the columns to average, say "happiness_smoothed".
        epoch_s: length of an epoch, s.
        origin_s: where time is 0, for instance where the stimulus starts.

    Returns:
        One row per track and epoch from its first to its last: `video_id`, `track_id`, `epoch_start_s`, `epoch_end_s`
        (from `origin_s`), `seen_s` (usable time), `bridged_s`, and the mean of each signal over the part of this time
        in which it has a value, NaN where there is none.

    Raises:
        UsageError: `epoch_s` is not above 0.
    """
    if not epoch_s > 0:
        raise UsageError(f"epoch of {epoch_s} s: expected a length above 0")
    rows = series[series["usable"] | series["bridged"]]
    starts_s = rows["time_s"].to_numpy() - origin_s
    piece, epochs, held_s = cut_by_epoch(starts_s, starts_s + rows["duration_s"].to_numpy(), epoch_s)
    # Times on an edge are a rounding error to one side of it: that must not open an epoch.
    counts = held_s > INSTANT_S
    piece, epochs, held_s = piece[counts], epochs[counts], held_s[counts]
    tracks, codes = np.unique(rows["track_id"].to_numpy()[piece], return_inverse=True)
    place, at = _regular_grid(codes, epochs, len(tracks))
    bridged = rows["bridged"].to_numpy(bool)[piece]
    total_s = np.bincount(place, held_s, minlength=len(at))
    bridged_s = np.bincount(place, held_s * bridged, minlength=len(at))
    means = {name: _mean(rows[name].to_numpy(np.float64)[piece], held_s, place, len(at)) for name in signals}
    video_id = series["video_id"].iloc[0] if len(series) else ""
    keys = {"video_id": video_id, "track_id": tracks[at["track"]]}
    edges = {"epoch_start_s": at["epoch"] * epoch_s, "epoch_end_s": (at["epoch"] + 1) * epoch_s}
    return pd.DataFrame({**keys, **edges, "seen_s": total_s - bridged_s, "bridged_s": bridged_s, **means})


def _follows(known: pd.DataFrame, times_s: Float64Array, bridge_s: float) -> NDArray[np.bool_]:
    """Return whether each row goes on from the one before it: the same track, no gap above `bridge_s` in between."""
    tracks, ends_s = known["track_id"].to_numpy(), times_s + known["duration_s"].to_numpy()
    near = times_s[1:] - ends_s[:-1] <= bridge_s + INSTANT_S
    return np.concatenate([np.zeros(min(len(known), 1), bool), (tracks[1:] == tracks[:-1]) & near])


def _bridge(
    known: pd.DataFrame,
    known_s: Float64Array,
    times_s: Float64Array,
    values: Float64Array,
    follows: NDArray[np.bool_],
    signals: Sequence[str],
) -> pd.DataFrame:
    """Return the frames between each row and the one it goes on from, with values on the line between the two."""
    positions = known["frame_position"].to_numpy()
    missing = np.where(follows, np.diff(positions, prepend=0) - 1, 0)
    after = np.repeat(np.arange(len(known)), missing)
    before = after - 1
    nth = np.arange(len(after)) - np.repeat(missing.cumsum() - missing, missing)
    frame_positions = positions[before] + 1 + nth
    share = (times_s[frame_positions] - known_s[before]) / (known_s[after] - known_s[before])
    between = values[before] + share[:, None] * (values[after] - values[before])
    keys = pd.DataFrame({"track_id": known["track_id"].to_numpy()[before], "frame_position": frame_positions})
    return _with_values(keys, between, signals, bridged=True)


def _with_values(keys: pd.DataFrame, values: Float64Array, signals: Sequence[str], *, bridged: bool) -> pd.DataFrame:
    smoothed = pd.DataFrame(values, index=keys.index, columns=[f"{name}{SMOOTHED}" for name in signals])
    return pd.concat([keys.assign(bridged=bridged), smoothed], axis=1)


def _complete(series: pd.DataFrame, frames: pd.DataFrame, signals: Sequence[str]) -> pd.DataFrame:
    """Return the columns in their order, with what the frames table knows of each row."""
    positions = series["frame_position"].to_numpy()
    keys = pd.DataFrame(
        {
            "video_id": frames["video_id"].iloc[0] if len(frames) else "",
            "track_id": series["track_id"],
            "frame_index": frames["frame_index"].to_numpy()[positions],
            "time_s": frames["time_s"].to_numpy()[positions],
            "duration_s": frame_durations(frames["time_s"].to_numpy())[positions],
            "usable": series["usable"].eq(True),
            "bridged": series["bridged"].eq(True),
        }
    )
    return pd.concat([keys, series[[*signals, *(f"{name}{SMOOTHED}" for name in signals)]]], axis=1)


def _mean(values: Float64Array, weights_s: Float64Array, place: IntArray, places: int) -> Float64Array:
    """Return the mean at each place, weighted; NaN has no weight."""
    weights_s = np.where(np.isnan(values), 0.0, weights_s)
    total_s = np.bincount(place, weights_s, minlength=places)
    sums = np.bincount(place, weights_s * np.nan_to_num(values), minlength=places)
    return np.asarray(sums / np.where(total_s > INSTANT_S, total_s, np.nan))


def _regular_grid(codes: IntArray, epochs: IntArray, tracks: int) -> tuple[IntArray, pd.DataFrame]:
    """Return the row of each piece in a grid of every epoch of every track, and `track` and `epoch` of its rows."""
    first, last = np.full(tracks, np.iinfo(np.int64).max), np.full(tracks, np.iinfo(np.int64).min)
    np.minimum.at(first, codes, epochs)
    np.maximum.at(last, codes, epochs)
    counts = last - first + 1
    starts = counts.cumsum() - counts
    track = np.repeat(np.arange(tracks), counts)
    epoch = np.arange(len(track)) - (starts - first)[track]
    return starts[codes] + epochs - first[codes], pd.DataFrame({"track": track, "epoch": epoch})

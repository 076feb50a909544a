"""The curves and moments that the page draws: timelines brought down to a bounded number of points, and their peaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from videmo.findings.moments import PERSON, Limits, find_moments
from videmo.findings.series import SMOOTHED, build_series, resample
from videmo.findings.smoothing import MedianFilter, Smoother
from videmo.findings.tables import Run

SMOOTHER: Final[Smoother] = MedianFilter(1.0)
BRIDGE_S: Final = 0.5
MOMENTS: Final = Limits(top=3)
"""What is a moment of a track; the three strongest of each expression count."""

_EPOCHS_S: Final = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
_ROWS_AT_ONCE = 100_000  # moments of many short videos are found together
_POINTS, _POINTS_PER_HOUR = 6_000, 3_000  # a point takes 48 bytes of the page


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What `trace_curves` finds.

    Attributes:
        epochs: by video, track and time, those without a value left out: `video_id`, `track_id`, `epoch_start_s`,
            `epoch_end_s` (media time), `seen_s` (usable time), `bridged_s`, and the means of each label over the epoch:
            `<label>` as measured where usable (NaN where all of it is bridged) and `<label>_smoothed`.
        moments: the strongest of each track and label but neutral, as `find_moments` gives them, the strongest first.
    """

    epochs: pd.DataFrame
    moments: pd.DataFrame


def choose_epoch(face_s: float) -> float:
    """Return the length of an epoch, s: the shortest that keeps the page within its size.

    At most 6,000 points and 3,000 more for each hour of face time, over all videos and tracks.

    Example:
        >>> choose_epoch(60.0), choose_epoch(7200.0)
        (0.1, 1.0)
    """
    most = _POINTS + _POINTS_PER_HOUR * face_s / 3600
    return next(epoch_s for epoch_s in _EPOCHS_S if face_s / epoch_s <= most)


def trace_curves(run: Run, labels: Sequence[str], epoch_s: float) -> Curves:
    """Return the raw and smoothed curves of every track on epochs, and their moments; videos are read one by one."""
    signals = [*labels, *(f"{label}{SMOOTHED}" for label in labels)]
    keys = ["video_id", "track_id", "epoch_start_s", "epoch_end_s", "seen_s", "bridged_s"]
    epochs, moments = [pd.DataFrame(columns=[*keys, *signals])], [find_moments(pd.DataFrame(), [])]
    told = [label for label in labels if label != "neutral"]
    for batch in _batches(_read_series(run, labels)):
        for series in batch:
            # A bridged frame may have a row that does not count: its raw values are those of a face that misleads.
            series.loc[~series["usable"], list(labels)] = np.nan
            means = resample(series, signals, epoch_s)
            epochs.append(means[means["seen_s"] + means["bridged_s"] > 0])
        needed = [*PERSON, "time_s", "duration_s", *(f"{label}{SMOOTHED}" for label in told)]
        moments.append(find_moments(pd.concat([series[needed] for series in batch]), told, MOMENTS))
    found = _stack(moments)
    return Curves(_stack(epochs), found.sort_values("strength", ascending=False, kind="stable", ignore_index=True))


def _read_series(run: Run, labels: Sequence[str]) -> Iterator[pd.DataFrame]:
    columns = ["frame_index", "time_s", "track_id", "usable", *labels]
    for video_id in run.video_ids:
        frames, faces = run.frames(video_id), run.faces(video_id, columns)
        yield build_series(frames, faces, labels, smoother=SMOOTHER, bridge_s=BRIDGE_S)


def _batches(tables: Iterable[pd.DataFrame]) -> Iterator[list[pd.DataFrame]]:
    """Yield the tables that have rows, several small ones at once."""
    batch: list[pd.DataFrame] = []
    for table in tables:
        batch += [table] if len(table) else []
        if sum(map(len, batch)) >= _ROWS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]

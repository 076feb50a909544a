"""The dominant expression of each track as stretches of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from videmo.findings.series import SMOOTHED, build_series
from videmo.findings.smoothing import MedianFilter
from videmo.findings.timeline import INSTANT_S

WINDOW_S: Final = 0.5

SMOOTHING_NOTE = (
    f"dominant expressions are those of probabilities smoothed by a median of {WINDOW_S:g} s; usable rows only"
)


def find_stretches(frames: pd.DataFrame, faces: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return when each track of one video showed which dominant expression, by track and start.

    The expression with the highest probability, smoothed by a running median of `WINDOW_S` so that one doubtful frame
    makes no stretch of its own; gaps of up to 0.5 s are bridged, longer ones stay free, so do rows that are not usable.

    Args:
        frames: the whole frames table of the video.
        faces: its faces table.
        labels: the columns of the probabilities.

    Returns:
        `track_id`, `start_s`, `end_s`, `expression`; the stretches of a track do not overlap.
    """
    series = build_series(frames, faces, labels, smoother=MedianFilter(WINDOW_S))
    values = series[[f"{label}{SMOOTHED}" for label in labels]].to_numpy()
    known = series[np.isfinite(values).all(axis=1)].reset_index(drop=True)
    top = values[np.isfinite(values).all(axis=1)].argmax(axis=1) if len(known) else np.zeros(0, np.int64)
    ends_s = known["time_s"] + known["duration_s"]
    same = known["track_id"].eq(known["track_id"].shift()) & (known["time_s"] - ends_s.shift() <= INSTANT_S)
    begins = ~same.to_numpy() | (np.diff(top, prepend=-1) != 0)
    spans = known.assign(end_s=ends_s).groupby(np.cumsum(begins))
    return pd.DataFrame(
        {
            "track_id": spans["track_id"].first(),
            "start_s": spans["time_s"].first(),
            "end_s": spans["end_s"].last(),
            "expression": np.array(labels, object)[top[begins]],
        }
    ).reset_index(drop=True)

"""The rows of a faces table as observations: by track and time, each with the time it stands for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.timeline import frame_durations


def observe(frames: pd.DataFrame, faces: pd.DataFrame, gap_limit_s: float | None = None) -> pd.DataFrame:
    """Return the faces of one video by track and time.

    Args:
        frames: the whole frames table of the video.
        faces: its faces table, or a part of it.
        gap_limit_s: longest time an observation may stand for; None chooses by the usual step (`frame_durations`).

    Returns:
        The columns of `faces`, and `frame_position` (row in `frames`), `duration_s` (the time until the next analysed
        frame, see `videmo.findings.timeline`) and `usable` (True for all where `faces` does not say).

    Raises:
        UsageError: a face is in a frame that is not in `frames`: one of the tables is damaged.
    """
    frame_index, face_index = frames["frame_index"].to_numpy(), faces["frame_index"].to_numpy()
    at = np.searchsorted(frame_index, face_index)
    if len(at) and (at.max() >= len(frame_index) or (frame_index[at] != face_index).any()):
        video_id = frames["video_id"].iloc[0] if "video_id" in frames and len(frames) else "a video"
        raise UsageError(f"{video_id}: faces in frames that its frames table lacks: analyse it again with --overwrite")
    order = np.lexsort((at, faces["track_id"].to_numpy()))
    durations_s = frame_durations(frames["time_s"].to_numpy(), gap_limit_s)
    rows = faces.iloc[order].assign(frame_position=at[order], duration_s=durations_s[at[order]])
    if "usable" not in rows:
        rows["usable"] = True
    return rows.reset_index(drop=True)

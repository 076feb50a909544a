"""How much of what was filmed can be judged, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from videmo.findings.manifest import agreed, carry
from videmo.findings.observations import observe
from videmo.findings.tables import Run
from videmo.findings.timeline import frame_durations

_COLUMNS: Final = ("frame_index", "time_s", "track_id", "usable", "exclude_reason")
_UNSTATED: Final = "not stated"


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """What `measure_quality` finds.

    Attributes:
        videos: one row per finished video: `video_id`, `start_s` and `end_s` (of the analysed frames, media time),
            `analysed_s` (time of the analysed frames), `any_face_s` (time with at least one face), `seen_s` (face time,
            summed over tracks), `usable_s`, `usable_share` (of `seen_s`, NaN without faces), `tracks`, `main_reason`
            (what excluded most time, missing where nothing was excluded), then the columns of the study asked for.
        exclusions: `video_id`, `exclude_reason`, `excluded_s`, `share` (of the video's `seen_s`), most time first.
    """

    videos: pd.DataFrame
    exclusions: pd.DataFrame


def measure_quality(run: Run, study_columns: Sequence[str] = ()) -> Quality:
    """Return how much face time of each finished video is usable and what excluded the rest.

    Raises:
        UsageError: a column of the study that is asked for has the name of a column of `Quality.videos`.
    """
    measured = [_measure_video(run, video_id) for video_id in run.video_ids]
    rows = pd.DataFrame([row for row, _ in measured], columns=_ROW)
    exclusions = pd.concat([found for _, found in measured] or [_exclusions("", pd.Series(dtype=float), 0.0)])
    study = run.study()
    rows = carry(rows, study[[name for name in study_columns if name in study]])
    return Quality(rows, exclusions.reset_index(drop=True))


def tabulate_respondents(quality: pd.DataFrame, study_columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of `Quality.videos` summed by respondent; empty where the run names none.

    Columns:
        respondent, and what the other columns of the study that were asked for say of all videos of a respondent alike;
        `videos`, `analysed_s`, `seen_s`, `usable_s`, `usable_share`
    """
    if "respondent" not in quality:
        return pd.DataFrame()
    others = [name for name in study_columns if name in quality and name != "respondent"]
    groups = quality.groupby("respondent", sort=True)
    sums = groups[["analysed_s", "seen_s", "usable_s"]].sum()
    sums.insert(0, "videos", groups.size())
    sums["usable_share"] = sums["usable_s"] / sums["seen_s"].where(sums["seen_s"] > 0)
    alike = pd.DataFrame([agreed(videos[others]) for _, videos in groups], index=sums.index)
    return pd.concat([alike, sums], axis=1).reset_index()


def tabulate_reasons(exclusions: pd.DataFrame, seen_s: float) -> pd.DataFrame:
    """Return `exclude_reason`, `excluded_s`, `share` (of all face time) and `videos` over the whole run."""
    groups = exclusions.groupby("exclude_reason")
    table = pd.DataFrame({"excluded_s": groups["excluded_s"].sum(), "videos": groups["video_id"].nunique()})
    table.insert(1, "share", table["excluded_s"] / seen_s if seen_s else np.nan)
    return table.sort_values("excluded_s", ascending=False).reset_index()


_ROW: Final = [
    *("video_id", "start_s", "end_s", "analysed_s", "any_face_s", "seen_s", "usable_s", "usable_share", "tracks"),
    "main_reason",
]


def _measure_video(run: Run, video_id: str) -> tuple[list[object], pd.DataFrame]:
    frames = run.frames(video_id)
    rows = observe(frames, run.faces(video_id, _COLUMNS))
    times_s = frames["time_s"].to_numpy()
    frames_s = frame_durations(times_s)
    span_s = [float(times_s[0]), float(times_s[-1] + frames_s[-1])] if len(times_s) else [0.0, 0.0]
    seen_s, usable = float(rows["duration_s"].sum()), rows["usable"].to_numpy(bool)
    usable_s = float(rows["duration_s"][usable].sum())
    lost = rows[~usable]
    unknown = pd.Series(index=lost.index, dtype=object)  # tables before schema version 1.2 give no reasons
    reasons = lost.get("exclude_reason", unknown).astype(object).fillna(_UNSTATED)
    exclusions = _exclusions(video_id, lost["duration_s"].groupby(reasons).sum(), seen_s)
    main = exclusions["exclude_reason"].iloc[0] if len(exclusions) else None
    any_face_s = float(frames_s[frames["faces"].to_numpy() > 0].sum())
    share = usable_s / seen_s if seen_s else float("nan")
    tracks = int(rows["track_id"].nunique())
    amounts = [*span_s, float(frames_s.sum()), any_face_s, seen_s, usable_s, share]
    return [video_id, *amounts, tracks, main], exclusions


def _exclusions(video_id: str, lost_s: pd.Series[float], seen_s: float) -> pd.DataFrame:
    lost_s = lost_s.sort_values(ascending=False)
    return pd.DataFrame(
        {
            "video_id": np.full(len(lost_s), video_id, object),
            "exclude_reason": lost_s.index.to_numpy(object),
            "excluded_s": lost_s.to_numpy(float),
            "share": lost_s.to_numpy(float) / seen_s if seen_s else np.zeros(0),
        }
    )

"""What the run is made of, in a few figures, and how each input went."""

from __future__ import annotations

import pandas as pd

from videmo.findings.tables import Run

_VIDEO_COLUMNS = (
    *("video_id", "path", "status", "error", "duration_s", "frames_analysed", "frames_undecodable", "tracks"),
    "warnings",
)


def tabulate_videos(run: Run) -> pd.DataFrame:
    """Return one row per input of the run, failed ones first: columns of `videos.parquet`, the warnings as one text."""
    videos = run.videos()[list(_VIDEO_COLUMNS)]
    videos = videos.assign(warnings=videos["warnings"].map("; ".join))
    return videos.sort_values("status", key=lambda status: status == "done", kind="stable", ignore_index=True)


def tabulate_overview(videos: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of the run.

    Args:
        videos: from `tabulate_videos`.
        quality: from `quality.measure_quality`.

    Returns:
        `figure`, `value` (float, NaN where the run cannot say), `unit` ("" for counts), `says`.
    """
    status = videos["status"].value_counts()
    respondents = float(quality["respondent"].nunique()) if "respondent" in quality else float("nan")
    seen_s, usable_s = float(quality["seen_s"].sum()), float(quality["usable_s"].sum())
    figures = [
        ("videos", float(len(videos)), "", "inputs of the run"),
        ("done", float(status.get("done", 0)), "", "inputs analysed to their end"),
        ("failed", float(status.get("failed", 0)), "", "inputs that could not be analysed"),
        ("cancelled", float(status.get("cancelled", 0)), "", "inputs that were stopped by the user"),
        ("respondents", respondents, "", "names in the study's column respondent, among the videos done"),
        ("analysed time", float(quality["analysed_s"].sum()), "s", "media time of the analysed frames"),
        ("face time", seen_s, "s", "time that faces were seen; two faces at once count twice"),
        ("usable share", usable_s / seen_s if seen_s else float("nan"), "share", "part of the face time that counts"),
        ("tracks", float(quality["tracks"].sum()), "", "faces followed from frame to frame"),
    ]
    return pd.DataFrame(figures, columns=["figure", "value", "unit", "says"])

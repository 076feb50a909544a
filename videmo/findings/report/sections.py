"""What the page shows of each table, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from videmo.findings.report.curves import MOMENTS
from videmo.findings.report.tables import STUDY_COLUMNS
from videmo.findings.report.views import Column, View, view_table

_VIDEO: Final = Column("video_id", "video", "id")
_WHO: Final = ("respondent", "condition", "stimulus")
_AMOUNTS: Final = (
    Column("analysed_s", "analysed", "duration"),
    Column("seen_s", "face time", "duration"),
    Column("usable_share", "usable", "share"),
)
REASONS: Final[Mapping[str, str]] = {
    "too_small": "too small",
    "cut_off": "cut off at the edge",
    "too_dark": "too dark",
    "too_bright": "too bright",
    "low_contrast": "too little contrast",
    "blurred": "blurred",
    "turned_away": "turned away",
    "occluded": "covered in part",
    "low_score": "barely a face to the detector",
}


def view_videos(videos: pd.DataFrame) -> View:
    """Show how each input went."""
    columns = [
        _VIDEO,
        Column("status", "status"),
        Column("duration_s", "length", "duration"),
        Column("frames_analysed", "frames analysed", "count"),
        Column("frames_undecodable", "not decodable", "count"),
        Column("tracks", "tracks", "count"),
        Column("error", "why it failed", "long"),
    ]
    reading = "One row for each input, those that failed first. Frames that could not be decoded are left out."
    return view_table("videos", videos, "Videos", reading, columns)


def view_quality(quality: pd.DataFrame) -> View:
    """Show how much of each video can be judged."""
    columns = [
        _VIDEO,
        *_study(quality),
        *_AMOUNTS,
        Column("main_reason", "most excluded as"),
        Column("tracks", "tracks", "count"),
    ]
    reading = (
        "Face time adds up over faces: two faces for a second are two seconds. Usable is the share of it in which the "
        "face can be judged; only that counts in everything below."
    )
    table = quality.assign(main_reason=quality["main_reason"].map(REASONS).fillna(quality["main_reason"]))
    return view_table("quality", table, "Usable share of each video", reading, columns)


def view_respondents(respondents: pd.DataFrame) -> View:
    """Show how much of each respondent can be judged."""
    columns = [*_study(respondents), Column("videos", "videos", "count"), *_AMOUNTS]
    reading = "The rows of the next table, added up by respondent; shown where somebody has several videos."
    shown = respondents if len(respondents) and respondents["videos"].max() > 1 else respondents.head(0)
    return view_table("quality_by_respondent", shown, "Usable share of each respondent", reading, columns)


def view_reasons(reasons: pd.DataFrame) -> View:
    """Show what excluded how much."""
    columns = [
        Column("exclude_reason", "reason"),
        Column("excluded_s", "excluded", "duration"),
        Column("share", "of all face time", "share"),
        Column("videos", "videos", "count"),
    ]
    reading = (
        "Why faces do not count. Where several limits are broken the first of the list in the methods is named; the "
        "limits of this run are among its settings there. A hand before the mouth mostly goes unnoticed. Video by "
        "video: findings/exclusions.parquet."
    )
    table = reasons.assign(exclude_reason=reasons["exclude_reason"].map(REASONS).fillna(reasons["exclude_reason"]))
    return view_table("exclusion_reasons", table, "Reasons of exclusion", reading, columns)


def view_warnings(videos: pd.DataFrame) -> View:
    """Show what went wrong without ending an analysis."""
    table = videos[videos["warnings"] != ""]
    reading = "What went wrong without ending the analysis."
    return view_table("videos", table, "Warnings", reading, [_VIDEO, Column("warnings", "warning", "long")])


def view_segments(segments: pd.DataFrame, labels: Sequence[str]) -> View:
    """Show what was shown in each named span."""
    columns = [
        Column("segment", "segment"),
        _VIDEO,
        *_study(segments, _WHO),
        *_tracks(segments),
        Column("start_s", "from", "clock"),
        Column("end_s", "to", "clock"),
        Column("usable_s", "usable", "duration"),
        Column("dominant", "mostly"),
        *(Column(f"mean_{label}", label, "probability") for label in labels),
    ]
    reading = (
        "One row for each segment and track that was usable in it; the file has the others, too. Under each expression "
        "its mean probability over the usable time, 0 to 1; mostly: the one with the highest mean. Times are those of "
        "the video."
    )
    usable = segments[segments["usable_s"] > 0] if len(segments) else segments
    return view_table("segment_summary", usable, "Segments", reading, columns)


def view_moments(moments: pd.DataFrame) -> View:
    """Show the moments that stand out, of each track."""
    columns = [
        Column("signal", "expression"),
        _VIDEO,
        *_study(moments, _WHO),
        *_tracks(moments),
        Column("start_s", "from", "clock"),
        Column("peak_s", "peak at", "clock"),
        Column("end_s", "to", "clock"),
        Column("peak", "peak", "probability"),
        Column("strength", "over usual", "number"),
    ]
    reading = (
        f"The peaks of the smoothed curves that stand out most, up to {MOMENTS.top} for each track and expression, "
        "the strongest first. Over usual: height of the peak above the track's own median. Times are of the video."
    )
    return view_table("moments", moments, "Moments of each track", reading, columns, most=25)


def view_shared_moments(moments: pd.DataFrame) -> View:
    """Show the moments of the mean curves."""
    columns = [
        *_telling(moments, "stimulus", "stimulus"),
        Column("signal", "expression"),
        Column("start_s", "from", "clock"),
        Column("peak_s", "peak at", "clock"),
        Column("end_s", "to", "clock"),
        Column("peak", "mean at the peak", "probability"),
        Column("strength", "over usual", "number"),
        Column("share", "respondents with it", "share"),
        Column("respondents", "respondents seen", "count"),
    ]
    reading = (
        "The peaks of the mean curves over all respondents, on the time of the stimulus; and how many of those seen "
        "have a moment of their own at that time."
    )
    return view_table("shared_moments", moments, "Moments that respondents share", reading, columns, most=25)


def view_comparison(comparison: pd.DataFrame) -> View:
    """Show where groups differ."""
    columns = [
        *_telling(comparison, "stimulus", "stimulus"),
        Column("signal", "expression"),
        Column("first", "first"),
        Column("second", "second"),
        Column("span", "time"),
        Column("start_s", "from", "clock"),
        Column("end_s", "to", "clock"),
        Column("p", "p", "p"),
        Column("p_corrected", "p corrected", "p"),
        Column("difference", "difference", "number"),
        Column("g", "g", "number"),
        Column("g_low", "g from", "number"),
        Column("g_high", "g to", "number"),
        Column("n_first", "n first", "count"),
        Column("n_second", "n second", "count"),
    ]
    reading = (
        "For each expression and pair of groups the whole time, then each cluster: neighbouring epochs in which the "
        "groups differ. p of the whole time answers whether they differ at any time, corrected for the number of "
        "tests. Difference is first minus second; g is Hedges' g with its 95 % interval. The effect of a cluster is "
        "overstated: it was chosen for its size."
    )
    spans = [f"cluster {number}" if number else "whole" for number in comparison.get("cluster", [])]
    return view_table("group_comparison", comparison.assign(span=spans), "Differences between groups", reading, columns)


def view_synchrony(synchrony: pd.DataFrame) -> View:
    """Show how alike respondents are."""
    columns = [
        *_telling(synchrony, "stimulus", "stimulus"),
        Column("group", "group"),
        Column("signal", "expression"),
        Column("isc", "correlation", "number"),
        Column("p", "p", "p"),
        Column("p_corrected", "p corrected", "p"),
        Column("respondents", "respondents", "count"),
        Column("epochs", "epochs", "count"),
    ]
    reading = (
        "Inter-subject correlation: how alike respondents go through the stimulus, the mean correlation of each with "
        "the mean of the others, −1 to 1. p against shifts in time, one-sided."
    )
    return view_table("synchrony", synchrony, "Inter-subject correlation", reading, columns)


def _study(table: pd.DataFrame, names: Sequence[str] = STUDY_COLUMNS) -> list[Column]:
    """Return the respondent and the other columns of the study that tell rows apart."""
    respondent = [Column("respondent", "respondent")] if "respondent" in table else []
    others = [name for name in names if name != "respondent"]
    return respondent + [column for name in others for column in _telling(table, name, name.removesuffix("_id"))]


def _tracks(table: pd.DataFrame) -> list[Column]:
    """Return the track where there are several, and who it is where `videmo identities` named any."""
    named = "identity" in table and table["identity"].notna().any()
    return [*_telling(table, "track_id", "track"), *([Column("identity", "identity")] if named else [])]


def _telling(table: pd.DataFrame, name: str, title: str) -> list[Column]:
    """Return a column where its values differ."""
    return [Column(name, title)] if name in table and table[name].nunique() > 1 else []


def view_provenance(provenance: pd.DataFrame) -> View:
    """Show programs, models and settings."""
    columns = [Column("topic", "of"), Column("name", "what"), Column("value", "value", "long")]
    reading = "Settings that start with quality_ are the limits of usable faces. Hashes are SHA-256."
    return view_table("provenance", provenance, "Programs, models and settings", reading, columns)


def view_sources(sources: pd.DataFrame) -> View:
    """Show which files were analysed."""
    columns = [_VIDEO, Column("file", "file"), Column("sha256", "SHA-256", "long")]
    return view_table("sources", sources, "Source files", "The hash tells whether a file is the one analysed.", columns)

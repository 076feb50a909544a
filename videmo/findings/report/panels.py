"""Each video beside its timeline: what the page says of it, and what its scripts draw."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from videmo.findings.report.embed import embed_curves, embed_spans
from videmo.findings.report.tables import ReportTables
from videmo.findings.report.views import spell_duration, to_cell
from videmo.findings.tables import Run

_SPANS, _LEAST_SPANS = 5_000, 5  # listed beside all videos together, and beside one; the tables have all


@dataclass(frozen=True, slots=True)
class Panel:
    """One video on the page.

    Attributes:
        key: its id in the page.
        title, facts: what is written above it.
        film: where its annotated video lies, as a URL relative to the page; None where there is none.
        data: what the scripts draw.
    """

    key: str
    title: str
    facts: str
    film: str | None
    data: dict[str, Any]


def build_panels(run: Run, tables: ReportTables, page_folder: Path) -> Iterator[Panel]:
    """Yield a panel for each finished video, in the order of the quality table."""
    study, segments = run.study(), run.segments()
    most = max(_SPANS // max(len(tables["quality"]), 1), _LEAST_SPANS)
    curves = dict(iter(tables["curves"].groupby("video_id", sort=False)))
    moments = dict(iter(tables["moments"].groupby("video_id", sort=False)))
    for at, video in enumerate(tables["quality"].to_dict("records")):
        video_id = video["video_id"]
        film = run.out / "annotated" / f"{video_id}.mp4"
        own = segments[segments["video_id"] == video_id].sort_values("start_s", kind="stable")
        data = {
            **embed_curves(curves.get(video_id, tables["curves"].head(0)), tables.labels, tables.epoch_s),
            "starts_s": video["start_s"],
            "ends_s": video["end_s"],
            "stimulus_s": _stimulus_start(study, video_id),
            "segments": embed_spans(own, ["segment", "start_s", "end_s"], most),
            "moments": _embed_moments(moments.get(video_id), tables.labels, most),
        }
        names = run.names(video_id)
        for track in data["tracks"]:
            track["who"] = names.get(track["id"], f"track {track['id']}")
            track["name"] = f"{track['who']} · {spell_duration(track['seen_s'])}"
        yield Panel(
            key=f"video-{at + 1}",
            title=_title(video),
            facts=_facts(video),
            film=_relative_url(film, page_folder) if film.exists() else None,
            data=data,
        )


def _embed_moments(moments: pd.DataFrame | None, labels: Sequence[str], most: int) -> dict[str, Any]:
    """Return the strongest moments of one video in the order of time, labels by their place."""
    if moments is None:
        return {"rows": [], "more": 0}
    shown = moments.head(most).sort_values("start_s", kind="stable")
    shown = shown.assign(label=shown["signal"].map(labels.index))
    spans = embed_spans(shown, ["label", "track_id", "start_s", "peak_s", "end_s", "strength"], most)
    return {**spans, "more": len(moments) - len(shown)}


def _title(video: Mapping[Any, Any]) -> str:
    respondent = video.get("respondent")
    return f"{respondent} · {video['video_id']}" if pd.notna(respondent) else str(video["video_id"])


def _facts(video: Mapping[Any, Any]) -> str:
    named = [str(video[name]) for name in ("condition", "stimulus") if pd.notna(video.get(name))]
    amounts = [f"{spell_duration(video['analysed_s'])} analysed", f"face time {spell_duration(video['seen_s'])}"]
    share = [f"{to_cell(video['usable_share'], 'share').text} of it usable"] if video["seen_s"] else []
    return " · ".join([*named, *amounts, *share])


def _stimulus_start(study: pd.DataFrame, video_id: str) -> float | None:
    """Return where the stimulus starts in a video, s; None where the study does not say or it is the very start."""
    offset_s = float(study["offset_s"].get(video_id, 0.0)) if "offset_s" in study else 0.0
    return offset_s if offset_s > 0 else None


def _relative_url(path: Path, folder: Path) -> str:
    try:
        return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
    except ValueError:  # Windows: another drive has no relative path
        return path.resolve().as_uri()

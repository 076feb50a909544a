"""Named time spans: read, checked and put on the time of each video."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pandas as pd

from videmo.findings.delimited import refuse
from videmo.findings.matching import VideoIndex
from videmo.findings.segment_readers import read_spans


def read_segments(path: Path, *, tier: str | None = None) -> pd.DataFrame:
    """Return the segments of a file, checked.

    CSV (`start`, `end`, `name`, and if need be `file` or `stimulus`; seconds or hh:mm:ss.mmm), documents of ELAN (.eaf)
    and its tab-delimited export, WebVTT and SRT.

    Args:
        path: the file.
        tier: of ELAN's annotations, the only tier to take.

    Returns:
        `file` and `stimulus` (None: any), `start_s`, `end_s` (float, s), `name`; by file, stimulus and start. `attrs`
        holds the `path`.

    Raises:
        UsageError: a column is missing, a time is none, a segment ends before it starts, has no name, or overlaps with
            another of its name; one line for each.

    Example:
        >>> read_segments(Path("scenes.csv"))[["start_s", "end_s", "name"]]  # doctest: +SKIP
    """
    spans = read_spans(path, tier)
    for name in ("file", "stimulus"):
        spans[name] = spans[name].mask(spans[name] == "", None).astype(object) if name in spans else None
    refuse(path, _span_problems(spans))
    spans = spans.sort_values(["file", "stimulus", "start_s"], kind="stable", ignore_index=True)
    refuse(path, _overlap_problems(spans))
    segments = spans[["file", "stimulus", "start_s", "end_s", "name"]]
    segments.attrs["path"] = str(path)
    return segments


def place_segments(segments: pd.DataFrame, videos: pd.DataFrame, study: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the segments of each video, on its media time.

    A segment with a `file` is on the time of that file. One without is on stimulus time: it holds for every video of
    the study (of its `stimulus`, if it names one), shifted by the video's `offset_s`; without a study, for every video
    of the run as it is.

    Args:
        segments: from `read_segments`.
        videos: the videos table of the run: `video_id`, `path`.
        study: from `manifest.match_videos`.

    Returns:
        `video_id`, `segment`, `start_s`, `end_s`; by video and start.

    Raises:
        UsageError: a file is not among the videos, or a stimulus not in the manifest.
    """
    path = Path(segments.attrs.get("path", "segments"))
    index = VideoIndex(videos, path.absolute().parent)
    named = segments["file"].notna()
    problems = {file: index.problem(file) for file in segments["file"][named].unique()}
    refuse(path, (f": file {problem}" for problem in problems.values() if problem))
    ours = segments[named].assign(video_id=[index.find(file)[0] for file in segments["file"][named]], offset_s=0.0)
    hosts = videos.assign(offset_s=0.0) if study is None else study.reset_index()
    hosts = hosts.reindex(columns=["video_id", "stimulus", "offset_s"]).rename(columns={"stimulus": "shown"})
    unknown = set(segments["stimulus"].dropna()) - set(hosts["shown"].dropna())
    refuse(path, (f": stimulus {name!r} is in no row of the manifest" for name in sorted(unknown)))
    shared = segments[~named].merge(hosts, how="cross")
    shared = shared[shared["stimulus"].isna() | (shared["stimulus"] == shared["shown"])]
    placed = pd.concat([part for part in (ours, shared) if len(part)] or [ours])
    for edge in ("start_s", "end_s"):
        placed[edge] = placed[edge] + placed["offset_s"]
    placed = placed.rename(columns={"name": "segment"})[["video_id", "segment", "start_s", "end_s"]]
    return placed.sort_values(["video_id", "start_s"], kind="stable", ignore_index=True)


def _span_problems(spans: pd.DataFrame) -> Iterator[str]:
    columns = (spans[name].tolist() for name in ("where", "start_s", "end_s", "name"))
    for where, start_s, end_s, name in zip(*columns, strict=True):
        for edge, seconds in (("start", start_s), ("end", end_s)):
            if not isfinite(seconds):
                yield f"{where}: the {edge} is no time: expected seconds or hh:mm:ss.mmm"
        if end_s <= start_s:
            yield f"{where}: {name!r} ends at {end_s:g} s, not after its start at {start_s:g} s"
        if not name:
            yield f"{where}: the segment has no name"


def _overlap_problems(spans: pd.DataFrame) -> Iterator[str]:
    groups = spans.groupby(["file", "stimulus", "name"], dropna=False)
    late = spans[spans["start_s"] < groups["end_s"].transform(lambda ends_s: ends_s.cummax().shift())]
    for where, name, start_s in zip(late["where"], late["name"], late["start_s"], strict=True):
        yield f"{where}: {name!r} starts at {start_s:g} s, before an earlier {name!r} ends"

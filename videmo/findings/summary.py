"""A run in short: how long who showed which expression, and how it went epoch by epoch.

Every mean and share is over time, not over rows (see `videmo.findings.timeline`): a probability that holds for 2 s
counts twice one that holds for 1 s. By video, the observations of all its tracks are pooled: a second with two faces
counts twice, except in `any_face_s`.

Expressions are those of the usable rows (`usable` in the faces table). A summary of a track or video without any is
over all rows, and its `usable_share` of 0 says so; an epoch without any has no means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.manifest import agreed, refuse_names
from videmo.findings.respondent import faces_of
from videmo.findings.tables import Run
from videmo.findings.timeline import INSTANT_S, Timeline, frame_durations, timelines

By = Literal["track", "video"]
Row = dict[str, object]

_TIMES = ("first_s", "last_s")


def summarize_run(run: Run, *, by: By = "track") -> pd.DataFrame:
    """Return `summarize` of every finished video of a run, one below the other."""
    return _over_videos(run, partial(summarize, by=by))


def summarize_respondents(run: Run, study: pd.DataFrame) -> pd.DataFrame:
    """Return one row per respondent of a study: `summarize` of the tracks of all their videos, pooled.

    In a video with tracks that decisions name as the respondent only these count, else all.

    Args:
        run: the run.
        study: from `match_videos` or `Run.study`: videos by `video_id`, with `respondent`.

    Returns:
        `respondent`, `videos` (finished ones) and `tracks` (their number), then the columns of `summarize` but those
        that are times of one video; what the study says of all videos of a respondent alike at the right. A respondent
        whose face was never seen has no row.

    Raises:
        UsageError: the study names no respondents, or a column of it has the name of a column here.
    """
    if "respondent" not in study:
        raise UsageError(f"{run.out}: no study names the respondents: give it with --manifest")
    done = study[study.index.isin(run.video_ids)]
    others, rows = [name for name in study.columns if name != "respondent"], []
    for respondent, videos in done.groupby("respondent", sort=True):
        seen, usable = (_lines_of(run, videos.index, respondent, usable_only=only) for only in (False, True))
        if seen:
            counts = {"respondent": respondent, "videos": len(videos), "tracks": len(seen)}
            row = counts | _describe(seen, usable, run.labels)
            refuse_names(others, row)
            rows.append(row | agreed(videos[others]))
    return pd.DataFrame(rows).drop(columns=[*_TIMES, *(f"peak_{label}_s" for label in run.labels)], errors="ignore")


def summarize_epochs(run: Run, epoch_s: float, *, by: By = "track") -> pd.DataFrame:
    """Return `summarize_by_epoch` of every finished video of a run, one below the other.

    Raises:
        UsageError: `epoch_s` is not above 0.
    """
    return _over_videos(run, partial(summarize_by_epoch, epoch_s=epoch_s, by=by))


def summarize(frames: pd.DataFrame, faces: pd.DataFrame, labels: Sequence[str], *, by: By = "track") -> pd.DataFrame:
    """Return one row per track, or one row for the video, of a video's tables.

    Columns:
        video_id; track_id (by track) or tracks, any_face_s (by video: number of tracks, time with at least one face)
        first_s, last_s: when the face was first seen and last ceased to be seen
        seen_s: time that the face was seen, gaps left out
        usable_share, usable_rows: the share of `seen_s` with usable rows, 0..1, and their number; what follows is over
            this time, over `seen_s` where there is none
        dominant: the expression with the highest mean probability
        transitions_per_min: changes of the top expression per minute; none is counted across a gap
        share_<label>: share of time with this expression on top, 0..1
        mean_<label>: mean probability, 0..1
        peak_<label>, peak_<label>_s: highest probability and when it was first reached
    """
    seen = timelines(frames, faces, labels, usable_only=False)
    usable = timelines(frames, faces, labels)
    if by == "track":
        own = {line.track_id: [line] for line in usable}
        rows = [_key(line) | _describe([line], own.get(line.track_id, []), labels) for line in seen]
    else:
        rows = [_video_key(frames, seen) | _describe(seen, usable, labels)] if seen else []
    return pd.DataFrame(rows)


def summarize_by_epoch(
    frames: pd.DataFrame, faces: pd.DataFrame, labels: Sequence[str], *, epoch_s: float, by: By = "track"
) -> pd.DataFrame:
    """Return one row per track (or per video) and epoch of `epoch_s` in which a face was seen.

    Columns:
        video_id; track_id (by track)
        epoch_start_s, epoch_end_s: the epoch, [start, end) from the start of the video
        seen_s: time that the face was seen within the epoch; by video the tracks are pooled, so two faces count twice
        usable_s: the part of it whose rows are usable; the means are over this time
        dominant: the expression with the highest mean probability, missing where nothing was usable
        mean_<label>: mean probability over `usable_s`, 0..1

    Raises:
        UsageError: `epoch_s` is not above 0.
    """
    if epoch_s <= 0:
        raise UsageError(f"epoch of {epoch_s} s: expected a length above 0")
    keys = ["video_id", *(["track_id"] if by == "track" else []), "epoch"]
    seen, usable = (
        _sum_epochs(timelines(frames, faces, labels, usable_only=only), keys, labels, epoch_s) for only in (False, True)
    )
    seen_s = seen["seen_s"][seen["seen_s"] > INSTANT_S]
    usable = usable.reindex(seen_s.index)
    means = usable[list(labels)].div(usable["seen_s"].where(usable["seen_s"] > INSTANT_S), axis=0)
    judged = means.dropna()
    table = pd.DataFrame({"seen_s": seen_s, "usable_s": usable["seen_s"].fillna(0.0)}).reset_index()
    table.insert(len(keys) - 1, "epoch_start_s", table["epoch"] * epoch_s)
    table.insert(len(keys), "epoch_end_s", (table.pop("epoch") + 1) * epoch_s)
    table["dominant"] = judged.idxmax(axis=1).reindex(means.index).to_numpy() if len(judged) else None
    return table.assign(**{f"mean_{label}": means[label].to_numpy() for label in labels})


def _sum_epochs(lines: Sequence[Timeline], keys: Sequence[str], labels: Sequence[str], epoch_s: float) -> pd.DataFrame:
    """Return `seen_s` and the probabilities times it, summed by the keys, in their order."""
    columns = ["seen_s", *labels]
    tables = [_epochs_of(line, labels, epoch_s) for line in lines] or [pd.DataFrame(columns=[*keys, *columns])]
    return pd.concat(tables).groupby(list(keys))[columns].sum()


def _over_videos(run: Run, describe: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    tables = [describe(run.frames(video_id), run.faces(video_id), run.labels) for video_id in run.video_ids]
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def _lines_of(run: Run, video_ids: Iterable[str], respondent: object, *, usable_only: bool) -> list[Timeline]:
    tables = ((run.frames(video_id), faces_of(run.faces(video_id), respondent)) for video_id in video_ids)
    return [line for pair in tables for line in timelines(*pair, run.labels, usable_only=usable_only)]


def _key(line: Timeline) -> Row:
    return {"video_id": line.video_id, "track_id": line.track_id}


def _video_key(frames: pd.DataFrame, lines: Sequence[Timeline]) -> Row:
    durations_s = frame_durations(frames["time_s"].to_numpy())
    any_face_s = float(durations_s[frames["faces"].to_numpy() > 0].sum())
    return {"video_id": lines[0].video_id, "tracks": len(lines), "any_face_s": any_face_s}


def _describe(seen: Sequence[Timeline], usable: Sequence[Timeline], labels: Sequence[str]) -> Row:
    """Return the summary of all observations that were `seen`, pooled, and of those of them that are `usable`."""
    seen_s = sum(line.seen_s for line in seen)
    return {
        "first_s": min(float(line.times_s[0]) for line in seen),
        "last_s": max(float(line.ends_s[-1]) for line in seen),
        "seen_s": seen_s,
        "usable_share": sum(line.seen_s for line in usable) / seen_s,
        "usable_rows": sum(len(line.times_s) for line in usable),
        **_describe_expressions(usable or seen, labels),
    }


def _describe_expressions(lines: Sequence[Timeline], labels: Sequence[str]) -> Row:
    order = np.argsort(np.concatenate([line.times_s for line in lines]), kind="stable")
    times_s = np.concatenate([line.times_s for line in lines])[order]
    emotions = np.concatenate([line.emotions for line in lines])[order]
    weights = np.concatenate([line.durations_s for line in lines])[order]
    total_s = float(weights.sum())
    means = np.average(emotions, axis=0, weights=weights)
    shares = np.bincount(emotions.argmax(axis=1), weights, minlength=len(labels)) / total_s
    peaks = emotions.argmax(axis=0)
    return {
        "dominant": labels[int(means.argmax())],
        "transitions_per_min": 60 * sum(map(_count_transitions, lines)) / total_s,
        **{f"share_{label}": float(share) for label, share in zip(labels, shares, strict=True)},
        **{f"mean_{label}": float(mean) for label, mean in zip(labels, means, strict=True)},
        **{f"peak_{label}": float(emotions[row, i]) for i, (label, row) in enumerate(zip(labels, peaks, strict=True))},
        **{f"peak_{label}_s": float(times_s[row]) for label, row in zip(labels, peaks, strict=True)},
    }


def _count_transitions(line: Timeline) -> int:
    top = line.emotions.argmax(axis=1)
    return int(((top[1:] != top[:-1]) & line.follows).sum())


def _epochs_of(line: Timeline, labels: Sequence[str], epoch_s: float) -> pd.DataFrame:
    bins = line.binned(epoch_s)
    epochs = np.arange(bins.first, bins.first + len(bins.seen_s))
    return pd.DataFrame(
        {**_key(line), "epoch": epochs, "seen_s": bins.seen_s, **dict(zip(labels, bins.weighted.T, strict=True))}
    )

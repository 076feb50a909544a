"""Decisions on who the tracks of a run are: listed, checked against its tables, stored and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from videmo.errors import UsageError
from videmo.findings.delimited import refuse
from videmo.findings.identities import RANGE, People, read_decisions
from videmo.findings.tables import Run
from videmo.output.files import explained, replacing
from videmo.output.lock import hold_folder
from videmo.output.names import IDENTITIES

_SEEN = ("first_time_s", "last_time_s", "rows", "usable_share", "dominant")
_DECISION = ("video_id", "track_id", "identity", *RANGE)


def list_tracks(run: Run) -> pd.DataFrame:
    """Return one row per track of a run, as decided: who, when seen, in how many rows, how usable, what it showed.

    Returns:
        `video_id`, `track_id`, `identity` (missing where nothing was decided), `first_time_s`, `last_time_s` (s),
        `rows`, `usable_share` (0..1), `dominant`.

    Raises:
        UsageError: the run has no table of tracks, or its decisions are damaged.

    Example:
        >>> list_tracks(Run(Path("out")))  # doctest: +SKIP
    """
    return run.tracks().reindex(columns=["video_id", "track_id", "identity", *_SEEN])


def store_decisions(run: Run, path: Path) -> None:
    """Check the decisions in a file against a run and make them hold, in place of those that held before.

    Args:
        run: the run.
        path: see `read_decisions`; the ids are those recorded, whatever was decided before.

    Raises:
        UsageError: the file cannot be used, names a video or track that is not in the run, or gives one identity to
            two faces of one frame; one line for each. What held before still holds.
        OutputError: the folder of the run cannot be written to.
    """
    decisions = read_decisions(path)
    if decisions.empty:
        raise UsageError(f"{path}: no row has an identity: fill that column, or take decisions back with --clear")
    recorded = Run(run.out, as_recorded=True)
    refuse(path, _unknown(decisions, recorded.tracks()))
    refuse(path, _twins(decisions, recorded))
    with hold_folder(run.out), replacing(run.out / IDENTITIES) as partial:
        _unbounded(decisions).to_csv(partial, index=False)


def clear_decisions(run: Run) -> None:
    """Take the decisions of a run back: its tables are read as recorded again.

    Raises:
        OutputError: the folder of the run cannot be written to.
    """
    path = run.out / IDENTITIES
    with hold_folder(run.out), explained(path):
        path.unlink(missing_ok=True)


def write_template(run: Run, path: Path) -> None:
    """Write the tracks as recorded, with what was decided on them, to be edited and given to `store_decisions`.

    Raises:
        UsageError: the file is there already: somebody may have filled it in.
        OutputError: the file cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path}: is there already: name another file, or remove it if nothing was filled in")
    tracks = list_tracks(Run(run.out, as_recorded=True)).drop(columns="identity")
    held = run.decisions()
    decided = pd.DataFrame(columns=list(_DECISION)) if held is None else _unbounded(held)
    rows = tracks.merge(decided.astype({"track_id": tracks["track_id"].dtype}), "left", ["video_id", "track_id"])
    with replacing(path) as partial:
        rows[[*_DECISION, *_SEEN]].to_csv(partial, index=False)


def _unbounded(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return decisions as they are written: a range without a bound has an empty cell."""
    return decisions[list(_DECISION)].replace({name: {-np.inf: np.nan, np.inf: np.nan} for name in RANGE})


def _unknown(decisions: pd.DataFrame, tracks: pd.DataFrame) -> Iterator[str]:
    ids = tracks.groupby("video_id")["track_id"].agg(set).to_dict()
    for line, video_id, track_id in decisions[["video_id", "track_id"]].itertuples(name=None):
        if video_id not in ids:
            near = get_close_matches(video_id, ids, n=1)
            yield f", line {line}: no track in a video {video_id!r}" + (f": {near[0]!r} looks like it" if near else "")
        elif track_id not in ids[video_id]:
            known = f"{min(ids[video_id])} to {max(ids[video_id])}"
            yield f", line {line}: {video_id!r} has no track {track_id}, its ids go from {known}"


def _twins(decisions: pd.DataFrame, recorded: Run) -> Iterator[str]:
    """Yield a problem for each two decisions that put one identity twice into a frame."""
    for video_id, own in decisions.groupby("video_id", sort=False):
        faces = recorded.faces(str(video_id), ["frame_index", "time_s", "track_id"])
        people = People.of(own, faces["track_id"].to_numpy(np.int64))
        rows = faces.assign(at=people.decide(faces))
        rows = rows[rows["at"] >= 0]
        rows = rows.assign(line=own.index[rows["at"]], identity=own["identity"].to_numpy()[rows["at"]])
        pairs = rows.merge(rows, on=["frame_index", "identity"], suffixes=("", "_other"))
        pairs = pairs[pairs["line"] < pairs["line_other"]]
        for (line, other), met in pairs.groupby(["line", "line_other"]):
            first = met.iloc[0]
            yield (
                f", lines {line} and {other}: tracks {first['track_id']} and {first['track_id_other']} of {video_id!r} "
                f"cannot both be {first['identity']!r}: both are seen at {first['time_s']:.2f} s"
                + (f", in {len(met)} frames" if len(met) > 1 else "")
            )

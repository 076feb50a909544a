"""Timelines of a whole run made ready for analysis: smoothed, on stimulus time, compared with a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.findings.affect import AFFECT, choose_signals, derive_affect
from videmo.findings.baseline import CHANGE, choose_segments, seconds_in_segments, seconds_in_window, subtract_baseline
from videmo.findings.manifest import carry
from videmo.findings.respondent import faces_of, take_largest
from videmo.findings.segment_summary import name_segments
from videmo.findings.series import SMOOTHED, build_series, resample
from videmo.findings.smoothing import Smoother
from videmo.findings.tables import Run
from videmo.output.schema import BOX_COLUMNS

Person = Literal["track", "largest"]

_FRAME_COLUMNS = ("video_id", "frame_index", "time_s")
_FACE_COLUMNS = ("frame_index", "track_id", "usable")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineOptions:
    """How timelines are made.

    Attributes:
        smoother: the filter; None takes the values as they are.
        bridge_s: longest gap to bridge, s; 0 bridges none.
        epoch_s: length of an epoch, s; None gives a row for each observation.
        baseline: what each person is compared with: a window [start, end) in s of stimulus time, or a segment's name.
        baseline_by: what makes a person for the baseline; ("respondent",) takes one from all files of a respondent, but
            only of faces that `videmo identities` gives them, where it gives any; others are compared with nothing.
        person: "track" takes every track for a person; "largest" takes the largest usable face of each frame for the
            one respondent of the video, as track 0: among those that `videmo identities` names as the study names the
            respondent, where there are any, else among all.
        signals: the labels and derived quantities to give; none named: all of `signals_of`.
    """

    smoother: Smoother | None = None
    bridge_s: float = 0.5
    epoch_s: float | None = None
    baseline: tuple[float, float] | str | None = None
    baseline_by: tuple[str, ...] = ("video_id", "track_id")
    person: Person = "track"
    signals: tuple[str, ...] = ()


def build_timelines(run: Run, options: TimelineOptions | None = None) -> pd.DataFrame:
    """Return the timelines of every finished video of a run, by video, track and time.

    Stimulus time is 0 where the study's `offset_s` says that the stimulus starts, the start of the video where it says
    nothing; what is before has times below 0. Only usable rows count, short gaps are bridged (see
    `videmo.findings.series`). Videos are read one by one: what stays in memory is the result and the baselines' rows.

    Columns of epochs:
        video_id, track_id, identity: the person; track 0 with `person="largest"`; `identity` only where decided on
        epoch_start_s, epoch_end_s: the epoch, [start, end) of stimulus time; from the person's first to the last
        seen_s, bridged_s: usable time within the epoch, and the time bridged
        <signal>: mean of the (smoothed) signal over both, weighted by time; NaN where there is none
        baseline_s, <signal>_change: with a baseline: how much time it has, and the signal's difference from the mean of
            the (smoothed) signal over it; NaN for a person without any
        the study's columns

    Columns of observations (no `epoch_s`):
        video_id, track_id, identity, frame_index, time_s (media time), stimulus_s (stimulus time)
        duration_s: how long the observation holds; usable, bridged: whether it was seen and usable, or lies on a bridge
        <signal>, <signal>_smoothed: as measured, also where not usable, NaN in a frame without a row; smoothed, NaN
            where neither usable nor bridged
        baseline_s, <signal>_change: as above, of the smoothed signal
        segment: the run's segment that it lies in (several parted by "; ", missing outside of all), if it has any
        the study's columns

    `attrs` holds the options as plain values, `lag_s` (how far the smoothed values trail behind) and `notes`.

    Raises:
        UsageError: no video is finished, a signal or segment has no such name, a length is not above 0, or
            `baseline_by` names a column that the study does not have, or the study a column that there is here.

    Example:
        >>> build_timelines(Run(Path("out")), TimelineOptions(epoch_s=1.0, person="largest"))  # doctest: +SKIP
    """
    options = options or TimelineOptions()
    signals, study = choose_signals(run.labels, options.signals), run.study()
    rows, references = _read_videos(run, signals, study, options)
    if options.person == "track":
        rows = name_people(rows, run)
    if options.baseline is not None:
        keys = study[[name for name in options.baseline_by if name in study]]
        others, of_others = (_of_others(table, run, study, options) for table in (rows, references))
        rows = _compare(rows, references[~of_others], keys, signals, options)
        rows.loc[others, ["baseline_s", *(f"{name}{CHANGE}" for name in signals)]] = [0.0, *(np.nan for _ in signals)]
    rows = carry(rows, study)
    if options.epoch_s is None and len(run.segments()):
        rows = name_segments(rows, run.segments())
    rows = rows[[*rows.columns.difference(study.columns, sort=False), *study.columns]]
    rows.attrs |= _describe(rows, options)
    return rows


def name_people(rows: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Return rows of tracks with `identity` beside `track_id`, where `videmo identities` stored any decisions."""
    if run.decisions() is None or "track_id" not in rows:
        return rows
    names = {(video_id, track_id): name for video_id in run.video_ids for track_id, name in run.names(video_id).items()}
    keys = zip(rows["video_id"], rows["track_id"], strict=True)
    named = rows.copy(deep=False)
    named.insert(list(rows).index("track_id") + 1, "identity", [names.get(key) for key in keys])
    return named


def _of_others(rows: pd.DataFrame, run: Run, study: pd.DataFrame, options: TimelineOptions) -> NDArray[np.bool_]:
    """Return which rows decisions give to somebody else than the respondent whose baseline it is; see `faces_of`."""
    if options.person == "largest" or "respondent" not in study or "respondent" not in options.baseline_by:
        return np.zeros(len(rows), bool)
    people = [(video_id, study["respondent"].get(video_id), run.names(video_id)) for video_id in run.video_ids]
    own = {(video_id, track_id) for video_id, who, names in people for track_id in names if names[track_id] == who}
    decided = rows["video_id"].isin({video_id for video_id, _ in own}).to_numpy()
    return decided & ~pd.MultiIndex.from_frame(rows[["video_id", "track_id"]]).isin(own)


def _read_videos(
    run: Run, signals: Sequence[str], study: pd.DataFrame, options: TimelineOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of all videos, and the observations that are baseline, which last only as long as they are."""
    given = options.baseline
    baseline = choose_segments(run.segments(), given) if isinstance(given, str) else given
    rows, references = [], []
    for video_id in run.video_ids:
        offset_s = _offset(study, video_id)
        respondent = study["respondent"].get(video_id) if "respondent" in study else None
        series = _read_series(run, video_id, signals, options, respondent)
        rows.append(_shape(series, signals, options.epoch_s, offset_s))
        within_s = _within(series, baseline, offset_s)
        references.append(series.assign(duration_s=within_s)[within_s > 0])
    return _stack(rows), _stack(references)


def _read_series(
    run: Run, video_id: str, signals: Sequence[str], options: TimelineOptions, respondent: object
) -> pd.DataFrame:
    """Return `build_series` of one video for the signals; what is derived comes from the smoothed probabilities."""
    derived = [name for name in signals if name in AFFECT]
    labels = list(run.labels if derived else signals)
    whose = ("identity", *BOX_COLUMNS) if options.person == "largest" else ()
    faces = run.faces(video_id, [*_FACE_COLUMNS, *labels, *whose])
    if options.person == "largest":
        faces = take_largest(faces_of(faces, respondent))
    series = build_series(
        run.frames(video_id, _FRAME_COLUMNS), faces, labels, smoother=options.smoother, bridge_s=options.bridge_s
    )
    if derived:
        affect = derive_affect(series, labels, suffix=SMOOTHED).add_suffix(SMOOTHED)
        series = pd.concat([series, derive_affect(series, labels), affect], axis=1)
    smoothed = [f"{name}{SMOOTHED}" for name in signals]
    keys = series.columns[: list(series).index(labels[0])]
    return series[[*keys, *signals, *smoothed]]


def _offset(study: pd.DataFrame, video_id: str) -> float:
    """Return where the stimulus starts in a video, s; 0 where the study does not say."""
    offset_s = float(study["offset_s"].get(video_id, 0.0)) if "offset_s" in study else 0.0
    return 0.0 if np.isnan(offset_s) else offset_s


def _shape(series: pd.DataFrame, signals: Sequence[str], epoch_s: float | None, offset_s: float) -> pd.DataFrame:
    """Return one video as epochs or, without a length, as observations; both on stimulus time."""
    if epoch_s is None:
        rows = series.copy(deep=False)
        rows.insert(list(rows).index("time_s") + 1, "stimulus_s", rows["time_s"] - offset_s)
        return rows
    return resample(_only_smoothed(series, signals), signals, epoch_s, origin_s=offset_s)


def _within(
    series: pd.DataFrame, baseline: pd.DataFrame | tuple[float, float] | None, offset_s: float
) -> pd.Series[float]:
    """Return how many seconds of each row of one video are baseline: in the segments, or a window of stimulus time."""
    if baseline is None:
        return pd.Series(0.0, series.index)
    if isinstance(baseline, pd.DataFrame):
        return seconds_in_segments(series, baseline[baseline["video_id"].isin(series["video_id"].unique())])
    return seconds_in_window(series[["time_s", "duration_s"]].assign(offset_s=offset_s), *baseline)


def _stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of the videos one below the other; an empty one with their columns where all are empty."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _compare(
    rows: pd.DataFrame,
    references: pd.DataFrame,
    keys: pd.DataFrame,
    signals: Sequence[str],
    options: TimelineOptions,
) -> pd.DataFrame:
    """Return the rows with the difference of each smoothed signal from the person's mean over the references.

    `keys` are the study's columns that make a person.
    """
    wanted = [*options.baseline_by, "duration_s", *signals]
    parts = [_only_smoothed(carry(part, keys), signals).filter(wanted) for part in (references, rows)]
    table = pd.concat(parts, ignore_index=True)
    within_s = table["duration_s"].where(table.index < len(references), 0.0)
    compared = subtract_baseline(table, signals, within_s, by=options.baseline_by)
    changes = compared.iloc[len(references) :][["baseline_s", *(f"{name}{CHANGE}" for name in signals)]]
    return pd.concat([rows, changes.reset_index(drop=True)], axis=1)


def _only_smoothed(rows: pd.DataFrame, signals: Sequence[str]) -> pd.DataFrame:
    """Return observations with the smoothed signals under the names of the raw ones; epochs have nothing else."""
    raw = [name for name in signals if f"{name}{SMOOTHED}" in rows]
    return rows.drop(columns=raw).rename(columns={f"{name}{SMOOTHED}": name for name in raw})


def _describe(rows: pd.DataFrame, options: TimelineOptions) -> dict[str, object]:
    """Return the options as plain values, with what a reader of the numbers must know."""
    notes, lag_s = [], 0.0
    if options.smoother is not None:
        lag_s = options.smoother.lag_s
        notes.append(f"{options.smoother}: smoothed values trail behind the raw ones by {lag_s:.3g} s")
    if options.baseline is not None:
        longest_s = rows.groupby(list(options.baseline_by), dropna=False)["baseline_s"].max()
        without = int((~(longest_s > 0)).sum())
        if without:
            who = " and ".join(options.baseline_by)
            notes.append(f"no baseline time for {without} of {len(longest_s)} by {who}: their changes are empty")
    smoother = None if options.smoother is None else repr(options.smoother)
    return {**asdict(options), "smoother": smoother, "lag_s": lag_s, "notes": notes}

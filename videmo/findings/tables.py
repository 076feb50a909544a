"""A finished run read back: its tables as DataFrames, with the decisions on identities; its footers as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from videmo.errors import UsageError
from videmo.filenames import is_plain
from videmo.findings.identities import People, read_decisions
from videmo.findings.manifest import carry
from videmo.findings.table_file import TableFile
from videmo.findings.tracks import summarize_tracks
from videmo.output.names import IDENTITIES, SEGMENTS, STUDY
from videmo.output.schema import SCHEMA_VERSION_KEY, check_version, tracks_schema
from videmo.settings import Settings

SETTINGS_KEY = "videmo.settings"
_ANALYSE_AGAIN = "analyse it again with --overwrite"
_SEGMENT_COLUMNS = ("video_id", "segment", "start_s", "end_s")


@dataclass(frozen=True, slots=True)
class Run:
    """The folder `out` that `videmo analyze --out` wrote; videos that are not finished are not seen.

    Where `videmo identities` stored decisions, tracks and faces are given as decided: `track_id` is that of the person,
    and faces have `original_track_id` and `identity`, too (see `videmo.findings.identities`).

    Attributes:
        out: the folder.
        as_recorded: give tracks and faces without the decisions.

    Raises:
        UsageError: the folder holds no run, or a table was written by an incompatible version or is damaged.

    Example:
        >>> run = Run(Path("out"))  # doctest: +SKIP
        >>> run.faces(run.video_ids[0])[["time_s", "track_id", "emotion"]]  # doctest: +SKIP
    """

    out: Path
    as_recorded: bool = False

    def __post_init__(self) -> None:
        if not (self.out / "frames").is_dir():
            raise UsageError(f"{self.out}: no results of videmo in it: name the folder given to `videmo analyze --out`")

    @property
    def video_ids(self) -> list[str]:
        """The finished videos, sorted."""
        return sorted(path.name.removesuffix(".parquet") for path in (self.out / "frames").glob("*.parquet"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the run's preset, in the order of the columns.

        Raises:
            UsageError: no video of the run is finished.
        """
        if not self.video_ids:
            raise UsageError(f"{self.out}: no video of this run is finished: go on with `videmo analyze --resume`")
        return self.labels_of(self.video_ids[0])

    def labels_of(self, video_id: str) -> tuple[str, ...]:
        """Return the labels under which one video was analysed, in the order of the columns."""
        with open_table(self._path("frames", video_id)) as frames, open_table(self._path("faces", video_id)) as faces:
            if frames.labels != faces.labels:
                raise UsageError(f"{frames.path}: names other labels than the faces table: {_ANALYSE_AGAIN}")
            return frames.labels

    def settings(self, video_id: str) -> Settings:
        """Return the settings that decided the numbers of one video; the others have their defaults."""
        path = self._path("frames", video_id)
        with open_table(path) as file:
            values = file.said(SETTINGS_KEY, dict, {})
        known = {item.name for item in fields(Settings)}  # a newer videmo may have more
        try:
            return Settings().merged({name: value for name, value in values.items() if name in known})
        except UsageError as error:
            raise UsageError(f"{path}: {error}: {_ANALYSE_AGAIN}") from error

    def footer(self, video_id: str) -> dict[str, str]:
        """Return what the footer of the frames table of one video says."""
        with open_table(self._path("frames", video_id)) as file:
            return file.footer

    def videos(self) -> pd.DataFrame:
        """Return one row per input, failed ones too."""
        return _read(self.out / "videos.parquet")

    def tracks(self) -> pd.DataFrame:
        """Return one row per track of every video; with decisions, one per person, and `identity` (or missing)."""
        tracks = _read(self.out / "tracks.parquet")
        decisions = self.decisions()
        if decisions is None:
            return tracks
        recorded = tracks["video_id"].unique().tolist()
        decided = [video_id for video_id in recorded if video_id in set(decisions["video_id"])]
        again = [summarize_tracks(self, video_id).to_pandas() for video_id in decided]
        own = tracks[~tracks["video_id"].isin(decided)].reindex(columns=tracks_schema(self.labels).names)
        people = pd.concat([part for part in (own, *again) if len(part)] or [own], ignore_index=True)
        names = {video_id: self.names(video_id) for video_id in decided}
        keys = zip(people["video_id"], people["track_id"], strict=True)
        people["identity"] = [names.get(video_id, {}).get(track_id) for video_id, track_id in keys]
        people["dominant"] = people["dominant"].astype(pd.CategoricalDtype(list(self.labels)))
        order = people["video_id"].map(recorded.index).argsort(kind="stable")
        return carry(people.iloc[order].reset_index(drop=True), self.study())

    def study(self) -> pd.DataFrame:
        """Return the study's columns by `video_id`: a row for each video the manifest names; empty without a study."""
        path = self.out / STUDY
        return _read(path).set_index("video_id") if path.exists() else pd.DataFrame(index=pd.Index([], name="video_id"))

    def segments(self) -> pd.DataFrame:
        """Return `video_id`, `segment`, `start_s`, `end_s` on media time; empty where the run was given none."""
        path = self.out / SEGMENTS
        return _read(path) if path.exists() else pd.DataFrame(columns=list(_SEGMENT_COLUMNS))

    def decisions(self) -> pd.DataFrame | None:
        """Return what was decided on identities, as `read_decisions` does; None where nothing was, or `as_recorded`.

        Raises:
            UsageError: the file of decisions is damaged.
        """
        path = self.out / IDENTITIES
        if self.as_recorded or not path.exists():
            return None
        file = path.stat()
        return _read_decisions(path, (file.st_ino, file.st_mtime_ns, file.st_size))

    def names(self, video_id: str) -> dict[int, str]:
        """Return the identities decided on in one video, by track id."""
        people = self._people(video_id)
        return {} if people is None else people.names

    def frames(self, video_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per analysed frame of one video, in the order of time; all columns or those named."""
        return _read(self._path("frames", video_id), columns)

    def faces(self, video_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per face and analysed frame of one video, in the order of time; all columns or those named."""
        with open_table(self._path("faces", video_id)) as file:
            return _as_decided(file.read, columns, self._people(video_id))

    def face_groups(self, video_id: str, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield `faces` piece by piece."""
        people = self._people(video_id)
        with open_table(self._path("faces", video_id)) as file:
            for group in range(file.row_groups):
                yield _as_decided(partial(file.read_row_group, group), columns, people)

    def row_groups(self, video_id: str) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield the frames and their faces piece by piece, in the order of time; memory is bounded by the piece.

        Raises:
            UsageError: a table is missing, damaged or of an unknown version, or the two do not belong together.
        """
        pieces = self.face_groups(video_id)
        with open_table(self._path("frames", video_id)) as file:
            for group in range(file.row_groups):
                frames, faces = file.read_row_group(group).to_pandas(), next(pieces, None)
                if faces is None or int(frames["faces"].sum()) != len(faces) or (frames["faces"] < 0).any():
                    raise UsageError(f"{file.path}: counts other faces than the faces table: {_ANALYSE_AGAIN}")
                yield frames, faces

    def _people(self, video_id: str) -> People | None:
        """Return the decisions on one video, without rows where there are none on it; None where the run has none."""
        decisions = self.decisions()
        if decisions is None:
            return None
        recorded = _read(self._path("faces", video_id), ["track_id"])["track_id"]
        return People.of(decisions[decisions["video_id"] == video_id], recorded.to_numpy(np.int64))

    def _path(self, table: str, video_id: str) -> Path:
        if not is_plain(video_id):  # ids come out of tables, too, which may come from anywhere
            raise UsageError(f"{self.out}: {video_id!r} is no id of a video: restore the run's tables")
        return self.out / table / f"{video_id}.parquet"


def open_table(path: Path) -> TableFile:
    """Open a table of videmo; raises UsageError where it is missing, damaged or of an unknown major version."""
    file = TableFile(path)
    try:
        check_version(file.footer.get(SCHEMA_VERSION_KEY), path)
        file.check_columns()
    except UsageError:
        file.close()
        raise
    return file


@lru_cache(maxsize=1)
def _read_decisions(path: Path, _state: tuple[int, ...]) -> pd.DataFrame:
    """Read a file of decisions once for each of its states: every table of every video is read by them."""
    return read_decisions(path)


def _read(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    with open_table(path) as file:
        return _as_decided(file.read, columns, None)


def _as_decided(read: Callable[..., pa.Table], columns: Sequence[str] | None, people: People | None) -> pd.DataFrame:
    """Return what `read` gives, faces under the ids of `people`; columns that are not there are left out."""
    needed = None if columns is None else list(columns)
    if people is not None and needed is not None:
        needed += [name for name in ("track_id", "time_s") if name not in needed]
    rows: pd.DataFrame = read(columns=needed).to_pandas()
    if people is None:
        return rows
    named = people.apply(rows)
    return named if columns is None else named[[name for name in columns if name in named]]

"""A finished run read back: its tables as DataFrames, its footers as plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from videmo.errors import UsageError
from videmo.output.schema import LABELS_KEY, SCHEMA_VERSION, SCHEMA_VERSION_KEY
from videmo.settings import Settings

SETTINGS_KEY = "videmo.settings"


@dataclass(frozen=True, slots=True)
class Run:
    """The folder `out` that `videmo analyze --out` wrote; videos that are not finished are not seen.

    Raises:
        UsageError: the folder holds no run, or a table was written by an incompatible version or is damaged.

    Example:
        >>> run = Run(Path("out"))  # doctest: +SKIP
        >>> run.faces(run.video_ids[0])[["time_s", "track_id", "emotion"]]  # doctest: +SKIP
    """

    out: Path

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
        return labels_of(self.footer(self.video_ids[0]))

    def settings(self, video_id: str) -> Settings:
        """Return the settings that decided the numbers of one video; the others have their defaults."""
        values = json.loads(self.footer(video_id).get(SETTINGS_KEY, "{}"))
        if values.get("detector_model") is not None:
            values["detector_model"] = Path(values["detector_model"])
        return Settings().merged(values)

    def footer(self, video_id: str) -> dict[str, str]:
        """Return what the footer of the frames table of one video says."""
        with open_table(self._path("frames", video_id)) as file:
            return footer_of(file)

    def videos(self) -> pd.DataFrame:
        """Return one row per input, failed ones too."""
        return _read(self.out / "videos.parquet")

    def tracks(self) -> pd.DataFrame:
        """Return one row per track of every video."""
        return _read(self.out / "tracks.parquet")

    def frames(self, video_id: str) -> pd.DataFrame:
        """Return one row per analysed frame of one video, in the order of time."""
        return _read(self._path("frames", video_id))

    def faces(self, video_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per face and analysed frame of one video, in the order of time; all columns or those named."""
        return _read(self._path("faces", video_id), columns)

    def row_groups(self, video_id: str) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield the frames and their faces piece by piece, in the order of time; memory is bounded by the piece."""
        with open_table(self._path("frames", video_id)) as frames, open_table(self._path("faces", video_id)) as faces:
            for group in range(frames.num_row_groups):
                yield frames.read_row_group(group).to_pandas(), faces.read_row_group(group).to_pandas()

    def _path(self, table: str, video_id: str) -> Path:
        return self.out / table / f"{video_id}.parquet"


def labels_of(footer: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the probability columns, in their order."""
    return tuple(json.loads(footer[LABELS_KEY]))


def footer_of(file: pq.ParquetFile) -> dict[str, str]:
    """Return what videmo says in the footer of a table."""
    metadata = file.metadata.metadata or {}
    return {key.decode(): value.decode() for key, value in metadata.items() if key.startswith(b"videmo.")}


def open_table(path: Path) -> pq.ParquetFile:
    """Open a table of videmo; raises UsageError where it is missing, damaged or of an unknown major version."""
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such table: the video or the run is not finished; go on with --resume") from error
    except (OSError, pa.ArrowInvalid) as error:
        raise UsageError(f"{path}: cannot be read ({error}): analyse it again with --overwrite") from error
    version = footer_of(file).get(SCHEMA_VERSION_KEY, "none")
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        file.close()
        raise UsageError(
            f"{path}: tables of version {version}, this videmo reads {SCHEMA_VERSION.split('.')[0]}.x: "
            "use the videmo that wrote them or analyse again"
        )
    return file


def _read(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    with open_table(path) as file:
        frame: pd.DataFrame = file.read(columns=None if columns is None else list(columns)).to_pandas()
    return frame

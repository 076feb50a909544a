"""The tables over all videos of a run, and the columns of its study in every table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path

import pyarrow as pa

from videmo.analysis.study import StudyPlan
from videmo.datatypes import VideoReport
from videmo.findings.study import carries, carry_study, study_table
from videmo.findings.tables import Run
from videmo.findings.tracks import summarize_tracks
from videmo.output.checksums import Checksums
from videmo.output.names import SEGMENTS, STUDY
from videmo.output.parquet import write_table
from videmo.output.schema import segments_schema, tracks_schema, videos_schema


class OverallTables:
    """Writes videos, tracks, study and segments of a run, and carries its study into the tables of its videos."""

    def __init__(self, out: Path, checksums: Checksums, tracks: MutableMapping[str, pa.Table]) -> None:
        """Takes the folder of the run, what its files are, and the tracks of videos as far as they are known."""
        self._out, self._checksums, self._tracks = out, checksums, tracks

    def add(self, video_id: str) -> None:
        """Take down the tracks of a finished video: a run that is stopped has no time to look."""
        self._tracks[video_id] = summarize_tracks(Run(self._out, as_recorded=True), video_id)

    def write_study(self, plan: StudyPlan, metadata: Mapping[str, str]) -> None:
        """Write study.parquet and segments.parquet; what the plan leaves out stays as it is."""
        told = {STUDY: plan.study, SEGMENTS: plan.segments}
        self._checksums.drop(self._out / name for name, rows in told.items() if rows is not None)
        if plan.study is not None:
            write_table(self._out / STUDY, study_table(plan.study), metadata)
        if plan.segments is not None:
            segments = pa.Table.from_pandas(plan.segments, segments_schema(), preserve_index=False)
            write_table(self._out / SEGMENTS, segments, metadata)

    def carry_study(self, tables: Iterable[Path]) -> None:
        """Put the columns of the study into tables of finished videos, also of those from earlier runs.

        Each table is replaced whole, so that a video stays finished all the time.
        """
        study = Run(self._out).study()
        wanting = [path for path in tables if not carries(path, study)]
        self._checksums.drop(wanting)
        for path in wanting:
            carry_study(path, study)
        self._checksums.add(wanting)

    def write(self, reports: Sequence[VideoReport], labels: Sequence[str], metadata: Mapping[str, str]) -> None:
        """Write videos.parquet and tracks.parquet with the study's columns, rows in the order of `reports`."""
        names = videos_schema().names
        rows = [{name: getattr(report, name) for name in names} for report in reports]
        write_table(self._out / "videos.parquet", pa.Table.from_pylist(rows, videos_schema()), metadata)
        done = [report.video_id for report in reports if report.status == "done"]
        for video_id in done:
            if video_id not in self._tracks:
                self.add(video_id)
        tracks = [tracks_schema(labels).empty_table(), *(self._tracks[video_id] for video_id in done)]
        write_table(self._out / "tracks.parquet", pa.concat_tables(tracks), metadata)
        study = Run(self._out).study()
        for name in ("videos.parquet", "tracks.parquet"):
            carry_study(self._out / name, study)

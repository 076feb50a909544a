"""Every table behind the page, made in one go and written to OUT/findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import pandas as pd
import pyarrow as pa

from videmo.findings.aggregate import require_name
from videmo.findings.manifest import carry
from videmo.findings.report.curves import choose_epoch, trace_curves
from videmo.findings.report.groups import Groups, compare_respondents
from videmo.findings.report.overview import tabulate_overview, tabulate_videos
from videmo.findings.report.provenance import read_record, tabulate_provenance, tabulate_sources
from videmo.findings.report.quality import measure_quality, tabulate_reasons, tabulate_respondents
from videmo.findings.segment_summary import summarize_run_segments
from videmo.findings.tables import Run
from videmo.findings.timelines import name_people
from videmo.output.names import REPORT_TABLES
from videmo.output.parquet import write_table

STUDY_COLUMNS: Final = ("respondent", "condition", "stimulus", "consent_id", "purpose")
"""The columns of the study that are shown."""

USUAL_GROUPS: Final = "condition"
"""The study's column that makes the groups, unless another is named."""


@dataclass(frozen=True, slots=True, eq=False)
class ReportTables:
    """What the page shows.

    Attributes:
        labels: of the run's preset; empty where no video is finished.
        epoch_s: length of the epochs of the curves, s.
        by: the study's column that makes the groups, None where the study has no such column.
        groups: what respondents share, None without a study.
        tables: by the name of their file.
    """

    labels: tuple[str, ...]
    epoch_s: float
    by: str | None
    groups: Groups | None
    tables: Mapping[str, pd.DataFrame]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def write(self, run: Run) -> None:
        """Write OUT/findings/<name>.parquet for each table; those without a column are left out.

        Raises:
            OutputError: the disk is full or the folder does not allow it.
        """
        for name, table in self.tables.items():
            if len(table.columns):
                path = run.out / REPORT_TABLES / f"{name}.parquet"
                write_table(
                    path, pa.Table.from_pandas(table, preserve_index=False), {"videmo.version": version("videmo")}
                )


def make_tables(run: Run, by: str) -> ReportTables:
    """Return the tables of a run; groups are compared `by` a column of its study, where it has that.

    Raises:
        UsageError: a table of the run is missing or damaged, or the study has no column `by`, which is not the usual
            one.
    """
    study = run.study()
    if by != USUAL_GROUPS:
        require_name("column of the study", by, study.columns)
    study_columns = tuple(dict.fromkeys(name for name in (*STUDY_COLUMNS, by) if name in study))
    labels = run.labels if run.video_ids else ()
    videos, quality = tabulate_videos(run), measure_quality(run, study_columns)
    face_s = float(quality.videos["seen_s"].sum())
    epoch_s = choose_epoch(face_s)
    curves = trace_curves(run, labels, epoch_s)
    groups = compare_respondents(run, by if by in study else None)
    tables = {
        "overview": tabulate_overview(videos, quality.videos),
        "videos": videos,
        "quality": quality.videos,
        "quality_by_respondent": tabulate_respondents(quality.videos, study_columns),
        "exclusions": quality.exclusions,
        "exclusion_reasons": tabulate_reasons(quality.exclusions, face_s),
        "curves": curves.epochs,
        "segment_summary": carry(
            name_people(summarize_run_segments(run, run.segments()), run), study[list(study_columns)]
        ),
        "moments": carry(name_people(curves.moments, run), study[list(study_columns)]),
        **(_name_groups(groups) if groups else {}),
        "provenance": tabulate_provenance(run, read_record(run)),
        "sources": tabulate_sources(run),
    }
    return ReportTables(labels, epoch_s, by if by in study else None, groups, tables)


def _name_groups(groups: Groups) -> dict[str, pd.DataFrame]:
    return {
        "group_curves": groups.curves,
        "group_comparison": groups.comparison,
        "synchrony": groups.synchrony,
        "shared_moments": groups.moments,
    }

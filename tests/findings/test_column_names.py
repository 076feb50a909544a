"""A study's column must not have the name of a column of ours, whichever command would put the two side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from reported_runs import finish, write_face
from written_runs import write_segments, write_study

from videmo.findings.column_names import own_names
from videmo.findings.export.rows import read_rows
from videmo.findings.export.spss import tabulate
from videmo.findings.manifest import carry
from videmo.findings.moments import find_moments
from videmo.findings.report.tables import make_tables
from videmo.findings.segment_summary import summarize_run_segments
from videmo.findings.summary import summarize_epochs, summarize_respondents, summarize_run
from videmo.findings.tables import Run
from videmo.findings.timelines import TimelineOptions, build_timelines, name_people

OF_THE_STUDY = {"respondent", "offset_s", "town"}


def carrying_tables(run: Run) -> Iterator[pd.DataFrame]:
    """Yield every table of findings that has the study's columns, or gets them from a command."""
    study, segments = run.study(), run.segments()
    yield tabulate(run, run.video_ids)
    yield from read_rows(run, run.video_ids)
    for by in ("track", "video"):
        yield summarize_run(run, by=by)
        yield summarize_epochs(run, 1, by=by)
        yield summarize_run_segments(run, segments, by=by)
    yield summarize_respondents(run, study)
    for epoch_s in (None, 1.0):
        rows = build_timelines(run, TimelineOptions(epoch_s=epoch_s, baseline=(0.0, 1.0)))
        yield rows
        yield carry(name_people(find_moments(rows, run.labels), run), study)
    tables = make_tables(run, "town")
    yield from (tables[name] for name in ("quality", "quality_by_respondent", "segment_summary", "moments"))


def test_all_names_of_ours_are_known(tmp_path: Path) -> None:
    for video_id in ("a", "b"):
        write_face(tmp_path, video_id, 4, fps=5)
    write_study(tmp_path, {name: {"respondent": "R", "offset_s": 0.5, "town": "Bonn"} for name in ("a", "b")})
    write_segments(tmp_path, ("a", "ad", 0.0, 2.0), ("b", "ad", 0.0, 2.0))
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\na,1,Anna\n")
    run = finish(tmp_path)
    tables = [*carrying_tables(run), run.videos()]
    found = {name for table in tables for name in table.columns} - OF_THE_STUDY
    assert found - own_names(run.labels) == set()
    assert {"share_fear", "signal", "analysed_s", "fear_change", "any_face_s"} <= found

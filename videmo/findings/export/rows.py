"""All rows of the faces tables in one file: CSV, or JSON with one record in each line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import pandas as pd

from videmo.findings.export.csv_files import INJECTION_NOTE, write_csv
from videmo.findings.export.format import Format, Writer
from videmo.findings.manifest import carry
from videmo.findings.segment_summary import name_segments
from videmo.findings.tables import Run

_DECIMALS = 10


def read_rows(run: Run, video_ids: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield the faces of videos piece by piece, all with the same columns; memory is bounded by the piece.

    The columns are those of the faces tables, the study's, and `segment` where the run has segments: their names,
    parted by "; " where several overlap, missing outside of all. Each row is there once.

    Raises:
        UsageError: the study has a column `segment` of its own.
    """
    study, segments = run.study(), run.segments()
    heads = (group for video_id in video_ids for group in islice(run.face_groups(video_id), 1))
    own = list(dict.fromkeys(name for head in heads for name in head.columns if name not in study))
    columns = [*own, *study.columns, *(["segment"] if len(segments) else [])]
    for video_id in video_ids:
        for faces in run.face_groups(video_id):
            whole = carry(faces.drop(columns=study.columns, errors="ignore"), study)
            yield (name_segments(whole, segments) if len(segments) else whole).reindex(columns=columns)


def _plan_csv(run: Run, video_ids: Sequence[str]) -> Mapping[str, Writer]:
    return {"faces.csv": lambda path: write_csv(path, read_rows(run, video_ids))}


def _plan_jsonl(run: Run, video_ids: Sequence[str]) -> Mapping[str, Writer]:
    return {"faces.jsonl": partial(_write_jsonl, run, video_ids)}


def _write_jsonl(run: Run, video_ids: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for rows in read_rows(run, video_ids):
            if len(rows):
                file.write(rows.to_json(orient="records", lines=True, force_ascii=False, double_precision=_DECIMALS))


CSV = Format(_plan_csv, (INJECTION_NOTE,))
JSONL = Format(_plan_jsonl, (f"numbers have {_DECIMALS} decimals; what is missing is null",))

"""One row for each respondent, video and segment, under names that SPSS, Stata and SAS take, with a codebook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from pandas.api.types import is_bool_dtype

from videmo.findings.export.csv_files import INJECTION_NOTE, write_csv
from videmo.findings.export.format import Format, Writer
from videmo.findings.manifest import carry
from videmo.findings.segment_summary import summarize_segments
from videmo.findings.summary import summarize
from videmo.findings.tables import Run

LONGEST_NAME: Final = 64
_RESERVED: Final = frozenset(["all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"])

_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "video_id": ("video, unique in the run", ""),
    "segment": ("named span of the video", ""),
    "start_s": ("start of the segment, media time", "s"),
    "end_s": ("end of the segment, media time", "s"),
    "duration_s": ("length of the segment", "s"),
    "tracks": ("number of tracks in the video; their times are pooled", ""),
    "any_face_s": ("time with at least one face", "s"),
    "first_s": ("when a face was first seen", "s"),
    "last_s": ("when a face ceased to be seen", "s"),
    "seen_s": ("time that faces were seen, over all tracks", "s"),
    "usable_s": ("part of seen_s that can be judged", "s"),
    "usable_share": ("share of seen_s that can be judged", "0 to 1"),
    "usable_rows": ("rows that can be judged", ""),
    "dominant": ("expression with the highest mean probability", ""),
    "transitions_per_min": ("changes of the top expression per minute", "1/min"),
    "offset_s": ("where in the video the stimulus starts", "s"),
}
_FAMILIES: Final = (
    (r"share_(.+)", "share of the usable time with {} on top", "0 to 1"),
    (r"mean_(.+)", "mean probability of {} over the usable time", "0 to 1"),
    (r"peak_(.+)_s", "when the highest probability of {} was reached, media time", "s"),
    (r"peak_(.+)", "highest probability of {}", "0 to 1"),
)


def tabulate(run: Run, video_ids: Sequence[str]) -> pd.DataFrame:
    """Return one row for each segment of each video, or for each video where the run has no segments.

    All tracks of a video are pooled. The study's columns come second; a video without a face has a row, too, with its
    measures missing. Columns as in `summarize_segments` or `summarize`, by video.
    """
    segments, study = run.segments(), run.study()
    parts = [_summarize(run, video_id, segments) for video_id in video_ids]
    filled = [part for part in parts if len(part)]
    found = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame({"video_id": []})
    rows = pd.DataFrame({"video_id": list(video_ids)}).merge(found, on="video_id", how="left")
    rows = carry(rows, study)
    return rows[["video_id", *study.columns, *(name for name in found.columns[1:])]]


def name_variables(columns: Iterable[str]) -> dict[str, str]:
    """Return a variable name for each column: ASCII letters, digits and _, a letter first, 64 characters at most.

    No two are alike in capitals, none ends in _ or is a word that SPSS reserves.

    Example:
        >>> name_variables(["Größe (cm)", "2nd", "to", "groesse", "Grosse cm"])
        {'Größe (cm)': 'Grosse_cm', '2nd': 'v_2nd', 'to': 'v_to', 'groesse': 'groesse', 'Grosse cm': 'Grosse_cm_2'}
    """
    names: dict[str, str] = {}
    taken = set(_RESERVED)
    for column in columns:
        text = unicodedata.normalize("NFKD", column.replace("ß", "ss")).encode("ascii", "ignore").decode()
        plain = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_")
        if not plain[:1].isalpha() or plain.lower() in _RESERVED:
            plain = f"v_{plain}".rstrip("_")
        name, number = plain[:LONGEST_NAME].rstrip("_"), 1
        while name.lower() in taken:
            number += 1
            name = f"{plain[: LONGEST_NAME - len(str(number)) - 1].rstrip('_')}_{number}"
        taken.add(name.lower())
        names[column] = name
    return names


def describe_variables(names: Mapping[str, str], study: Iterable[str]) -> pd.DataFrame:
    """Return the codebook: `variable`, `label`, `unit` and `column`, its name in videmo's tables.

    Of the study's columns only `offset_s` has a meaning here, whatever the others are called.
    """
    own = set(study) - {"offset_s"}
    rows = []
    for column, variable in names.items():
        label, unit = (f"of the study: {column}", "") if column in own else _describe(column)
        rows.append((variable, label or column, unit, column))
    return pd.DataFrame(rows, columns=["variable", "label", "unit", "column"])


def _describe(column: str) -> tuple[str, str]:
    if column in _LABELS:
        return _LABELS[column]
    for pattern, label, unit in _FAMILIES:
        if found := re.fullmatch(pattern, column):
            return label.format(found[1]), unit
    return "", ""


def _summarize(run: Run, video_id: str, segments: pd.DataFrame) -> pd.DataFrame:
    frames, faces, labels = run.frames(video_id), run.faces(video_id), run.labels_of(video_id)
    if segments.empty:
        return summarize(frames, faces, labels, by="video")
    own = segments[segments["video_id"] == video_id].reset_index(drop=True)
    return summarize_segments(frames, faces, labels, own, by="video") if len(own) else pd.DataFrame()


def _plan(run: Run, video_ids: Sequence[str]) -> Mapping[str, Writer]:
    rows = tabulate(run, video_ids)
    truths = {name: rows[name].astype(int) for name in rows.columns if is_bool_dtype(rows[name])}
    names = name_variables(rows.columns)
    book = describe_variables(names, run.study().columns)
    return {
        "videmo.csv": lambda path: _write(path, rows.assign(**truths).rename(columns=names)),
        "codebook.csv": lambda path: _write(path, book),
    }


def _write(path: Path, table: pd.DataFrame) -> None:
    write_csv(path, [table])


SPSS = Format(
    _plan,
    (
        "one row for each video and segment, all tracks pooled; codebook.csv says what each variable is",
        "missing values are empty cells, the decimal mark is a point",
        INJECTION_NOTE,
    ),
)

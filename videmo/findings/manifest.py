"""The study manifest: which respondent a recording shows, what was watched, under which condition."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from videmo.errors import UsageError
from videmo.findings.delimited import TextTable, missing_columns, read_table, refuse, repeated_columns
from videmo.findings.matching import VideoIndex

REQUIRED: Final = ("file", "respondent")
KNOWN: Final = (*REQUIRED, "stimulus", "condition", "offset_s", "consent_id", "purpose")
"""Columns with a meaning; `group` is another name of `condition`. Any further column is kept as text."""

_ALIASES = {"group": "condition"}


def read_manifest(path: Path) -> pd.DataFrame:
    """Return the rows of a study manifest, checked.

    The file is CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252. `offset_s` says where in the
    recording the stimulus starts (0 where the column is absent). Nothing is ever written to the paths it names.

    Returns:
        `file`, `respondent`, `offset_s` (float, s), the other known columns that are there, and the further columns as
        text; the index holds the line numbers. `attrs["notes"]` lists what was assumed.

    Raises:
        UsageError: a column is missing, a file is there twice, a known column has an empty cell, an offset is no
            number; one line for each.

    Example:
        >>> read_manifest(Path("study.csv")).groupby("condition").size()  # doctest: +SKIP
    """
    table = read_table(path)
    table.cells.columns = pd.Index([_known_name(name) for name in table.cells.columns])
    refuse(path, [*missing_columns(table.cells, REQUIRED), *repeated_columns(table.cells)])
    refuse(path, _cell_problems(table))
    rows = table.cells.assign(offset_s=table.numbers("offset_s") if "offset_s" in table.cells else 0.0)
    further = [name for name in rows.columns if name not in KNOWN]
    kept = [f"{path}: further columns kept: {', '.join(further)}"] if further else []
    rows.attrs["notes"] = [*table.notes(path), *kept]
    return rows


def match_videos(manifest: pd.DataFrame, videos: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rows of a manifest by the videos of a run.

    Args:
        manifest: from `read_manifest`.
        videos: the videos table of the run: `video_id`, `path`.
        path: the manifest's file; the files it names are relative to its folder.

    Returns:
        The columns of the manifest but `file`, indexed by `video_id`. `attrs["notes"]` names the videos without a row.

    Raises:
        UsageError: a file is not among the videos, may be several of them, or two rows mean the same one.
    """
    index = VideoIndex(videos, path.absolute().parent)
    problems = {line: index.problem(file) for line, file in manifest["file"].items()}
    refuse(path, (f", line {line}: file {problem}" for line, problem in problems.items() if problem))
    video_ids = manifest["file"].map(lambda file: index.find(file)[0])
    refuse(path, _doubles(video_ids, "video"))
    rows = manifest.drop(columns="file").set_index(pd.Index(video_ids, name="video_id"))
    absent = sorted(set(videos["video_id"]) - set(video_ids))
    shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
    rows.attrs["notes"] = [f"{path}: no row for {shown}: the study's columns stay empty there"] if absent else []
    return rows


def carry(table: pd.DataFrame, study: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with the columns of the study at its right, by `video_id`; empty where a video has no row.

    Args:
        table: any table with `video_id`.
        study: from `match_videos`.

    Raises:
        UsageError: a column of the manifest has the name of a column of the table.
    """
    if "video_id" not in table:
        return table
    refuse_names(study.columns, table.columns)
    return table.merge(study, how="left", left_on="video_id", right_index=True, validate="many_to_one")


def refuse_names(names: Iterable[str], own: Container[str]) -> None:
    """Raise UsageError where a name of the study is one of a table's `own`: runs of older versions may have such."""
    taken = [name for name in names if name in own]
    if taken:
        raise UsageError(f"manifest column {', '.join(taken)}: videmo's table has columns of this name: rename it")


def agreed(study: pd.DataFrame) -> dict[str, object]:
    """Return the columns in which all rows say the same."""
    return {str(name): study[name].iloc[0] for name in study if study[name].nunique(dropna=False) == 1}


def _known_name(name: str) -> str:
    plain = name.lower().replace(" ", "_")
    plain = _ALIASES.get(plain, plain)
    return plain if plain in KNOWN else name


def _cell_problems(table: TextTable) -> Iterator[str]:
    for name in KNOWN:
        if name in table.cells:
            for line in table.cells.index[table.cells[name] == ""]:
                yield f", line {line}: {name} is empty"
    yield from _doubles(table.cells["file"][table.cells["file"] != ""], "file")
    if "offset_s" in table.cells:
        text = table.cells["offset_s"]
        for line, value in text[table.numbers("offset_s").isna() & (text != "")].items():
            yield f", line {line}: offset_s {value!r} is not a number of seconds"


def _doubles(values: pd.Series[str], what: str) -> Iterator[str]:
    for value, lines in values.groupby(values).groups.items():
        if len(lines) > 1:
            yield f", lines {', '.join(map(str, lines))}: the same {what} {value!r} more than once"

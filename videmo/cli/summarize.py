"""`videmo summarize`: the expression timelines of a run in short."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from videmo.cli.formats import Format, require_output, show_notes, write_rows
from videmo.cli.values import parse_seconds
from videmo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from videmo.findings.tables import Run


class By(StrEnum):
    """What a row stands for."""

    TRACK = "track"
    VIDEO = "video"
    RESPONDENT = "respondent"


def summarize(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    by: Annotated[By, typer.Option(help="One row per track, video or respondent of the study.")] = By.TRACK,
    epoch: Annotated[str | None, typer.Option(metavar="TIME", help="Rows of fixed length instead, e.g. 1s.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Study: file, respondent ... instead of the run's.")
    ] = None,
    segments: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rows of named spans instead: CSV, .eaf, .vtt or .srt.")
    ] = None,
    tier: Annotated[str | None, typer.Option(metavar="NAME", help="The tier of an ELAN file; else all.")] = None,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; needed for parquet.")] = None,
) -> None:
    """Show the share of time of each expression, the dominant one, transitions, means and peaks."""
    from videmo.findings.manifest import carry
    from videmo.findings.segment_summary import summarize_run_segments
    from videmo.findings.segments import place_segments, read_segments
    from videmo.findings.summary import summarize_epochs, summarize_respondents, summarize_run
    from videmo.findings.tables import Run

    if epoch and segments:
        raise UsageError("--epoch and --segments: rows are either epochs or segments, not both")
    if by is By.RESPONDENT and (epoch or segments):
        instead = "rows by video have a column respondent" if segments else "use `videmo timelines` for epochs"
        raise UsageError(f"--by respondent sums up whole videos: {instead}")
    if tier is not None and segments is None:
        raise UsageError("--tier names a tier of the segments: name their file with --segments")
    require_output(form, output)
    run = Run(folder)
    epoch_s = parse_seconds(epoch, "--epoch") if epoch else None
    study = _read_study(manifest, run) if manifest else run.study()
    labels = run.labels if run.video_ids else ()
    if by is By.RESPONDENT:
        write_rows(summarize_respondents(run, study), form, output, partial(format_tables, labels=labels))
        return
    pooled: Literal["track", "video"] = "track" if by is By.TRACK else "video"
    if segments:
        placed = place_segments(read_segments(segments, tier=tier), run.videos(), study if len(study) else None)
        rows = summarize_run_segments(run, placed, by=pooled)
    else:
        rows = summarize_epochs(run, epoch_s, by=pooled) if epoch_s else summarize_run(run, by=pooled)
    if "track_id" in rows and run.decisions() is not None:
        from videmo.findings.timelines import name_people  # with scipy, which others need not wait for

        rows = name_people(rows, run)
    spell = partial(format_spans if epoch or segments else format_tables, labels=labels)
    write_rows(carry(rows, study), form, output, spell)


def format_spans(rows: pd.DataFrame, labels: Sequence[str]) -> Iterator[str]:
    """Yield the means of epochs or segments for reading: one table."""
    if rows.empty:
        yield "no face was seen"
        return
    shares, means = [f"share_{label}" for label in labels], {f"mean_{label}": label for label in labels}
    shown = rows.drop(columns=shares, errors="ignore").rename(columns=means)
    yield shown.to_string(index=False, float_format="%.2f")


def format_tables(rows: pd.DataFrame, labels: Sequence[str]) -> Iterator[str]:
    """Yield the rows for reading: a small table for each."""
    if rows.empty:
        yield "no face was seen"
        return
    for row in rows.to_dict("records"):
        if not row["usable_share"]:
            yield f"{_name(row)}, none of it usable: no verdict (the faces table says why, exclude_reason)"
            continue
        yield (
            f"{_name(row)}, {row['usable_share']:.0%} of it usable; mostly {row['dominant']}; "
            f"{row['transitions_per_min']:.1f} transitions a minute"
        )
        at_s = f"{'at s':>9}" if "video_id" in row else ""
        yield f"  {'expression':<12}{'share':>7}{'mean':>7}{'peak':>7}{at_s}"
        for label in sorted(labels, key=lambda label: -row[f"share_{label}"]):
            at_s = f"{row[f'peak_{label}_s']:>9.2f}" if "video_id" in row else ""
            share, mean, peak = (row[f"{figure}_{label}"] for figure in ("share", "mean", "peak"))
            yield f"  {label:<12}{share:>7.0%}{mean:>7.2f}{peak:>7.2f}{at_s}"


def _name(row: Mapping[Hashable, Any]) -> str:
    """Return whose summary a row is, and how long they were seen."""
    if "video_id" not in row:
        return f"{row['respondent']}, videos: {row['videos']}, tracks: {row['tracks']}, seen {row['seen_s']:.1f} s"
    named = f" ({row['identity']})" if isinstance(row.get("identity"), str) else ""  # NaN: not decided on
    span = f"seen {row['seen_s']:.1f} s between {row['first_s']:.1f} and {row['last_s']:.1f} s"
    if "track_id" in row:
        return f"{row['video_id']}, track {row['track_id']}{named}: {span}"
    return f"{row['video_id']}, {row['tracks']} {'track' if row['tracks'] == 1 else 'tracks together'}: {span}"


def _read_study(path: Path, run: Run) -> pd.DataFrame:
    """Return the manifest by video; what was assumed is told."""
    from videmo.findings.manifest import match_videos, read_manifest
    from videmo.findings.study import check_names

    manifest = read_manifest(path)
    study = match_videos(manifest, run.videos(), path)
    check_names(study, run.labels if run.video_ids else (), path)
    show_notes(manifest, study)
    return study

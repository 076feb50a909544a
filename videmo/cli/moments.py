"""`videmo moments`: the peaks of expressions, of each respondent or shared by many."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.formats import Format, format_rows, require_output, show_notes, write_rows
from videmo.cli.timelines import Baseline, BaselineBy, Bridge, By, Epoch, Person, Signals, Smooth, read_options
from videmo.cli.values import parse_names, parse_seconds


class Of(StrEnum):
    """Whose moments are found."""

    RESPONDENT = "respondent"
    STIMULUS = "stimulus"


def moments(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    signal: Signals = None,
    by: Annotated[Of, typer.Option(help="Of each respondent, or of the mean over them on stimulus time.")] = (
        Of.RESPONDENT
    ),
    top: Annotated[int, typer.Option(min=1, help="The strongest of each signal and respondent (or stimulus).")] = 10,
    min_strength: Annotated[float, typer.Option(help="Least height above the baseline.")] = 0.2,
    min_prominence: Annotated[float, typer.Option(help="Least height above the valleys beside the peak.")] = 0.1,
    min_duration: Annotated[str, typer.Option(metavar="TIME", help="Least time from start to end.")] = "0.3s",
    smooth: Smooth = "median:0.5s",
    bridge: Bridge = "0.5s",
    epoch: Epoch = None,
    baseline: Baseline = None,
    baseline_by: By = BaselineBy.TRACK,
    person: Annotated[
        Person | None,
        typer.Option(help="Each track (the default), or the largest face of each frame (by stimulus the default)."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; needed for parquet.")] = None,
) -> None:
    """Give the moments at which an expression peaks: start, peak, end, and how far it stands out from the baseline.

    Without a --signal all but neutral count. By stimulus, moments are found on epochs (0.5s if none are given); each
    says what share of the respondents has it.
    """
    from videmo.findings.manifest import carry
    from videmo.findings.moments import Limits, find_moments
    from videmo.findings.shared_moments import shared_moments
    from videmo.findings.tables import Run
    from videmo.findings.timelines import build_timelines, name_people

    require_output(form, output)
    duration_s = parse_seconds(min_duration, "--min-duration")
    limits = Limits(min_strength=min_strength, min_prominence=min_prominence, min_duration_s=duration_s, top=top)
    run = Run(folder)
    signals = parse_names(signal) or tuple(label for label in run.labels if label != "neutral")
    shared = by is Of.STIMULUS
    epoch = epoch or ("0.5s" if shared else None)
    person = person or (Person.LARGEST if shared else Person.TRACK)
    timelines = build_timelines(run, read_options(smooth, bridge, epoch, baseline, baseline_by, person, signals))
    show_notes(timelines)
    if shared:
        rows = shared_moments(timelines, signals, limits)
    else:
        rows = carry(name_people(find_moments(timelines, signals, limits), run), run.study())
    rows.attrs |= timelines.attrs
    nothing = "no moment: lower --min-strength, --min-prominence or --min-duration to see weaker ones"
    write_rows(rows, form, output, partial(format_rows, none=nothing))

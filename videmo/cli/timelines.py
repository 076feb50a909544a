"""`videmo timelines`: the signals of a run over time, smoothed, on epochs, compared with a baseline."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videmo.cli.formats import Format, require_output, show_notes, write_rows
from videmo.cli.values import parse_baseline, parse_bridge, parse_names, parse_seconds, parse_smoother
from videmo.errors import UsageError

if TYPE_CHECKING:
    from videmo.findings.timelines import TimelineOptions


class Person(StrEnum):
    """Who counts as one person of a video."""

    TRACK = "track"
    LARGEST = "largest"


class BaselineBy(StrEnum):
    """Who has a baseline of their own."""

    TRACK = "track"
    RESPONDENT = "respondent"


Smooth = Annotated[str, typer.Option(metavar="FILTER", help="median:0.5s, ema:0.5s (half-life), savgol:1s, or none.")]
Bridge = Annotated[str, typer.Option(metavar="TIME", help="Gaps up to this long are bridged; 0 bridges none.")]
Epoch = Annotated[str | None, typer.Option(metavar="TIME", help="Means over fixed lengths, e.g. 1s.")]
Baseline = Annotated[
    str | None,
    typer.Option(metavar="WINDOW", help="Changes from it: 0-5s or -5-0s of stimulus time, or a segment's name."),
]
By = Annotated[BaselineBy, typer.Option("--baseline-by", help="One baseline per track, or per respondent.")]
Signals = Annotated[
    list[str] | None, typer.Option("--signal", "--signals", metavar="NAME", help="Such as happiness; a,b or repeated.")
]
Who = Annotated[Person, typer.Option(help="Each track, or the largest face of each frame: webcams.")]


def timelines(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    smooth: Smooth = "none",
    bridge: Bridge = "0.5s",
    epoch: Epoch = None,
    baseline: Baseline = None,
    baseline_by: By = BaselineBy.TRACK,
    person: Who = Person.TRACK,
    signals: Signals = None,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; needed for parquet.")] = None,
) -> None:
    """Give every expression over time: a row per observation, or per epoch, on the time of the stimulus."""
    from videmo.findings.tables import Run
    from videmo.findings.timelines import build_timelines

    require_output(form, output)
    options = read_options(smooth, bridge, epoch, baseline, baseline_by, person, parse_names(signals))
    rows = build_timelines(Run(folder), options)
    show_notes(rows)
    write_rows(rows, form, output)


def read_options(
    smooth: str,
    bridge: str,
    epoch: str | None,
    baseline: str | None,
    baseline_by: BaselineBy,
    person: Person,
    signals: tuple[str, ...] = (),
) -> TimelineOptions:
    """Return what the options of a command that works on timelines stand for.

    Raises:
        UsageError: a value has no meaning, alone or without another option; the message names what is needed.
    """
    from videmo.findings.timelines import TimelineOptions

    if baseline_by is not BaselineBy.TRACK and not baseline:
        raise UsageError("--baseline-by says whose baseline it is: give its window with --baseline")
    return TimelineOptions(
        smoother=parse_smoother(smooth),
        bridge_s=parse_bridge(bridge),
        epoch_s=parse_seconds(epoch, "--epoch") if epoch else None,
        baseline=parse_baseline(baseline) if baseline else None,
        baseline_by=("respondent",) if baseline_by is BaselineBy.RESPONDENT else ("video_id", "track_id"),
        person=person.value,
        signals=signals,
    )

"""`videmo charts`: pictures of videos, of respondents, or of groups of respondents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.aggregate import ChartFormat, choose_signals, require_study
from videmo.cli.timelines import BaselineBy, Bridge, Person, Signals, Smooth, Who, read_options


def charts(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the charts go.")],
    by: Annotated[str, typer.Option(metavar="WHAT", help="video, respondent, or a column of the study.")] = "video",
    form: Annotated[ChartFormat, typer.Option("--format", help="PNG or SVG.")] = ChartFormat.PNG,
    signals: Signals = None,
    epoch: Annotated[str, typer.Option(metavar="TIME", help="Length of the epochs.")] = "1s",
    smooth: Smooth = "none",
    bridge: Bridge = "0.5s",
    person: Who = Person.LARGEST,
) -> None:
    """Draw who showed what when: of each video, of each respondent, or mean curves, heat maps and ribbons of groups.

    Charts of videos show every track as it was measured: the options from --signal on are for the others.
    """
    from videmo.findings.aggregate import mean_curves, require_name
    from videmo.findings.charts import write_chart
    from videmo.findings.group_charts import write_group_charts, write_respondent_charts
    from videmo.findings.tables import Run
    from videmo.findings.timelines import build_timelines

    run = Run(folder)
    labels = run.labels  # there are some where a video is finished: else this says so
    if by == "video":
        for video_id in run.video_ids:
            typer.echo(write_chart(folder, video_id, folder=out, form=form.value))
        return
    require_name("column of the study", by, ["video", *require_study(run).columns])
    names = choose_signals(run, signals)
    wanted = tuple(dict.fromkeys([*labels, *names]))
    epochs = build_timelines(run, read_options(smooth, bridge, epoch, None, BaselineBy.TRACK, person, wanted))
    if by == "respondent":
        paths = write_respondent_charts(epochs, labels, out, form=form.value)
    else:
        paths = write_group_charts(epochs, labels, mean_curves(epochs, names, by=by), out, by=by, form=form.value)
    for path in paths:
        typer.echo(path)

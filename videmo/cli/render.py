"""`videmo render`: the annotated videos again, without inference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.values import Hide
from videmo.errors import UsageError


def render(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    video: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this video; may be repeated.")] = None,
    anonymize: Annotated[Hide | None, typer.Option(help="Hide the faces.")] = None,
    visible: Annotated[
        list[str] | None, typer.Option("--except", metavar="NAME", help="But not this identity's; may be repeated.")
    ] = None,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Write id and expression at each box.")] = True,
) -> None:
    """Draw the annotated videos again from the tables of a run; no model runs."""
    from videmo.analysis import render as run

    if visible and not anonymize:
        raise UsageError("--except says whose faces stay visible: say with --anonymize how the others are hidden")
    if anonymize and _is_sampled(folder):
        typer.echo(
            "note: this run skipped frames: a face that shows only between analysed frames is not hidden", err=True
        )
    paths = run(
        folder,
        video or (),
        anonymize=anonymize.value if anonymize else None,
        visible=visible or (),
        labels_shown=labels,
    )
    for path in paths:
        typer.echo(path)


def _is_sampled(folder: Path) -> bool:
    from videmo.findings.tables import Run

    run = Run(folder)
    settings = [run.settings(video_id) for video_id in run.video_ids]
    return any(setting.fps is not None or setting.stride > 1 for setting in settings)

"""`videmo render`: the annotated videos again, without inference."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Hide(StrEnum):
    """How faces are hidden."""

    BLUR = "blur"
    PIXELATE = "pixelate"
    BOX = "box"


def render(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    video: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this video; may be repeated.")] = None,
    anonymize: Annotated[Hide | None, typer.Option(help="Hide all faces.")] = None,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Write id and expression at each box.")] = True,
) -> None:
    """Draw the annotated videos again from the tables of a run; no model runs."""
    from videmo.analysis import render as run

    if anonymize and _is_sampled(folder):
        typer.echo("note: this run skipped frames: a face that moves between analysed frames may show", err=True)
    for path in run(folder, video or (), anonymize=anonymize.value if anonymize else None, labels_shown=labels):
        typer.echo(path)


def _is_sampled(folder: Path) -> bool:
    from videmo.findings.tables import Run

    run = Run(folder)
    settings = [run.settings(video_id) for video_id in run.video_ids]
    return any(setting.fps is not None or setting.stride > 1 for setting in settings)

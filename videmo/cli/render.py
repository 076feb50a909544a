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
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Draw boxes, ids and expressions.")] = True,
) -> None:
    """Draw the annotated videos again from the tables of a run; no model runs."""
    from videmo.analysis import render as run

    for path in run(folder, video or (), anonymize=anonymize.value if anonymize else None, labels_shown=labels):
        typer.echo(path)

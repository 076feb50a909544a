"""`videmo export`: a run in the formats of other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class To(StrEnum):
    """A format of another program."""

    CSV = "csv"
    JSONL = "jsonl"
    ELAN = "elan"
    SRT = "srt"
    OPENFACE = "openface"
    PYFEAT = "pyfeat"
    SPSS = "spss-friendly-csv"


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    to: Annotated[To, typer.Option("--to", help="The format.")],
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to; else DIR/export/FORMAT.")] = None,
    video: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only this video; may be repeated.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write a run for other programs; what a format cannot hold is told on stderr."""
    from videmo.findings.export import FORMATS
    from videmo.findings.export import export as run
    from videmo.findings.tables import Run

    paths = run(Run(folder), to.value, output, video or (), overwrite=overwrite)
    for note in FORMATS[to].notes:
        typer.echo(f"note: {note}", err=True)
    for path in paths:
        typer.echo(path)

"""`videmo report`: one page about a run that opens anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.extras import require_extra


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    output: Annotated[Path | None, typer.Option(help="The page; DIR/report.html if not given.")] = None,
    by: Annotated[str, typer.Option(help="Column of the study that makes the groups to compare.")] = "condition",
) -> None:
    """Write one HTML file with quality, timelines beside the videos, segments, moments, groups and methods."""
    with require_extra("report"):
        from videmo.findings.report.page import write_report
    from videmo.findings.tables import Run

    typer.echo(write_report(Run(folder), output, by=by))

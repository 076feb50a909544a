"""`videmo identities`: who the tracks of a run are, as people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.formats import Format, require_output, write_rows
from videmo.errors import UsageError


def identities(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    decisions: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Name tracks: video_id, track_id, identity[, start_s, end_s].")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the decisions back.")] = False,
    template: Annotated[
        Path | None, typer.Option("--write-template", metavar="CSV", help="Write the tracks to be named, and end.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; needed for parquet.")] = None,
) -> None:
    """List the tracks of a run; name, merge or split them, in the findings and in `videmo render`."""
    from videmo.findings.decisions import clear_decisions, list_tracks, store_decisions, write_template
    from videmo.findings.tables import Run

    if sum((decisions is not None, clear, template is not None)) > 1:
        raise UsageError("--decisions, --clear and --write-template exclude each other: choose one")
    if template and (output or form is not Format.TABLE):
        raise UsageError("--write-template writes only the template: leave out --format and --output")
    require_output(form, output)
    run = Run(folder)
    if template:
        write_template(run, template)
        typer.echo(template)
        return
    if clear:
        clear_decisions(run)
    if decisions:
        store_decisions(run, decisions)
    write_rows(list_tracks(run), form, output)

"""`videmo verify`: is a run still what it was?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videmo.cli.formats import Format, require_output, write_rows
from videmo.errors import VidemoError

if TYPE_CHECKING:
    import pandas as pd


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; needed for parquet.")] = None,
) -> None:
    """Hash inputs, presets and outputs of a run again and say what changed; exit code 1 where something did."""
    require_output(form, output)
    from videmo.analysis.verification import verify as run

    checks = run(folder)
    write_rows(checks, form, output, _tell)
    if checks["harms"].any():
        raise typer.Exit(VidemoError.exit_code)


def _tell(checks: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each thing that is not as it was, then the counts."""
    for check in checks[checks["status"] != "unchanged"].itertuples():
        yield f"{check.status}: {check.kind} {check.name}: {check.cause}"
    counts = checks.groupby(["kind", "status"]).size()
    for kind in checks["kind"].unique():
        yield f"{kind}s: " + ", ".join(f"{number} {status}" for status, number in counts[kind].items())

"""`videmo`: the commands, and what every one of them does with errors."""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import traceback
from typing import Annotated

import typer

import videmo
from videmo.cli import (
    aggregate,
    analyze,
    charts,
    data,
    demo,
    doctor,
    evaluate,
    export,
    identities,
    models,
    moments,
    predict,
    render,
    report,
    summarize,
    timelines,
    train,
    tune,
    verify,
)
from videmo.cli.signals import exit_code, stopped_by_signals
from videmo.errors import VidemoError

VERBOSE = {"-v", "--verbose"}

app = typer.Typer(
    name="videmo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Who showed which facial expression when: videos in, tables, annotated videos and charts out.",
    epilog="Exit codes: 0 all done, 1 run stopped, 2 wrong usage, 3 some videos failed, 130 and 143 interrupted.",
)
app.command("analyze")(analyze.analyze)
app.command("predict")(predict.predict)
app.command("render")(render.render)
app.command("tune")(tune.tune)
app.command("summarize")(summarize.summarize)
app.command("timelines")(timelines.timelines)
app.command("moments")(moments.moments)
app.command("aggregate")(aggregate.aggregate)
app.command("charts")(charts.charts)
app.command("report")(report.report)
app.command("identities")(identities.identities)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"videmo {videmo.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the traceback of an error.")] = False,
) -> None:
    """Hold the options that every command has; `main` takes --verbose out before they are read."""


def main() -> None:
    """Run the command line; an error becomes one line on stderr and its exit code."""
    # Keras would read its settings from the home folder, or write them there; no result is to depend on them.
    os.environ.setdefault("KERAS_HOME", os.devnull)
    # Else Python looks at every object once more before it ends, for a third of a second after a run.
    atexit.register(gc.freeze)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Else a name that it cannot spell ends a finished run with an error; stderr does so of itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    verbose = bool(VERBOSE & set(sys.argv))
    sys.argv = [argument for argument in sys.argv if argument not in VERBOSE]  # it may stand anywhere
    try:
        with stopped_by_signals():
            app()
    except KeyboardInterrupt:
        sys.exit(exit_code(signal.SIGINT))
    except VidemoError as error:
        if verbose:
            traceback.print_exception(error)
        typer.echo(f"videmo: {error}", err=True)
        sys.exit(error.exit_code)

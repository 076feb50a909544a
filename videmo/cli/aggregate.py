"""`videmo aggregate`: many respondents as one curve, groups compared, and how alike respondents are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videmo.cli.formats import Format, format_rows, require_output, show_notes, write_rows
from videmo.cli.timelines import Baseline, BaselineBy, Bridge, By, Person, Signals, Smooth, Who, read_options
from videmo.cli.values import parse_names
from videmo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from videmo.findings.tables import Run


class ChartFormat(StrEnum):
    """What charts are made of."""

    PNG = "png"
    SVG = "svg"


class Table(StrEnum):
    """What there is to write."""

    CURVES = "curves"
    COMPARISON = "comparison"
    SYNCHRONY = "synchrony"
    RESPONDENTS = "respondents"


Permutations = Annotated[int, typer.Option(min=1, help="Of each test.")]
Charts = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Draw curves, heat maps and ribbons, too.")]
Output = Annotated[Path | None, typer.Option(metavar="PATH", help="FILE.csv|json|parquet with --table, or a folder.")]


def aggregate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run with a study (--manifest).")],
    by: Annotated[str | None, typer.Option(metavar="COLUMN", help="Groups to compare, e.g. condition.")] = None,
    signals: Signals = None,
    epoch: Annotated[str, typer.Option(metavar="TIME", help="Length of the epochs.")] = "1s",
    smooth: Smooth = "none",
    bridge: Bridge = "0.5s",
    baseline: Baseline = None,
    baseline_by: By = BaselineBy.TRACK,
    person: Who = Person.LARGEST,
    permutations: Permutations = 2000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 0,
    charts: Charts = None,
    chart_format: Annotated[ChartFormat, typer.Option(help="Of the charts.")] = ChartFormat.PNG,
    table: Annotated[Table | None, typer.Option(help="Only this table.")] = None,
    form: Annotated[Format | None, typer.Option("--format", help="Output format.")] = None,
    output: Output = None,
) -> None:
    """Give mean curves over respondents on stimulus time, where groups differ, and how alike respondents are.

    Curves have bands of 95 %, from 3 respondents. Groups are compared with cluster-based permutation tests. With a
    baseline, the changes from it are analysed.
    """
    from videmo.findings.aggregate import require_name
    from videmo.findings.baseline import CHANGE
    from videmo.findings.tables import Run
    from videmo.findings.timelines import build_timelines

    form, one_file = _choose_form(form, table, output)
    if table is Table.COMPARISON and by is None:
        raise UsageError("--table comparison: groups are compared with --by COLUMN")
    run = Run(folder)
    study = require_study(run)
    if by is not None:
        require_name("column of the study", by, study.columns)
    names = choose_signals(run, signals)
    wanted = tuple(dict.fromkeys([*names, *(run.labels if charts else ())]))
    options = read_options(smooth, bridge, epoch, baseline, baseline_by, person, wanted)
    epochs = build_timelines(run, options)
    names = [f"{name}{CHANGE}" for name in names] if baseline else names
    tables = _analyse(epochs, names, by, permutations, seed)
    show_notes(epochs, *tables.values())
    if charts:
        from videmo.findings.group_charts import write_group_charts

        curves, compared = tables[Table.CURVES], tables.get(Table.COMPARISON)
        write_group_charts(epochs, run.labels, curves, charts, by=by, comparison=compared, form=chart_format.value)
    _write(tables, table, form, output, one_file=one_file)


def _analyse(
    epochs: pd.DataFrame, signals: list[str], by: str | None, permutations: int, seed: int
) -> dict[Table, pd.DataFrame]:
    """Return the tables; raises UsageError where too few respondents leave nothing to say."""
    from videmo.findings.aggregate import mean_curves
    from videmo.findings.comparison import compare_groups
    from videmo.findings.synchrony import synchrony

    alike, respondents = synchrony(epochs, signals, by=by, permutations=permutations, seed=seed)
    if alike.empty:
        raise UsageError(
            "fewer than 3 usable respondents in every group and stimulus: nothing to aggregate; `videmo timelines` "
            "gives each of them"
        )
    tables = {Table.CURVES: mean_curves(epochs, signals, by=by, seed=seed)}
    if by is not None:
        tables[Table.COMPARISON] = compare_groups(epochs, signals, by=by, permutations=permutations, seed=seed)
    return tables | {Table.SYNCHRONY: alike, Table.RESPONDENTS: respondents}


def require_study(run: Run) -> pd.DataFrame:
    """Return the study of a run; raises UsageError, with the way to one, where it has none."""
    study = run.study()
    if study.empty:
        raise UsageError(
            f"{run.out}: no study in this run, so nobody knows who watched what: "
            f"`videmo analyze ... --out {run.out} --resume --manifest study.csv` adds it"
        )
    return study


def choose_signals(run: Run, names: list[str] | None) -> list[str]:
    """Return the signals named, each once; without any the expressions but neutral, and expressiveness."""
    from videmo.findings.affect import AFFECT

    others = [label for label in run.labels if label != "neutral"]
    return list(parse_names(names) or [*others, *(AFFECT[:1] if "neutral" in run.labels else ())])


def _choose_form(form: Format | None, table: Table | None, output: Path | None) -> tuple[Format, bool]:
    """Return how to write, and whether to write one table: to stdout, or to the file that `output` then is."""
    endings = {f".{name.value}": name for name in Format if name is not Format.TABLE}
    ending = endings.get(output.suffix.lower()) if output else None
    one_file = ending is not None
    if output and form and form not in ((ending,) if ending else endings.values()):
        raise UsageError(f"--output {output} cannot be of --format {form}: leave one of them out")
    form = form or ending or (Format.CSV if output else Format.TABLE)
    if table is None and (one_file or (output is None and form is not Format.TABLE)):
        choices = ", ".join(Table)
        raise UsageError(f"one file holds one table: choose it with --table ({choices}), or give --output FOLDER")
    require_output(form, output)
    return form, one_file


def _write(
    tables: Mapping[Table, pd.DataFrame], only: Table | None, form: Format, output: Path | None, *, one_file: bool
) -> None:
    from videmo.findings.aggregate import highest_means

    text = partial(format_rows, none="nothing to show")
    for name, rows in tables.items():
        if only not in (None, name):
            continue
        if output is not None:
            write_rows(rows, form, output if one_file else output / f"{name}.{form}", text)
        elif only is not None:
            write_rows(rows, form, None, text)
        elif name is not Table.RESPONDENTS:
            typer.echo(f"\n{name}")
            write_rows(highest_means(rows) if name is Table.CURVES else rows, form, None, text)

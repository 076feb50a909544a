"""`videmo evaluate`: presets → figures under named protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli import evaluate_detector
from videmo.cli.extras import require_extra
from videmo.cli.values import require_folder
from videmo.presets import find_preset

app = typer.Typer(help="Measure models on labelled pictures.", no_args_is_help=True)
app.command()(evaluate_detector.detector)


@app.command()
def emotion(
    preset: Annotated[str, typer.Argument(help="Name or folder of an expression preset.")],
    data: Annotated[Path, typer.Argument(help="Labelled faces; the layouts are in `videmo data check --help`.")],
    out: Annotated[Path | None, typer.Option(help="Folder for metrics.json, charts and evaluation.html.")] = None,
    compare: Annotated[
        list[str] | None, typer.Option(metavar="PRESET", help="Measure it on the same faces; may be repeated.")
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Measure also the mean over the face and its mirror.")] = False,
    embeddings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Parquet file for the features of every face.")
    ] = None,
    split_list: Annotated[
        Path | None, typer.Option("--splits", help="splits.csv of `videmo data check`: what to keep, and where.")
    ] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for decoded pictures.")] = None,
) -> None:
    """Measure an expression classifier on validation and test faces, with and without duplicates of training faces."""
    require_folder(out)
    from videmo.inference.device import set_up_device

    set_up_device("auto")  # first of all, so that Keras starts in silence
    with require_extra("train"):
        from videmo.training.emotion.evaluation import PAGE, evaluate_presets
        from videmo.training.emotion.evaluation_tables import tabulate_differences, tabulate_headline

    presets = [find_preset(name, "emotion") for name in (preset, *(compare or []))]
    report = evaluate_presets(data, presets, flip=flip, work=work, split_list=split_list)
    # Side by side one split suffices; the page has all.
    splits = (report.main_split,) if report.comparisons else ("valid", "test")
    shown = tabulate_headline(report.evaluations, splits, intervals=("accuracy", "balanced_accuracy"))
    typer.echo("\n".join(shown.lines()))
    if report.comparisons:
        typer.echo(f"\nwhat each has over {report.evaluations[0].name}; p of McNemar's test")
        typer.echo("\n".join(tabulate_differences(report.evaluations, report.comparisons, splits).lines()))
    if out:
        report.write(out)
        typer.echo(f"wrote {out / PAGE}")
    if embeddings:
        from videmo.training.emotion.dataset import read_faces
        from videmo.training.emotion.embeddings import write_embeddings

        side_px = presets[0].side_px
        faces = read_faces(data, work=work, side_px=side_px, split_list=split_list)
        count, features = write_embeddings(presets[0], faces, embeddings)
        typer.echo(f"wrote {embeddings}: {count:,} faces, {features} features each")

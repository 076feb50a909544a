"""`videmo train`: labelled pictures → presets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli import train_detector
from videmo.cli.extras import require_extra

app = typer.Typer(help="Train models of your own.", no_args_is_help=True)
app.command()(train_detector.detector)


@app.command()
def emotion(
    data: Annotated[Path, typer.Argument(help="FER+ folder or zip: FER2013Train/label.csv …, fer2013_labels.csv.")],
    out: Annotated[Path, typer.Option(help="Preset to write, with FER+'s eight labels: models/NAME.")],
    fer2013_out: Annotated[Path | None, typer.Option(help="Preset to write as well, with FER2013's seven.")] = None,
    arch: Annotated[str, typer.Option(help="Network.")] = "resnet",
    epochs: Annotated[int, typer.Option(help="Length of the training, unless --minutes is given.")] = 60,
    minutes: Annotated[float | None, typer.Option(help="Length of the training on the clock.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints, curves and decoded pictures.")] = Path(".work"),
    resume: Annotated[bool, typer.Option("--resume", help="Continue after the last whole epoch.")] = False,
) -> None:
    """Train an expression classifier on FER+ votes and FER2013 labels together."""
    with require_extra("train"):
        from videmo.training.curves import draw_history
        from videmo.training.emotion.dataset import read_faces, training_faces
        from videmo.training.emotion.export import export_preset
        from videmo.training.emotion.fit import CURVES, Training
        from videmo.training.emotion.recipe import Recipe
        from videmo.training.loop import Row

    def report(row: Row) -> None:
        typer.echo("  ".join(f"{name} {value:.4g}" for name, value in row.items()))

    splits = read_faces(data, work=work)
    recipe = Recipe(arch=arch, epochs=epochs, minutes=minutes, seed=seed)
    training = Training(recipe, training_faces(splits), splits["valid"], work / out.name)
    if resume:
        training.resume()
    training.run(report)
    draw_history(training.history, training.folder / "curves.png", CURVES)
    for head, folder in (("ferplus", out), ("fer2013", fer2013_out)):
        if folder:
            export_preset(training.folder, head, splits, folder)
            typer.echo(f"wrote {folder}: what it can and cannot do is in {folder / 'README.md'}")

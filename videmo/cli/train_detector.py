"""`videmo train detector`: pictures with boxed faces → a preset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videmo.cli.extras import require_extra
from videmo.cli.values import require_folder

if TYPE_CHECKING:
    from videmo.training.detector.recipe import Recipe


def detector(
    data: Annotated[Path, typer.Argument(help="COCO folder or zip (annotations/train.json …), or WIDER FACE folder.")],
    out: Annotated[Path, typer.Option(help="Preset to write: models/NAME.")],
    extra: Annotated[
        Path | None, typer.Option(help="COCO folder or zip with large faces and face-free pictures to learn from.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Length of the training, unless --minutes is given.")] = 60,
    minutes: Annotated[float | None, typer.Option(help="Length of the training on the clock.")] = None,
    learning_rate: Annotated[
        float, typer.Option(help="Highest learning rate; less to go on from earlier weights.")
    ] = 8e-3,
    gentle: Annotated[
        float, typer.Option(help="Share of the training at its end with few mosaics and mild changes; 1 to refine.")
    ] = 0.5,
    size: Annotated[str, typer.Option(help="full, or slim for three quarters of the cost.")] = "full",
    init: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="Start with its weights; slim keeps what matters most."),
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(metavar="PRESET", help="Distil: its answers count half, beside the labels.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints and curves.")] = Path(".work"),
    start_from: Annotated[
        Path | None, typer.Option(help="best.npz of an earlier training to go on from with a new schedule.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue after the last whole epoch.")] = False,
) -> None:
    """Train a face detector on pictures with boxed faces."""
    require_folder(out)
    with require_extra("train"):
        from videmo.training.detector.recipe import Recipe

    recipe = Recipe(
        epochs=epochs,
        minutes=minutes,
        learning_rate=learning_rate,
        gentle=gentle,
        seed=seed,
        size=size,
        init=init,
        teacher=teacher,
    )
    _train(recipe, data, extra, out, work / out.name, start_from=start_from, resume=resume)


def _train(
    recipe: Recipe, data: Path, extra: Path | None, out: Path, work: Path, *, start_from: Path | None, resume: bool
) -> None:
    """Train in the folder `work`, then write the preset `out`."""
    with require_extra("train"):
        from videmo.cli.epochs import train_in_sight
        from videmo.training.curves import draw_history
        from videmo.training.detector.dataset import read_pictures
        from videmo.training.detector.export import export_preset
        from videmo.training.detector.fit import PANELS, Training

    valid = read_pictures(data, "val")
    more = read_pictures(extra, "train") if extra else []
    training = Training(recipe, read_pictures(data, "train"), more, valid, work)
    if start_from:
        training.start_from(start_from)
    if resume:
        training.resume()
    train_in_sight(training)
    draw_history(training.history, training.folder / "curves.png", PANELS)
    export_preset(training.folder, valid, out)
    typer.echo(f"wrote {out}: what it can and cannot do is in {out / 'README.md'}")

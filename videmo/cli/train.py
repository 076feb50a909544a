"""`videmo train`: labelled pictures → presets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videmo.cli import train_detector, train_ensemble
from videmo.cli.extras import require_extra
from videmo.cli.values import require_folder
from videmo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from videmo.training.emotion.dataset import LabelledFaces
    from videmo.training.emotion.recipe import Recipe

app = typer.Typer(help="Train models of your own.", no_args_is_help=True)
app.command()(train_detector.detector)
app.command()(train_ensemble.ensemble)


@app.command()
def emotion(
    data: Annotated[Path, typer.Argument(help="Labelled faces; the layouts are in `videmo data check --help`.")],
    out: Annotated[Path, typer.Option(help="Preset to write, with FER+'s eight labels: models/NAME.")],
    fer2013_out: Annotated[Path | None, typer.Option(help="Preset to write as well, with FER2013's seven.")] = None,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="TOML file; options given here go before it.")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            help="cnn4, mini_xception, vgg13, resnet (the default), face_resnet, efficientnet, efficientnet_lite or "
            "convnext."
        ),
    ] = None,
    width: Annotated[float | None, typer.Option(help="Multiplier of the network's channels.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Length of the training (60), unless --minutes is given.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Length of the training on the clock.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest learning rate (0.003; 0.001 for vgg13 and convnext).")
    ] = None,
    init: Annotated[str | None, typer.Option(metavar="PRESET", help="Fine-tune: start with its weights.")] = None,
    teacher: Annotated[
        list[str] | None, typer.Option(metavar="PRESET", help="Distil: learn its answers too; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random (0).")] = None,
    split_list: Annotated[
        Path | None, typer.Option("--splits", help="splits.csv of `videmo data check`: what to keep, and where.")
    ] = None,
    augmentation_sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Picture to write first: what augmentation makes of faces.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints, curves and decoded pictures.")] = Path(".work"),
    resume: Annotated[bool, typer.Option("--resume", help="Continue after the last whole epoch.")] = False,
) -> None:
    """Train an expression classifier on FER+ votes and FER2013 labels together.

    The best epoch on validation faces is kept. All that a recipe can say is in videmo/training/emotion/recipe.py.
    """
    _prepare(out, fer2013_out)
    with require_extra("train"):
        from videmo.training.emotion.dataset import read_faces

        options = {"width": width, "learning_rate": learning_rate, "init": init, "seed": seed}
        recipe = read_options(recipe_file, arch, epochs, minutes, teachers=tuple(teacher or ()) or None, **options)
    splits = read_faces(data, work=work, side_px=recipe.side_px, split_list=split_list)
    if augmentation_sheet:
        _draw_sheet(recipe, splits["train"], augmentation_sheet)
    _train(recipe, splits, {"ferplus": out, "fer2013": fer2013_out}, work / out.name, resume=resume)


def _prepare(out: Path, fer2013_out: Path | None) -> None:
    """Set Keras up; raises UsageError where a preset has no folder to go to, or none of its own."""
    require_folder(out)
    require_folder(fer2013_out, "--fer2013-out")
    if fer2013_out and fer2013_out.resolve() == out.resolve():
        raise UsageError(f"--out and --fer2013-out are both {out}: give each preset a folder of its own")
    from videmo.inference.device import set_up_device

    set_up_device("auto")  # first of all, so that Keras starts in silence


def _draw_sheet(recipe: Recipe, train: LabelledFaces, path: Path) -> None:
    from videmo.training.emotion.sheet import draw_augmentation

    draw_augmentation(train.images, recipe.augmentation, recipe.side_px, path, seed=recipe.seed)
    typer.echo(f"wrote {path}")


def _train(
    recipe: Recipe, splits: dict[str, LabelledFaces], outs: Mapping[str, Path | None], work: Path, *, resume: bool
) -> None:
    """Train in the folder `work`, then write a preset for each head that has a folder."""
    with require_extra("train"):
        from videmo.cli.epochs import train_in_sight
        from videmo.training.curves import draw_history
        from videmo.training.emotion.dataset import training_faces
        from videmo.training.emotion.export import check_measurable, export_preset
        from videmo.training.emotion.fit import CURVES, Training

    for head in (head for head, folder in outs.items() if folder):
        check_measurable(splits, head)
    training = Training(recipe, training_faces(splits), splits["valid"], work)
    if resume:
        training.resume()
    elif training.started_with:
        typer.echo(training.started_with)
    train_in_sight(training)
    draw_history(training.history, work / "curves.png", CURVES)
    for head, folder in outs.items():
        if folder:
            export_preset(work, head, splits, folder)
            typer.echo(f"wrote {folder}: what it can and cannot do is in {folder / 'README.md'}")


def read_options(
    path: Path | None, arch: str | None, epochs: int | None, minutes: float | None, **options: Any
) -> Recipe:
    """Return the recipe of a file, or the standard one, with the options that are not None on top."""
    from dataclasses import replace

    from videmo.training.emotion.recipe import Recipe, standard_recipe
    from videmo.training.emotion.recipe_file import read_recipe

    recipe = read_recipe(path, arch) if path else standard_recipe(arch or Recipe().arch)
    if epochs is not None:
        recipe = replace(recipe, epochs=epochs, minutes=None)
    given = {"arch": arch, "minutes": minutes, **options}
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})

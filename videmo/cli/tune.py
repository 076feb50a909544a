"""`videmo tune`: labelled pictures → a better recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.extras import require_extra
from videmo.cli.train import read_options
from videmo.errors import UsageError


def tune(
    data: Annotated[Path, typer.Argument(help="Labelled faces; the layouts are in `videmo data check --help`.")],
    minutes: Annotated[float, typer.Option(min=0, help="Length of the search.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Recipe to write (.toml); the trials go beside it, .csv.")],
    trial_minutes: Annotated[float, typer.Option(min=0.01, help="Length of each trial's training.")] = 5.0,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="TOML file of the recipe to start with.")
    ] = None,
    arch: Annotated[str | None, typer.Option(help="Network, as in `videmo train emotion`.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random (0).")] = None,
    split_list: Annotated[
        Path | None, typer.Option("--splits", help="splits.csv of `videmo data check`: what to keep, and where.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Folder for trials and decoded pictures.")] = Path(".work"),
) -> None:
    """Search for a better recipe of `videmo train emotion`: each trial is a short training; the best one is written.

    Tried are learning rate, weight decay, dropout, width, the strengths of class balancing and of augmentation.
    """
    if out.suffix.lower() != ".toml":
        raise UsageError(f"--out {out}: expected a name that ends in .toml; the table of the trials gets .csv")
    from videmo.inference.device import set_up_device

    set_up_device("auto")  # first of all, so that Keras starts in silence
    with require_extra("tune"):
        from videmo.cli.epochs import show_row
        from videmo.training.emotion import tuning
        from videmo.training.emotion.dataset import read_faces, training_faces

    recipe = read_options(recipe_file, arch, None, None, seed=seed)
    splits = read_faces(data, work=work, side_px=recipe.side_px, split_list=split_list)
    budget = tuning.Budget(minutes=minutes, trial_minutes=trial_minutes)
    folder = work / out.stem
    tuning.tune(recipe, training_faces(splits), splits["valid"], budget, out=out, work=folder, on_trial=show_row)
    typer.echo(f"wrote {out} and {out.with_suffix('.csv')}: train with --recipe {out}")

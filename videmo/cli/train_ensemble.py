"""`videmo train ensemble`: several presets → one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli.extras import require_extra
from videmo.cli.values import require_folder
from videmo.presets import find_preset


def ensemble(
    presets: Annotated[list[str], typer.Argument(metavar="PRESET...", help="Two or more, of equal labels and input.")],
    out: Annotated[Path, typer.Option(help="Preset to write: models/NAME.")],
    data: Annotated[
        Path | None, typer.Option(help="Labelled faces, to fit its temperature and to write its card.")
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Ask each about the mirrored face as well; then one PRESET will do.")
    ] = False,
    work: Annotated[Path | None, typer.Option(help="Folder for decoded pictures.")] = None,
) -> None:
    """Average expression presets: one preset whose network gives the mean of their probabilities."""
    require_folder(out)
    from videmo.inference.device import set_up_device

    set_up_device("auto")  # first of all, so that Keras starts in silence
    with require_extra("train"):
        from videmo.training.emotion.dataset import read_faces
        from videmo.training.emotion.ensemble import write_ensemble

    members = [find_preset(name, "emotion") for name in presets]
    side_px = members[0].side_px
    splits = read_faces(data, work=work, side_px=side_px) if data else None
    written = write_ensemble(members, out, splits, mirror=mirror)
    card = f"what it can and cannot do is in {out / 'README.md'}" if data else "with --data it gets a card"
    typer.echo(f"wrote {out}: {written.config['parameters']:,} parameters; {card}")

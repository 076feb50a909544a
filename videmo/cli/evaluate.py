"""`videmo evaluate`: presets → figures under named protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.cli import evaluate_detector
from videmo.cli.extras import require_extra
from videmo.presets import find_preset

app = typer.Typer(help="Measure models on labelled pictures.", no_args_is_help=True)
app.command()(evaluate_detector.detector)

_COLUMNS = ("n", "accuracy", "balanced_accuracy", "balanced_accuracy_shared", "macro_f1", "ece")


@app.command()
def emotion(
    preset: Annotated[str, typer.Argument(help="Name or folder of an expression preset.")],
    data: Annotated[Path, typer.Argument(help="FER+ folder or zip.")],
    out: Annotated[Path | None, typer.Option(help="JSON file for all figures, those of each class included.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder for decoded pictures.")] = None,
) -> None:
    """Measure an expression classifier on the validation and test faces of FER+ and FER2013."""
    with require_extra("train"):
        from videmo.training.emotion.dataset import read_faces
        from videmo.training.emotion.evaluate import evaluate
        from videmo.training.tables import write_json

    found = find_preset(preset, "emotion")
    results = evaluate(found, read_faces(data, work=work))
    for result in results:
        kind = "deduplicated" if result["deduplicated"] else "standard"
        figures = "  ".join(f"{name} {result[name]:g}" for name in _COLUMNS)
        typer.echo(f"{result['protocol']:17} {result['split']:6} {kind:13} {figures}")
    if out:
        write_json(out, {"weights_sha256": found.sha256, "results": results})

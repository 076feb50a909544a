"""`videmo models`: the presets there are and what their cards say."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from videmo.errors import PresetError
from videmo.presets import list_presets, model_folders

app = typer.Typer(help="List and show the model presets.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the presets: name, task, size, labels."""
    for preset in list_presets():
        size_mb = preset.weights.stat().st_size / 1e6 if preset.weights.is_file() else 0.0
        typer.echo(f"{preset.name:<24}{preset.task:<10}{size_mb:6.1f} MB  {' '.join(preset.labels)}")
    typer.echo(f"searched: {', '.join(str(folder) for folder in model_folders()) or 'no folder found'}", err=True)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="Preset.")],
    config: Annotated[bool, typer.Option("--config", help="Show config.json instead of the card.")] = False,
) -> None:
    """Show the card of a preset: data, protocol, figures, intended and forbidden use."""
    found = {preset.name: preset for preset in list_presets()}
    if name not in found:
        raise PresetError(f"unknown preset {name!r}: known are {', '.join(found) or 'none'}")
    preset = found[name]
    card = preset.folder / "README.md"
    if config or not card.is_file():
        typer.echo(json.dumps(preset.config, indent=2))
    else:
        typer.echo(card.read_text(encoding="utf-8"))

"""`videmo models`: the presets there are and what their cards say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from videmo.errors import PresetError
from videmo.presets import Preset, list_presets, model_folders, read_preset

app = typer.Typer(help="List and show the model presets.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the presets: name, task, size, labels."""
    for preset in list_presets():
        size_mb = preset.weights.stat().st_size / 1e6 if preset.weights.is_file() else 0.0
        typer.echo(f"{preset.name:<24}{preset.task:<10}{size_mb:6.1f} MB  {' '.join(preset.labels)}")
    typer.echo(f"searched: {', '.join(str(folder) for folder in model_folders()) or 'no folder found'}", err=True)


@app.command("export")
def export_model(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="Name or folder of the preset.")],
) -> None:
    """Add the network for OpenVINO, the fast runtime on CPUs, to a preset that lacks it."""
    found = _find(name)
    from videmo.inference.device import set_up_device
    from videmo.inference.keras_network import load_model
    from videmo.inference.openvino_export import write_openvino
    from videmo.training.tables import write_json

    set_up_device("cpu")
    entry = write_openvino(load_model(found.check_weights()), found.folder)
    write_json(found.folder / "config.json", {**found.config, "openvino": entry})
    typer.echo(f"wrote {found.folder / str(entry['file'])}")


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="Name or folder of the preset.")],
    config: Annotated[bool, typer.Option("--config", help="Show config.json instead of the card.")] = False,
) -> None:
    """Show the card of a preset: data, protocol, figures, intended and forbidden use."""
    preset = _find(name)
    card = preset.folder / "README.md"
    if config or not card.is_file():
        typer.echo(json.dumps(preset.config, indent=2))
    else:
        typer.echo(card.read_text(encoding="utf-8"))


def _find(name: str) -> Preset:
    """Return the preset of any task called `name`, or else the one in the folder `name`."""
    found = {preset.name: preset for preset in list_presets()}
    if name in found:
        return found[name]
    if (Path(name) / "config.json").is_file():
        return read_preset(Path(name))
    raise PresetError(f"unknown preset {name!r}: known are {', '.join(found) or 'none'}")

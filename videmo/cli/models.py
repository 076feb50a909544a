"""`videmo models`: the presets there are and what their cards say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from videmo.cli.extras import require_extra
from videmo.errors import PresetError, UsageError
from videmo.presets import Preset, list_presets, model_folders, read_preset

app = typer.Typer(help="List and show the model presets.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the presets: name, task, size of the weights for all runtimes, labels."""
    for preset in list_presets():
        typer.echo(f"{preset.name:<24}{preset.task:<10}{preset.size_bytes / 1e6:6.1f} MB  {' '.join(preset.labels)}")
    typer.echo(f"searched: {', '.join(str(folder) for folder in model_folders()) or 'no folder found'}", err=True)


@app.command("export")
def export_model(
    name: Annotated[str, typer.Argument(metavar="PRESET", help="Name or folder of the preset.")],
    int8: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Let a detector compute in 8 bits; the ranges are those of these pictures."),
    ] = None,
) -> None:
    """Add the network for OpenVINO, the fast runtime on CPUs, to a preset that lacks it."""
    found = _find(name)
    from videmo.inference.device import set_up_device
    from videmo.inference.keras_network import load_model
    from videmo.inference.openvino_export import write_openvino
    from videmo.training.tables import write_json

    set_up_device("cpu")
    samples = None if int8 is None else _samples(found, int8)
    entry = write_openvino(load_model(found.check_weights()), found.folder, samples)
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


def _samples(preset: Preset, data: Path) -> list[Any]:
    """Return inputs of a detector to find the ranges of its values on."""
    if preset.task != "detection":
        raise UsageError(f"--int8 is for detectors: {preset.name} is for {preset.task}; leave it out")
    from videmo.inference.openvino_int8 import import_nncf

    with require_extra("int8"):
        import_nncf()
    with require_extra("train"):
        from videmo.training.detector.calibrate import calibration_pictures
        from videmo.training.detector.dataset import read_pictures

    return calibration_pictures(read_pictures(data, "train"))


def _find(name: str) -> Preset:
    """Return the preset of any task called `name`, or else the one in the folder `name`."""
    found = {preset.name: preset for preset in list_presets()}
    if name in found:
        return found[name]
    if (Path(name) / "config.json").is_file():
        return read_preset(Path(name))
    raise PresetError(f"unknown preset {name!r}: known are {', '.join(found) or 'none'}")

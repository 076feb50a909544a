"""`videmo doctor`: is everything here that an analysis needs, and what to do if not."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from videmo.errors import VidemoError

PACKAGES = (
    "tensorflow",
    "keras",
    "openvino",
    "opencv-python",
    "av",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "matplotlib",
)
Finding = tuple[bool, str]


def doctor(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that results would be written to.")] = Path(),
) -> None:
    """Check versions, devices, codecs, presets and write permission; say what to fix."""
    healthy = True
    checks = {"versions": _versions, "devices": _devices, "codecs": _codecs, "presets": _presets}
    for name, check in (checks | {"folder": lambda: _writable(out)}).items():
        for good, text in _examine(name, check):
            typer.echo(f"{'ok ' if good else 'FIX'}  {text}")
            healthy &= good
    typer.echo("all is well" if healthy else "mend the lines marked FIX")
    if not healthy:
        raise typer.Exit(1)


def _examine(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; what breaks it, such as a package that cannot be imported, is a finding too."""
    try:
        yield from check()
    except Exception as error:
        yield False, f"{name} cannot be checked: {type(error).__name__}: {error}"


def _versions() -> Iterator[Finding]:
    yield True, f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores"
    for package in PACKAGES:
        try:
            yield True, f"{package} {version(package)}"
        except PackageNotFoundError:
            yield False, f"{package} is missing: pip install {package}"


def _devices() -> Iterator[Finding]:
    from videmo.inference import choose_engine
    from videmo.inference.device import set_up_device

    device, engine = set_up_device("auto"), choose_engine("auto")
    yield True, f"device: {device}" + ("" if device == "gpu" else " (TensorFlow sees no GPU; the CPU will do)")
    yield True, f"runtime: {engine.runtime} on the {engine.device}"


def _codecs() -> Iterator[Finding]:
    import av

    encoders = {"libx264": "annotated videos", "aac": "their sound"}
    decoders = {"h264": "most recordings", "hevc": "phone recordings", "vp9": "browser recordings"}
    for name, purpose in (encoders | decoders).items():
        try:
            av.Codec(name, "w" if name in encoders else "r")
            yield True, f"codec {name} ({purpose})"
        except av.codec.codec.UnknownCodecError:
            yield False, f"codec {name} ({purpose}) is missing: pip install --force-reinstall av"


def _presets() -> Iterator[Finding]:
    from videmo.presets import list_presets

    presets = list_presets()
    if not presets:
        yield False, "no model preset found: reinstall videmo or set VIDEMO_MODELS"
    for preset in presets:
        yield _try(preset.check_weights, f"preset {preset.name}: sha256 {preset.sha256[:12]}")


def _try(check: Callable[[], object], text: str) -> Finding:
    try:
        check()
    except VidemoError as error:
        return False, str(error)
    return True, text


def _writable(out: Path) -> Iterator[Finding]:
    folder = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield True, f"{folder} can be written to"
    except OSError as error:
        yield False, f"{folder} cannot be written to ({error.strerror}): choose another folder"

"""Model folders: where they lie, what is in them, and whether they are what their card says.

A preset is a folder `<name>/` with config.json, the weights named there (for Keras, and as a rule a copy for OpenVINO),
metrics.json and README.md (the card). It is
looked for in the folders of `$VIDEMO_MODELS`, then inside the installed package, then beside it in a source checkout.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videmo.errors import PresetError
from videmo.filenames import is_plain

SCHEMA = 1
_MOST_PX = 4096


@dataclass(frozen=True, slots=True)
class Preset:
    """A model folder whose config has been read and checked; `config` keeps every field of config.json."""

    name: str
    folder: Path
    task: str
    labels: tuple[str, ...]
    sha256: str
    config: dict[str, Any]

    @property
    def weights(self) -> Path:
        """The file of the weights; raises PresetError when it is not to lie in the preset's folder."""
        return self._file(self.config["weights"])

    @property
    def size_bytes(self) -> int:
        """The size of the weights, for all runtimes together."""
        files = [self._file(self.config[part]) for part in ("weights", "openvino") if part in self.config]
        return sum(file.stat().st_size for file in files if file.is_file())

    @property
    def has_openvino(self) -> bool:
        """Whether the preset holds its network in the form for OpenVINO too."""
        return "openvino" in self.config

    def check_weights(self) -> Path:
        """Return the weights file after comparing its SHA-256 with the card; raises PresetError when it differs."""
        return self._check(self.weights, self.sha256)

    def check_openvino(self) -> Path:
        """Return the archive for OpenVINO after comparing its SHA-256; raises PresetError when it differs or lacks."""
        if not self.has_openvino:
            raise PresetError(
                f"preset {self.name} holds no network for OpenVINO: add it with `videmo models export {self.folder}`, "
                "or use --runtime keras"
            )
        entry = self.config["openvino"]
        return self._check(self._file(entry), str(entry["sha256"]))

    def version(self, runtime: str) -> str:
        """Return what names the numbers that `runtime` gives: the hash of the weights, of its own file if in 8 bits."""
        entry = self.config.get("openvino", {})
        coarse = runtime == "openvino" and entry.get("precision") == "int8"
        return str(entry["sha256"]) if coarse else self.sha256

    @property
    def side_px(self) -> int:
        """Side of the faces that an expression preset takes; raises PresetError when config.json does not say it."""
        return int(self.number("input.height_px", 1, _MOST_PX))

    def number(self, field: str, least: float, most: float) -> float:
        """Return a number of config.json, `a.b` for b within a; raises PresetError where it is not as it must be."""
        value: Any = self.config
        for name in field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            wanted = f"a number from {least:g} to {most:g}"
            raise PresetError(f"preset {self.name}: {field} in config.json is not {wanted}: restore the folder")
        return float(value)

    def _file(self, entry: dict[str, Any]) -> Path:
        if not is_plain(name := str(entry["file"])):
            raise PresetError(f"preset {self.name}: {name!r} is no file beside config.json: restore the folder")
        return self.folder / name

    def _check(self, path: Path, sha256: str) -> Path:
        if not path.is_file():
            raise PresetError(f"preset {self.name}: {path} is missing: reinstall videmo or restore the folder")
        if (found := hash_file(path)) != sha256:
            raise PresetError(
                f"preset {self.name}: {path} is corrupt (sha256 {found[:12]}…, expected {sha256[:12]}…): "
                "reinstall videmo or restore the file"
            )
        return path


_CHUNK_BYTES = 1 << 20


def hash_file(path: Path, check: Callable[[], object] = lambda: None) -> str:
    """Return the SHA-256 of a file as hex digits; `check` is called once per MiB and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            check()
            digest.update(chunk)
    return digest.hexdigest()


def model_folders() -> list[Path]:
    """Return the folders that hold presets, in the order they are searched; only those that exist."""
    named = [Path(part) for part in os.environ.get("VIDEMO_MODELS", "").split(os.pathsep) if part]
    package = Path(__file__).resolve().parent
    return [folder for folder in [*named, package / "models", package.parent / "models"] if folder.is_dir()]


def list_presets(task: str | None = None) -> list[Preset]:
    """Return the presets found, first folder first, each name once; raises PresetError on a damaged config."""
    found: dict[str, Preset] = {}
    for folder in model_folders():
        for config in sorted(folder.glob("*/config.json")):
            if config.parent.name not in found:
                found[config.parent.name] = read_preset(config.parent)
    return [preset for preset in found.values() if task is None or preset.task == task]


def find_preset(name: str | Path, task: str) -> Preset:
    """Return the preset called `name`, or else the one in the folder `name`; raises PresetError naming what is known.

    Known presets come first, so that a folder of that name where the user happens to be does not stand in for one; a
    path with a separator, such as `./mine`, is a folder and nothing else.
    """
    known_folders = [] if "/" in str(name) or os.sep in str(name) else model_folders()
    folders = [*(folder / name for folder in known_folders), Path(name)]
    folder = next((folder for folder in folders if (folder / "config.json").is_file()), None)
    if folder is None:
        known = ", ".join(preset.name for preset in list_presets(task)) or "none found: set VIDEMO_MODELS"
        raise PresetError(f"unknown preset {str(name)!r}: known for {task} are {known}")
    preset = read_preset(folder)
    if preset.task != task:
        raise PresetError(f"preset {preset.name} is made for {preset.task}, not for {task}")
    return preset


def read_preset(folder: Path) -> Preset:
    """Return the preset in a folder; raises PresetError when its config.json cannot be read or lacks a field."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if (schema := config["schema"]) is True or schema != SCHEMA:
            raise PresetError(
                f"{path}: a preset of schema {str(schema)[:50]!r}, this videmo reads {SCHEMA}: use the videmo that "
                "made it, or another preset"
            )
        labels, weights = config["labels"], config["weights"]
        texts = [config["name"], config["task"], *labels, weights["file"], weights["sha256"]]
        texts += [config["openvino"][name] for name in ("file", "sha256") if "openvino" in config]
        if not isinstance(labels, list) or not labels or not all(isinstance(text, str) for text in texts):
            raise PresetError(f"{path}: name, task, labels, files and hashes must be text: restore the preset's folder")
        return Preset(config["name"], folder, config["task"], tuple(labels), weights["sha256"], config)
    except (OSError, ValueError, RecursionError) as error:
        raise PresetError(f"{path}: cannot be read: {error}: restore the preset's folder") from error
    except (KeyError, TypeError) as error:
        raise PresetError(f"{path}: field {error} is missing: restore the preset's folder") from error

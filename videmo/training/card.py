"""Writes presets: config.json, weights, metrics.json and the model card (Mitchell et al., 2019)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from videmo.inference.openvino_export import write_archive, write_openvino
from videmo.presets import SCHEMA, Preset, hash_file, read_preset
from videmo.training.tables import format_table, write_json

WEIGHTS: Final = "model.keras"

_CARD: Final = "card.md"
_UNTESTED: Final = "\n**There were no test faces**: all figures are those of validation faces, and flatter.\n"


def write_model(model: keras.Model, folder: Path, *, labels: Sequence[str], **fields: Any) -> Preset:
    """Writes the weights and config.json of an expression preset.

    Args:
        model: From faces (n, height, width, 1), values 0..255, to logits (n, E).
        folder: The preset's folder; its name becomes the preset's name.
        labels: The E labels, in the order of the logits.
        fields: More fields of config.json, such as temperature and trained_with.

    Returns:
        The preset, read back.
    """
    _, height_px, width_px, channels = model.input_shape
    config = {
        "schema": SCHEMA,
        "name": folder.name,
        "task": "emotion",
        "labels": list(labels),
        "input": {
            "height_px": height_px,
            "width_px": width_px,
            "channels": channels,
            "dtype": "uint8",
            "range": [0, 255],
        },
        "output": "logits",
        "framing": None,
        "parameters": model.count_params(),
    }
    return write_preset(model, folder, config | fields)


def write_preset(model: keras.Model, folder: Path, config: Mapping[str, Any]) -> Preset:
    """Writes a network for both runtimes and config.json, the files entered in it; returns the preset, read back.

    Only on TensorFlow can Keras write what OpenVINO reads; on its other backends that file is left to `videmo models
    export`.

    Weights are rounded to half precision, so that both files shrink to half when they are compressed and yet hold the
    same values. Measurements are to be made after that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / WEIGHTS
    model.set_weights([values.astype(np.float16).astype(np.float32) for values in model.get_weights()])
    model.save(weights)
    _compress(weights)
    files = {"weights": {"file": WEIGHTS, "sha256": hash_file(weights), "bytes": weights.stat().st_size}}
    if keras.config.backend() == "tensorflow":
        files["openvino"] = write_openvino(model, folder)
    write_json(folder / "config.json", {**config, **files})
    return read_preset(folder)


def _compress(archive: Path) -> None:
    """Compresses the members of a zip file, which Keras only stores."""
    with zipfile.ZipFile(archive) as stored:
        members = {name: stored.read(name) for name in stored.namelist()}
    write_archive(archive, members, zipfile.ZIP_BZIP2)


def write_card(preset: Preset, results: Sequence[Mapping[str, Any]]) -> None:
    """Writes metrics.json and the card, README.md, from the measurements of `training.emotion.evaluate.evaluate`."""
    config = preset.config
    write_json(preset.folder / "metrics.json", {"weights_sha256": preset.sha256, "results": list(results)})
    tested = any(result["split"] == "test" for result in results)
    split = "test" if tested else "valid"
    headline = next(result for result in results if result["split"] == split and not result["deduplicated"])
    classes = headline["per_class"]
    template = files("videmo.training").joinpath(_CARD).read_text(encoding="utf-8")
    card = template.format(
        name=preset.name,
        labels=", ".join(preset.labels),
        count=len(preset.labels),
        height=config["input"]["height_px"],
        width=config["input"]["width_px"],
        temperature=config["temperature"],
        parameters=config["parameters"],
        megabytes=config["weights"]["bytes"] / 1e6,
        made=_tell_making(config["trained_with"]),
        untested="" if tested else _UNTESTED,
        results=_results_table(results),
        headline=f"{headline['protocol']}, {split}, n = {headline['n']:,}",
        classes=format_table(
            ["label", "precision", "recall", "f1", "n"], [[k, *v.values()] for k, v in classes.items()]
        ),
        confusion=format_table(["", *classes], [[k, *v] for k, v in zip(classes, headline["confusion"], strict=True)]),
        split="test" if tested else "validation",
        rarest=", ".join(sorted(classes, key=lambda label: classes[label]["n"])[:2]),
    )
    (preset.folder / "README.md").write_text(card, encoding="utf-8")


def _tell_making(trained_with: Mapping[str, Any]) -> str:
    if members := trained_with.get("members"):
        names = ", ".join(member["name"] for member in members)
        views = ", each asked about the face and its mirror" if trained_with.get("mirror") else ""
        return f"`videmo train ensemble`: the mean of the probabilities of {names}{views}"
    epochs, minutes = trained_with["epochs"], trained_with["minutes"]
    return f"`videmo train emotion`, {epochs} epochs in {minutes} minutes; every knob is in `config.json`"


def _results_table(results: Sequence[Mapping[str, Any]]) -> str:
    header = ["protocol", "split", "deduplicated", "n", "accuracy", "balanced", "shared seven", "macro F1", "ECE"]
    keys = ["protocol", "split", "deduplicated", "n", "accuracy", "balanced_accuracy", "balanced_accuracy_shared"]
    return format_table(header, [[result[key] for key in [*keys, "macro_f1", "ece"]] for result in results])

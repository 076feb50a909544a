"""Turns the best epoch of a training into a preset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import keras

from videmo.detection.neural import load
from videmo.inference import choose_engine
from videmo.presets import SCHEMA, Preset
from videmo.settings import Runtime
from videmo.training.card import write_preset
from videmo.training.checkpoint import read_checkpoint
from videmo.training.detector.evaluate import WIDTHS_PX, measure
from videmo.training.detector.fit import INPUT, LEAST_SCORE, NMS_IOU
from videmo.training.detector.network import build_network, export_network
from videmo.training.detector.pictures import LabelledPicture
from videmo.training.loop import BEST
from videmo.training.tables import format_table, write_json

MIN_SCORE: Final = 0.5
"""Score from which a face counts; chosen on 35 clips with the tracker behind it, not on validation pictures."""

_PICTURES_PER_CALL: Final = 8


def export_preset(
    training: Path, valid: Sequence[LabelledPicture], folder: Path, *, min_score: float = MIN_SCORE
) -> list[dict[str, Any]]:
    """Writes a preset from the best epoch of a training, and measures it.

    Args:
        training: Folder of the training, with its best.npz.
        valid: Validation pictures.
        folder: The preset's folder; its name is the preset's name.
        min_score: Score from which a face counts.

    Returns:
        The measurements that were written to metrics.json, as from `evaluate.measure`.
    """
    groups, state = read_checkpoint(training / BEST)
    size = state["recipe"].get("size", "full")  # older trainings had no other
    network = build_network(size)
    network.set_weights(groups["average"])
    preset = write_detector(export_network(network, size), folder, min_score=min_score, trained_with=_describe(state))
    results = [measure("videmo", load_for_measuring(preset).detect, valid, min_score=min_score)]
    write_card(preset, results)
    return results


def load_for_measuring(preset: Preset, runtime: Runtime = "auto") -> Any:
    """Returns the detector of a preset with every score let through, as average precision needs it."""
    return load(preset, choose_engine("auto", runtime), batch_size=_PICTURES_PER_CALL, min_score=LEAST_SCORE)


def _describe(state: Mapping[str, Any]) -> dict[str, Any]:
    best = state["history"][-1]
    return {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "epochs": best["epoch"],
        "steps": state["steps"],
        "minutes": round(best["minutes"], 1),
        "recipe": state["recipe"],
    }


def write_detector(model: keras.Model, folder: Path, *, min_score: float, trained_with: Mapping[str, Any]) -> Preset:
    """Writes weights and config.json of a model from pictures to (n, cells, 15); returns the preset, read back."""
    config = {
        "schema": SCHEMA,
        "name": folder.name,
        "task": "detection",
        "labels": ["face"],
        "input": {"height_px": None, "width_px": None, "channels": 3, "colour": "rgb", "dtype": "uint8"}
        | {"range": [0, 255]}
        | INPUT,
        "output": "cells",
        "min_score": min_score,
        "nms_iou": NMS_IOU,
        "parameters": model.count_params(),
        "trained_with": dict(trained_with),
    }
    return write_preset(model, folder, config)


def write_card(preset: Preset, results: Sequence[Mapping[str, Any]], clips: Sequence[Mapping[str, Any]] = ()) -> None:
    """Writes metrics.json and the card, README.md.

    Args:
        preset: The preset.
        results: One measurement of `evaluate.measure` for each detector, the preset's first.
        clips: Rows of `clips.compare_on_clips`, if clips were measured.
    """
    config, trained = preset.config, preset.config["trained_with"]
    phases = [*trained.get("earlier_phases", ()), trained]
    metrics = {"weights_sha256": preset.sha256, "results": list(results)}
    write_json(preset.folder / "metrics.json", metrics | ({"clips": list(clips)} if clips else {}))
    template = files("videmo.training.detector").joinpath("card.md").read_text(encoding="utf-8")
    card = template.format(
        name=preset.name,
        parameters=config["parameters"],
        megabytes=sum(config[file]["bytes"] for file in ("weights", "openvino") if file in config) / 1e6,
        minutes=round(sum(phase["minutes"] for phase in phases)),
        steps=sum(phase["steps"] for phase in phases),
        phases=f"{len(phases)} phases" if len(phases) > 1 else "one phase",
        min_score=config["min_score"],
        long_side_px=config["input"]["long_side_px"],
        n=results[0]["n"],
        precision="float32" if config.get("openvino", {}).get("precision") != "int8" else "8 bits",
        results=_results_table(results),
        widths=_widths_table(results),
        clips=_clips_table(clips) if clips else "Not measured.",
    )
    (preset.folder / "README.md").write_text(card, encoding="utf-8")


def _results_table(results: Sequence[Mapping[str, Any]]) -> str:
    columns = ["ap50", "ap75", "ap", "ar", "ar_small", "ar_medium", "ar_large", "landmark_error", "landmark_error_eyes"]
    rows = [
        [result["detector"], size["long_side_px"], *(size[column] for column in columns)]
        for result in results
        for size in result["sizes"]
    ]
    return format_table(["detector", "long side px", *(column.replace("_", " ") for column in columns)], rows)


def _widths_table(results: Sequence[Mapping[str, Any]]) -> str:
    rows = [[result["detector"], *result["recall_by_width_px"].values()] for result in results]
    return format_table(["detector", *map(str, WIDTHS_PX)], rows)


def _clips_table(clips: Sequence[Mapping[str, Any]]) -> str:
    return format_table([key.replace("_", " ") for key in clips[0]], [list(row.values()) for row in clips])

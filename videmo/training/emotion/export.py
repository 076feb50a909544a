"""Turns the best epoch of a training into presets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import keras

from videmo.errors import DataError
from videmo.training.card import write_card, write_model
from videmo.training.checkpoint import read_checkpoint
from videmo.training.emotion.cases import find_cases, protocols
from videmo.training.emotion.dataset import LabelledFaces
from videmo.training.emotion.evaluate import evaluate, predict_logits
from videmo.training.emotion.metrics import fit_temperature
from videmo.training.emotion.network import HEADS, build_network, export_head
from videmo.training.emotion.recipe_file import make_recipe
from videmo.training.loop import BEST

_DIGITS: Final = 4


def check_measurable(splits: Mapping[str, LabelledFaces], head: str) -> None:
    """Makes sure, before a training, that `export_preset` will find faces to choose, calibrate and measure with.

    Raises:
        DataError: There are no validation faces, or none that the head's protocols count.
    """
    if not any(case.split == "valid" for case in find_cases(splits, HEADS[head])):
        raise DataError(
            "no validation faces, which choose the best epoch: name some in the data or in the list of splits"
        )


def export_preset(training: Path, head: str, splits: Mapping[str, LabelledFaces], folder: Path) -> list[dict[str, Any]]:
    """Writes a preset from the best epoch of a training, its temperature fitted on validation faces.

    Args:
        training: Folder of the training, with its best.npz.
        head: Which head to keep, a name in `HEADS`.
        splits: Faces by split, from `read_faces`; their side becomes that of the preset's input.
        folder: The preset's folder; its name is the preset's name.

    Returns:
        The measurements that were written to metrics.json, as from `evaluate`.
    """
    groups, state = read_checkpoint(training / BEST)
    labels, recipe, best, valid = HEADS[head], make_recipe(state["recipe"]), state["history"][-1], splits["valid"]
    counts = {name: len(names) for name, names in HEADS.items()}
    network = build_network(recipe.arch, counts, recipe.design(), dropout=recipe.dropout)
    network.set_weights(groups["average"])
    preset = write_model(
        export_head(network, recipe.arch, head, recipe.design(), side_px=valid.images.shape[1]),
        folder,
        labels=labels,
        temperature=calibrate(network, head, valid, labels),
        trained_with={
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "epochs": best["epoch"],
            "minutes": round(best["minutes"], 1),
            "recipe": state["recipe"],
        },
    )
    results = evaluate(preset, splits)
    write_card(preset, results)
    return results


def calibrate(network: keras.Model, head: str, valid: LabelledFaces, labels: tuple[str, ...]) -> float:
    """Returns the temperature that fits the logits of a head to the validation faces that its first protocol counts."""
    counted, answers = next(iter(protocols(valid, labels).values()))
    logits = predict_logits(network, valid.images[counted])[head]
    return round(fit_temperature(logits, answers[counted]), _DIGITS)

"""Several presets as one: a network that averages the probabilities of its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from videmo.errors import UsageError
from videmo.inference.keras_network import load_model
from videmo.presets import Preset
from videmo.training.card import write_card, write_model
from videmo.training.emotion.dataset import LabelledFaces
from videmo.training.emotion.evaluate import evaluate
from videmo.training.emotion.export import calibrate


def build_ensemble(members: Sequence[Preset], *, mirror: bool = False) -> keras.Model:
    """Builds a network whose softmax is the mean of its members' calibrated probabilities.

    Args:
        members: Expression presets with equal labels and inputs: two or more, or with `mirror` also one alone.
        mirror: Whether each is asked about the mirrored face as well, at twice the cost.

    Returns:
        A model from faces (n, S, S, 1), values 0..255, to log-probabilities (n, E).

    Raises:
        UsageError: There are too few members, or they differ in their labels or inputs.
        PresetError: The weights of a member are damaged.
    """
    if len(members) < (1 if mirror else 2):
        raise UsageError(f"an ensemble of {len(members)} preset: name two or more, or one with --mirror")
    first = members[0]
    for other in members[1:]:
        for what in ("labels", "input"):
            if other.config[what] != first.config[what]:
                raise UsageError(f"{other.name} and {first.name} differ in their {what}: choose presets of one kind")
    faces = keras.Input((first.config["input"]["height_px"], first.config["input"]["width_px"], 1), name="faces")
    views = [faces, faces[:, :, ::-1]] if mirror else [faces]
    answers = [answer for at, member in enumerate(members) for answer in _answers(member, views, f"member{at}")]
    mean = layers.Average(name="mean")(answers)
    # Below this a probability is as good as nothing, and its logarithm not a number.
    return keras.Model(faces, keras.ops.log(keras.ops.maximum(mean, keras.config.epsilon())), name="ensemble")


def _answers(preset: Preset, views: Sequence[keras.KerasTensor], name: str) -> list[keras.KerasTensor]:
    """Returns the calibrated probabilities (n, E) that a preset gives each view (n, S, S, 1) of the faces."""
    model = load_model(preset.check_weights())
    logits = keras.Model(model.inputs, model.outputs[0], name=name)
    scale = layers.Rescaling(1 / preset.number("temperature", 1e-3, 1e3), name=f"{name}_calibrated")
    softmax = layers.Softmax(name=f"{name}_probabilities")
    return [softmax(scale(logits(view))) for view in views]


def write_ensemble(
    members: Sequence[Preset],
    folder: Path,
    splits: Mapping[str, LabelledFaces] | None = None,
    *,
    mirror: bool = False,
) -> Preset:
    """Writes an ensemble as a preset; with faces its temperature is fitted, and card and metrics.json are written.

    Args:
        members: As in `build_ensemble`.
        folder: The preset's folder; its name is the preset's name.
        splits: Faces by split, from `read_faces`, of the members' size.
        mirror: As in `build_ensemble`.

    Returns:
        The preset, read back.

    Raises:
        UsageError: As `build_ensemble`.
        PresetError: The weights of a member are damaged.
    """
    model, labels = build_ensemble(members, mirror=mirror), members[0].labels
    # The mean of calibrated answers is a little too shy.
    named = keras.Model(model.inputs, {"mean": model.outputs[0]})
    temperature = calibrate(named, "mean", splits["valid"], labels) if splits else 1.0
    parts = [{"name": member.name, "weights_sha256": member.sha256} for member in members]
    made: dict[str, Any] = {"keras": keras.__version__, "backend": keras.backend.backend()}
    made |= {"members": parts, "mirror": mirror}
    preset = write_model(model, folder, labels=labels, temperature=temperature, trained_with=made)
    if splits:
        write_card(preset, evaluate(preset, splits))
    return preset

"""Answers the faces of every case with a preset and measures the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.errors import DataError, PresetError
from videmo.inference import choose_engine
from videmo.presets import Preset
from videmo.training.emotion.cases import Case, find_cases, protocols
from videmo.training.emotion.dataset import LabelledFaces
from videmo.training.emotion.intervals import measure_intervals
from videmo.training.emotion.metrics import balanced_accuracy, measure

_BATCH: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One case answered by a model: its probabilities (n, E) and the record of its figures."""

    case: Case
    probabilities: NDArray[np.float32]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All cases answered by a preset, with the faces as they are or also mirrored."""

    preset: Preset
    flip: bool
    measured: tuple[Measured, ...]

    @property
    def name(self) -> str:
        """The preset's name, marked if the mirror was asked too."""
        return f"{self.preset.name} + flip" if self.flip else self.preset.name


def evaluate_preset(
    preset: Preset, splits: Mapping[str, LabelledFaces], cases: Sequence[Case], *, flip: bool = False
) -> list[Evaluation]:
    """Answers all cases with a preset, and with `flip` once more with the mean over each face and its mirror.

    The preset may have other labels than the cases: a label that it lacks gets probability 0, one that only it has is
    left out and the others scaled up to a sum of 1.

    Args:
        preset: An expression preset.
        splits: Faces by split, from `read_faces`.
        cases: From `find_cases`, on the same splits.
        flip: Whether mirrored faces are asked as well.

    Raises:
        PresetError: The weights are damaged, or the preset shares no label with the cases.
    """
    # Keras, the reference runtime: its weights are the ones that the hash in metrics.json names.
    network = choose_engine("auto", "keras").load(preset, batch_size=_BATCH)
    classifier = PresetClassifier(preset, network, _BATCH)
    plain: dict[str, NDArray[np.float32]] = {}
    flipped: dict[str, NDArray[np.float32]] = {}
    for split in dict.fromkeys(case.split for case in cases):
        crops = splits[split].images[..., None]
        plain[split] = classifier.classify(crops)
        if flip:
            mirrored = classifier.classify(crops[:, :, ::-1])
            flipped[split] = np.asarray((plain[split] + mirrored) / 2, np.float32)
    return [
        Evaluation(preset, answers is flipped, tuple(_measure(case, preset, answers[case.split]) for case in cases))
        for answers in (plain, flipped)
        if answers
    ]


def evaluate(preset: Preset, splits: Mapping[str, LabelledFaces]) -> list[dict[str, Any]]:
    """Measures a preset on validation and test faces, or on those of the two that there are.

    Each protocol is measured on the standard split and on the deduplicated one, which lacks the faces that are
    pixel-identical to one of the official training split.

    Args:
        preset: An expression preset with FER+'s or FER2013's labels.
        splits: Faces by split, from `read_faces`.

    Returns:
        One record for each split, protocol and kind of split: these three, the values of `metrics.measure` and
        `intervals`.

    Raises:
        PresetError: The weights are damaged, or there is no protocol for the labels.
        DataError: There are no faces, or a split has some and none of them counts.
    """
    (evaluation,) = evaluate_preset(preset, splits, find_cases(splits, preset.labels))
    return [measured.figures for measured in evaluation.measured]


def _relabel(probabilities: NDArray[np.float32], preset: Preset, labels: tuple[str, ...]) -> NDArray[np.float32]:
    if preset.labels == labels:
        return probabilities
    shared = [label for label in labels if label in preset.labels]
    if not shared:
        raise PresetError(f"preset {preset.name}: none of its labels is one of {', '.join(labels)}; compare another")
    relabelled = np.zeros((len(probabilities), len(labels)), np.float32)
    columns = [labels.index(label) for label in shared]
    relabelled[:, columns] = probabilities[:, [preset.labels.index(label) for label in shared]]
    return np.asarray(relabelled / np.maximum(relabelled.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny))


def _measure(case: Case, preset: Preset, answered: NDArray[np.float32]) -> Measured:
    probabilities = _relabel(answered[case.rows], preset, case.labels)
    figures = measure(probabilities, case.answers, case.labels)
    intervals = measure_intervals(probabilities, case.answers, figures)
    return Measured(case, probabilities, case.describe() | figures | {"intervals": intervals})


def score_epoch(network: keras.Model, valid: LabelledFaces) -> dict[str, float]:
    """Scores both heads of a network in training, each under the first protocol that fits the faces.

    The best epoch is chosen by `score`, the mean of the others; one that no face counts for is NaN and left out.

    Raises:
        DataError: No validation face counts.
    """
    logits = predict_logits(network, valid.images)
    predicted, answers = _first_protocol(logits["ferplus"], valid, EMOTIONS)
    if len(answers) == 0:
        raise DataError("no validation face has a label that counts: look with `videmo data check`")
    accuracy = float(np.mean(predicted == answers))
    balanced = balanced_accuracy(answers, predicted, len(FER2013_EMOTIONS))
    predicted, answers = _first_protocol(logits["fer2013"], valid, FER2013_EMOTIONS)
    fer2013 = float(np.mean(predicted == answers)) if len(answers) else float("nan")
    return {
        "ferplus_accuracy": accuracy,
        "ferplus_balanced_accuracy": balanced,
        "fer2013_accuracy": fer2013,
        "score": float(np.nanmean([accuracy, balanced, fer2013])),
    }


def _first_protocol(
    logits: NDArray[np.float32], valid: LabelledFaces, labels: tuple[str, ...]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the predictions and the right answers of the faces that count."""
    counted, answers = next(iter(protocols(valid, labels).values()))
    return logits.argmax(axis=1)[counted], answers[counted]


def predict_logits(network: keras.Model, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Runs a network of `build_network` over faces (n, height, width) uint8; returns logits (n, labels) by head."""
    parts = [
        network.predict_on_batch(images[start : start + _BATCH, ..., None].astype(np.float32))
        for start in range(0, len(images), _BATCH)
    ]
    return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}

"""Evaluates expression classifiers under the named protocols of FER+ and FER2013."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import DataError, PresetError
from videmo.inference import KerasModel
from videmo.presets import Preset
from videmo.training.emotion.dataset import LabelledFaces, find_twins
from videmo.training.emotion.metrics import balanced_accuracy, measure
from videmo.training.emotion.votes import argmax_protocol, majority_protocol

Answers = tuple[NDArray[np.bool_], NDArray[np.intp]]
"""Which faces count (n,) and the right label of each (n,)."""

MEASURED_SPLITS: Final = ("valid", "test")
_BATCH: Final = 256


def protocols(faces: LabelledFaces, labels: tuple[str, ...]) -> dict[str, Answers]:
    """Returns the answers under each protocol that fits a label set, by name; the first is the one to headline.

    Raises:
        PresetError: The labels are neither FER+'s eight nor FER2013's seven.
    """
    if labels == EMOTIONS:
        return {"ferplus-majority": majority_protocol(faces.votes), "ferplus-argmax": argmax_protocol(faces.votes)}
    if labels == FER2013_EMOTIONS:
        return {"fer2013": (np.ones(len(faces), bool), faces.labels.astype(np.intp))}
    raise PresetError(f"no protocol for the labels {', '.join(labels)}: known are those of FER+ and FER2013")


def evaluate(preset: Preset, splits: Mapping[str, LabelledFaces]) -> list[dict[str, Any]]:
    """Measures a preset on validation and test faces.

    Each protocol is measured on the standard split and on the deduplicated one, which lacks the faces that are
    pixel-identical to one of the official training split.

    Args:
        preset: An expression preset with FER+'s or FER2013's labels.
        splits: Faces by split, from `read_faces`.

    Returns:
        One record for each split, protocol and kind of split: these three and the values of `metrics.measure`.

    Raises:
        PresetError: The weights are damaged, or there is no protocol for the labels.
        DataError: No face counts under a protocol.
    """
    model = KerasModel(preset.check_weights(), batch_size=_BATCH)
    results = []
    for split in MEASURED_SPLITS:
        faces = splits[split]
        probabilities = softmax(model(faces.images[..., None]) / preset.config["temperature"], axis=1)
        unseen = ~find_twins(faces, splits["train"])
        for protocol, (counted, answers) in protocols(faces, preset.labels).items():
            for deduplicated, rows in ((False, counted), (True, counted & unseen)):
                if not rows.any():
                    raise DataError(
                        f"no {split} face counts under the protocol {protocol}: check the votes in label.csv"
                    )
                record = {"protocol": protocol, "split": split, "deduplicated": deduplicated}
                results.append(record | measure(probabilities[rows], answers[rows], preset.labels))
    return results


def score_epoch(network: keras.Model, valid: LabelledFaces) -> dict[str, float]:
    """Scores both heads of a network in training; `score` is what the best epoch is chosen by."""
    logits = predict_logits(network, valid.images)
    counted, answers = majority_protocol(valid.votes)
    predicted = logits["ferplus"].argmax(axis=1)[counted]
    accuracy = float(np.mean(predicted == answers[counted]))
    balanced = balanced_accuracy(answers[counted], predicted, len(FER2013_EMOTIONS))
    fer2013 = float(np.mean(logits["fer2013"].argmax(axis=1) == valid.labels))
    return {
        "ferplus_accuracy": accuracy,
        "ferplus_balanced_accuracy": balanced,
        "fer2013_accuracy": fer2013,
        "score": (accuracy + balanced + fer2013) / 3,
    }


def predict_logits(network: keras.Model, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Runs a network of `build_network` over faces (n, height, width) uint8; returns logits (n, labels) by head."""
    parts = [
        network.predict_on_batch(images[start : start + _BATCH, ..., None].astype(np.float32))
        for start in range(0, len(images), _BATCH)
    ]
    return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}

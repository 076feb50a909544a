"""Distillation: a network learns from the answers of others beside the labels (Hinton et al., 2015)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from videmo.emotion.preset_classifier import PresetClassifier
from videmo.errors import UsageError
from videmo.inference import choose_engine
from videmo.presets import Preset
from videmo.training.emotion.network import HEADS

Loss = Callable[[Any, Any], Any]

_BATCH: Final = 256


def ask_teachers(
    teachers: Sequence[Preset], images: NDArray[np.uint8], temperature: float
) -> dict[str, NDArray[np.float32]]:
    """Returns what the teachers say about faces: probabilities (n, labels) by head.

    A head learns from the teachers that have its labels; one that has none is left out. Each teacher answers by the
    mean over a face and its mirror, made softer by the temperature; the answers of several teachers are averaged.

    Args:
        teachers: Expression presets.
        images: (n, S, S) uint8, gray; they are resized for a teacher of another size.
        temperature: Above 1 makes the answers softer, so that unlikely labels count more.

    Raises:
        UsageError: A teacher has labels that no head has.
        PresetError: The weights of a teacher are damaged.
    """
    answers: dict[str, list[NDArray[np.float32]]] = {}
    for teacher in teachers:
        head = next((name for name, labels in HEADS.items() if labels == teacher.labels), None)
        if head is None:
            known = " or ".join(", ".join(labels) for labels in HEADS.values())
            raise UsageError(f"teacher {teacher.name} has other labels than the network: expected {known}")
        answers.setdefault(head, []).append(soften(_ask(teacher, images), temperature))
    return {head: np.mean(parts, axis=0, dtype=np.float32) for head, parts in answers.items()}


def soften(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Returns the probabilities (n, labels) that logits divided by the temperature would have given.

    Example:
        >>> soften(np.array([[0.8, 0.2]], np.float32), 2).round(3).tolist()
        [[0.6669999957084656, 0.3330000042915344]]
    """
    powers = probabilities ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def distilling(loss: Loss, weight: float, temperature: float) -> Loss:
    """Returns a Keras loss whose targets (m, 2 * labels) are those of the labels, then those of the teachers.

    Args:
        loss: The loss from label targets and logits, both (m, labels), to losses (m,).
        weight: Share of the teachers' part.
        temperature: That of the teachers' answers; its square makes up for the smaller gradients.
    """

    def distil(both: Any, logits: Any) -> Any:
        ours, theirs = keras.ops.split(both, 2, axis=-1)
        soft = -keras.ops.sum(theirs * keras.ops.log_softmax(logits / temperature), axis=-1)
        return (1 - weight) * loss(ours, logits) + weight * temperature**2 * soft

    return distil


def _ask(teacher: Preset, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    classifier = PresetClassifier(teacher, choose_engine("auto").load(teacher, batch_size=_BATCH), _BATCH)
    parts = []
    for at in range(0, len(images), _BATCH):
        crops = _resize(images[at : at + _BATCH], classifier.crop_side_px)
        parts.append((classifier.classify(crops) + classifier.classify(crops[:, :, ::-1])) / 2)
    return np.concatenate(parts)


def _resize(images: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Returns faces (n, side_px, side_px, 1)."""
    if images.shape[1] != side_px:
        way = cv2.INTER_AREA if images.shape[1] > side_px else cv2.INTER_LINEAR
        images = np.array([cv2.resize(image, (side_px, side_px), interpolation=way) for image in images], np.uint8)
    return images[..., None]

"""Videmo's own face network, batched: pictures of a size share one call of the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, UInt8Array
from videmo.detection.base import PictureFormat
from videmo.detection.decode import select_faces
from videmo.errors import PresetError
from videmo.geometry import clip_boxes
from videmo.inference import Engine, choose_engine
from videmo.presets import Preset, find_preset
from videmo.settings import Settings

PRESET: Final = "faces-fpn-64"
GPU_BATCH: Final = 64
CPU_BATCH: Final = 8
EXACT_BATCH: Final = 1
"""For TensorFlow on a CPU, which rounds a picture's values differently in another batch or at another place in it."""

FAINT_SHARE: Final = 0.6
"""Faces fainter than the preset's score by this factor are still followed, though none starts a track."""

_COLUMNS: Final = 15
_NUMBERS: Final = {
    **{"input.long_side_px": (32, 8192), "input.multiple_px": (1, 256), "input.padding": (0, 255)},
    **{"min_score": (0, 1), "nms_iou": (0, 1)},
}
"""What config.json must say, and between which numbers."""


class NeuralDetector:
    """Finds faces with a network from pictures to cells; the answer for a picture does not depend on the batch.

    Implements `videmo.detection.base.Detector`; landmarks are given.
    """

    def __init__(
        self,
        network: Callable[[NDArray[Any]], NDArray[np.float32]],
        config: dict[str, Any],
        *,
        batch_size: int,
        min_score: float | None = None,
    ) -> None:
        """Takes a network from (n, height, width, 3) RGB to (n, cells, 15), see `decode.select_faces`.

        Args:
            network: Called with at most `batch_size` pictures, padded to one size.
            config: Of the preset: `input` (long_side_px, multiple_px, padding), `min_score`, `nms_iou`.
            batch_size: Most pictures in a call.
            min_score: 0..1 instead of the preset's.
        """
        self.picture_format = PictureFormat("rgb", int(config["input"]["long_side_px"]))
        self.batch_size = batch_size
        self._network = network
        self._multiple_px, self._padding = int(config["input"]["multiple_px"]), int(config["input"]["padding"])
        self._min_score = float(config["min_score"] if min_score is None else min_score)
        self.birth_score = self._min_score
        self.version = str(config.get("weights", {}).get("sha256", ""))
        self._nms_iou = float(config["nms_iou"])

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]:
        """Return the faces of each RGB picture (H, W, 3), best score first, boxes cut to the picture."""
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, image in enumerate(images):
            groups[self._padded(image)].append(number)
        found: dict[int, Detections] = {}
        for size, numbers in groups.items():
            for at in range(0, len(numbers), self.batch_size):
                rows = numbers[at : at + self.batch_size]
                cells = self._network(self._stack([images[row] for row in rows], size))
                found |= {row: self._select(cells[index], images[row]) for index, row in enumerate(rows)}
        return [found[number] for number in range(len(images))]

    def _padded(self, image: UInt8Array) -> tuple[int, int]:
        """Return height and width of a picture once padded, which the picture alone decides."""
        height_px, width_px = (-(-side_px // self._multiple_px) * self._multiple_px for side_px in image.shape[:2])
        return height_px, width_px

    def _stack(self, images: Sequence[UInt8Array], size: tuple[int, int]) -> UInt8Array:
        stack = np.full((len(images), *size, 3), self._padding, np.uint8)
        for row, image in zip(stack, images, strict=True):
            row[: image.shape[0], : image.shape[1]] = image
        return stack

    def _select(self, cells: NDArray[np.float32], image: UInt8Array) -> Detections:
        faces = select_faces(cells, min_score=self._min_score, nms_iou=self._nms_iou)
        return Detections(clip_boxes(faces.boxes, image.shape[1], image.shape[0]), faces.scores, faces.landmarks)


def load(preset: Preset, engine: Engine, *, batch_size: int, min_score: float | None = None) -> NeuralDetector:
    """Return the detector of a preset; raises PresetError when its network does not do what the card says."""
    for field, (least, most) in _NUMBERS.items():
        preset.number(field, least, most)
    network = engine.load(preset, batch_size=batch_size)
    if network.input_shape != (None, None, 3):
        raise PresetError(f"preset {preset.name}: expected RGB pictures of any size, got {network.input_shape}")
    if len(network.output_shape) != 2 or network.output_shape[-1] != _COLUMNS:
        raise PresetError(f"preset {preset.name}: expected {_COLUMNS} values for each cell, got {network.output_shape}")
    detector = NeuralDetector(network, preset.config, batch_size=batch_size, min_score=min_score)
    detector.version = preset.version(engine.runtime)
    return detector


def _batch_size(engine: Engine) -> int:
    if engine.device == "gpu":
        return GPU_BATCH
    return CPU_BATCH if engine.runtime == "openvino" else EXACT_BATCH


def build(settings: Settings) -> NeuralDetector:
    """Return the detector of the settings' preset with their `min_score`; raises PresetError or UsageError."""
    preset = find_preset(settings.detector_model or PRESET, "detection")
    engine = choose_engine(settings.device, settings.runtime)
    batch_size = _batch_size(engine)
    if settings.min_score is not None:
        return load(preset, engine, batch_size=batch_size, min_score=settings.min_score)
    birth_score = preset.number("min_score", 0, 1)
    detector = load(preset, engine, batch_size=batch_size, min_score=FAINT_SHARE * birth_score)
    detector.birth_score = birth_score
    return detector

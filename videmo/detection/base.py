"""The contract of a face detector: small pictures in, boxes in the px of those pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from videmo.datatypes import Detections, UInt8Array


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """The picture a detector wants: colour, the longest side in px (None = full size)."""

    colour: Literal["rgb", "gray"]
    long_side_px: int | None


class Detector(Protocol):
    """Finds faces in pictures.

    A box of `birth_score` or more is taken for a face by itself; fainter ones serve only to follow a face that was seen
    the frame before (the two thresholds of ByteTrack, Zhang et al. 2022). `version` names what its answers depend on
    beside the settings, such as the hash of its weights: results of another version are not gone on with.

    `detect` takes pictures (H, W, 3) RGB or (H, W) gray, uint8, of any sizes, and returns one `Detections` for each, in
    order, boxes in px of the picture given, best score first. The answer for a picture does not depend on the others in
    the batch. It is called by one thread at a time.
    """

    picture_format: PictureFormat
    batch_size: int
    birth_score: float
    version: str

    def detect(self, images: Sequence[UInt8Array]) -> list[Detections]: ...

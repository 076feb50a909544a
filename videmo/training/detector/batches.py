"""Composes training batches: small crops at many scales, large crops with large faces, pictures without a face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.training.detector.augment import Augmentation
from videmo.training.detector.crops import View, cut, mosaic
from videmo.training.detector.drawings import draw_page, draw_shapes, write_lettering
from videmo.training.detector.losses import FACE, IGNORE, TRUTH_COLUMNS
from videmo.training.detector.pictures import LANDMARKS, LabelledPicture

_LEAST_EYES: Final = 0.28
"""Distance of the eyes of a face that does not look away, over its width; 7 % of faces have less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """What crops show; shares are probabilities per crop, spans the ends of log-uniform ranges.

    Attributes:
        small: Side in px and number of the crops of most batches.
        large: Side in px and number of the crops of the batches that show large faces.
        large_share: Share of batches of large crops.
        scale: Px of a crop per px of its picture.
        faced: Share of crops and parts of mosaics that are moved to where a face is.
        anchored: Share of small crops that zoom in on one face.
        anchored_width_px: Its width then.
        mosaic: Share of small crops put together from four reduced pictures.
        mosaic_scale: Px of a mosaic per px of its pictures.
        large_anchored: Share of large crops that zoom in on one face.
        large_width_px: Its width then.
        large_scale: Px of a large crop per px of its picture where it is cut anywhere.
        least_width_px: Faces narrower than this are not enlarged for it.
        extra: Share of crops from the extra pictures, in large crops and in small ones.
        empty: Share of crops without a face, in large crops and in small ones.
        rotated: Share of crops that are turned, by up to `rotation_deg`.
        sideways: Share of crops that are turned by a quarter to either side beside that.
        averted: How often a face that looks away is drawn where crops show one face, for one that does not.
    """

    small: tuple[int, int] = (192, 16)
    large: tuple[int, int] = (320, 6)
    large_share: float = 0.2
    scale: tuple[float, float] = (0.7, 2.3)
    faced: float = 0.7
    anchored: float = 0.25
    anchored_width_px: tuple[float, float] = (9.0, 160.0)
    mosaic: float = 0.2
    mosaic_scale: tuple[float, float] = (0.5, 1.1)
    large_anchored: float = 0.5
    large_width_px: tuple[float, float] = (50.0, 300.0)
    large_scale: tuple[float, float] = (0.9, 2.6)
    least_width_px: float = 24.0
    extra: tuple[float, float] = (0.22, 0.04)
    empty: tuple[float, float] = (0.14, 0.06)
    rotated: float = 0.25
    rotation_deg: float = 30.0
    sideways: float = 0.02
    averted: int = 2
    augmentation: Augmentation = field(default_factory=Augmentation)


class Batches:
    """Makes batch after batch; the seed and the number of a batch decide all of it, so any can be made again.

    Safe to be called from several threads.
    """

    def __init__(
        self, crops: Crops, pictures: Sequence[LabelledPicture], extra: Sequence[LabelledPicture], seed: int
    ) -> None:
        """Sorts the pictures.

        Args:
            crops: What to show.
            pictures: Pictures to learn from.
            extra: Pictures of large faces, and pictures without any.
            seed: Of everything random.

        Raises:
            DataError: No picture has a face.
        """
        self.crops, self.pictures, self.seed = crops, pictures, seed
        self.faces = _find_faces(pictures, 0.0, crops.averted)
        self._wide_faces = _find_faces(pictures, crops.least_width_px, crops.averted)
        if not len(self.faces) or not len(self._wide_faces):
            raise DataError(f"no training picture has a face of {crops.least_width_px:g} px or more; add some")
        self._extra = [picture for picture in extra if len(picture.boxes)]
        self._extra_faces = _find_faces(self._extra, crops.least_width_px, crops.averted)
        self._empty = [picture for picture in extra if not len(picture.boxes)]

    def make(self, number: int, strength: float = 1.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Returns pictures (n, side, side, 3) and truth (n, rows, 20) of batch `number`.

        Args:
            number: From 0.
            strength: 0..1, how often crops are put together as mosaics and their pixels changed.
        """
        rng = np.random.default_rng([self.seed, number])
        is_large = rng.random() < self.crops.large_share
        side_px, count = self.crops.large if is_large else self.crops.small
        chosen = [self._choose(side_px, is_large, strength, rng) for _ in range(count)]
        images = np.stack([self.crops.augmentation.apply(crop, rng, strength) for crop in chosen])
        return images, _pack(chosen)

    def _choose(self, side_px: int, is_large: bool, strength: float, rng: np.random.Generator) -> LabelledPicture:
        crops = self.crops
        draw, kind = rng.random(), 0 if is_large else 1
        if draw < crops.empty[kind]:
            return self._without_face(side_px, rng)
        if draw < crops.empty[kind] + crops.extra[kind] and len(self._extra_faces):
            widths_px = crops.large_width_px if is_large else crops.anchored_width_px
            return self._around_face(self._extra, self._extra_faces, widths_px, side_px, rng)
        draw = rng.random()
        if is_large and draw < crops.large_anchored:
            return self._around_face(self.pictures, self._wide_faces, crops.large_width_px, side_px, rng)
        if is_large:
            return self._anywhere(self._any(rng), crops.large_scale, side_px, side_px, rng)
        if draw < crops.anchored:
            return self._around_face(self.pictures, self.faces, crops.anchored_width_px, side_px, rng)
        if draw < crops.anchored + crops.mosaic * strength:
            x_px, y_px = (int(value) for value in rng.uniform(0.3, 0.7, 2) * side_px)
            sizes = [(w, h) for h in (y_px, side_px - y_px) for w in (x_px, side_px - x_px)]
            parts = [self._anywhere(self._any(rng), crops.mosaic_scale, *size, rng) for size in sizes]
            return mosaic(parts, x_px, y_px, side_px)
        return self._anywhere(self._any(rng), crops.scale, side_px, side_px, rng)

    def _any(self, rng: np.random.Generator) -> LabelledPicture:
        return self.pictures[int(rng.integers(len(self.pictures)))]

    def _anywhere(
        self,
        picture: LabelledPicture,
        scales: tuple[float, float],
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> LabelledPicture:
        """Cuts at a random scale and place, inside the picture where it is large enough, often where a face is."""
        scale = _log_uniform(scales, rng)
        faces = picture.boxes[~picture.ignored]
        box = faces[int(rng.integers(len(faces)))] if len(faces) and rng.random() < self.crops.faced else None
        at = []
        for axis, crop_px in enumerate((width_px, height_px)):
            side_px, reach = picture.image.shape[1 - axis], 0.5 * crop_px / scale
            low, high = sorted((reach, side_px - reach))
            if box is not None:
                # The crop holds the middle of the face and stays inside the picture.
                middle = 0.5 * float(box[axis] + box[axis + 2])
                low, high = np.clip([middle - 0.9 * reach, middle + 0.9 * reach], low, high)
            at.append(float(rng.uniform(low, high)))
        return self._view(picture, at, (0.5 * width_px, 0.5 * height_px), scale, width_px, height_px, rng)

    def _around_face(
        self,
        pictures: Sequence[LabelledPicture],
        faces: NDArray[np.intp],
        widths_px: tuple[float, float],
        side_px: int,
        rng: np.random.Generator,
    ) -> LabelledPicture:
        """Cuts so that a random face gets a random width and lies anywhere in the crop."""
        number, row = faces[int(rng.integers(len(faces)))]
        x1, y1, x2, y2 = (float(value) for value in pictures[number].boxes[row])
        width_px = _log_uniform(widths_px, rng)
        scale = float(np.clip(width_px / (x2 - x1), 0.2, 8.0))
        halves = np.minimum(0.5 * scale * np.array([x2 - x1, y2 - y1]), 0.5 * side_px)
        x, y = rng.uniform(0.9 * halves, side_px - 0.9 * halves)
        at = (0.5 * (x1 + x2), 0.5 * (y1 + y2))
        return self._view(pictures[number], at, (float(x), float(y)), scale, side_px, side_px, rng)

    def _view(
        self,
        picture: LabelledPicture,
        at: Sequence[float],
        to: tuple[float, float],
        scale: float,
        width_px: int,
        height_px: int,
        rng: np.random.Generator,
    ) -> LabelledPicture:
        turn = self.crops.rotation_deg if rng.random() < self.crops.rotated else 0.0
        angle = float(rng.uniform(-turn, turn))
        if rng.random() < self.crops.sideways:
            angle += 90.0 if rng.random() < 0.5 else -90.0
        view = View((at[0], at[1]), to, scale, angle, bool(rng.random() < 0.5))
        return cut(picture, view, width_px, height_px)

    def _without_face(self, side_px: int, rng: np.random.Generator) -> LabelledPicture:
        """Cuts from a picture without faces, or draws one; a few more drawings may lie over either."""
        if self._empty and rng.random() < 0.6:
            picture = self._empty[int(rng.integers(len(self._empty)))]
            fit = side_px / max(picture.image.shape[:2])
            crop = self._anywhere(picture, (0.8 * fit, max(3 * fit, 1.5)), side_px, side_px, rng)
            if rng.random() < 0.3:
                draw_shapes(crop.image, rng, shapes=int(rng.integers(1, 6)))
                write_lettering(crop.image, rng, lines=int(rng.integers(1, 6)))
            return crop
        nothing = np.zeros((0, 4), np.float32), np.zeros((0, LANDMARKS, 2), np.float32), np.zeros(0, bool)
        return LabelledPicture(draw_page(side_px, rng), *nothing)


def _find_faces(pictures: Sequence[LabelledPicture], least_width_px: float, averted: int) -> NDArray[np.intp]:
    """Returns (faces, 2): number of the picture and row of every face that wide, averted ones `averted` times."""
    found = []
    for number, picture in enumerate(pictures):
        wide = ~picture.ignored & (picture.boxes[:, 2] - picture.boxes[:, 0] >= least_width_px)
        times = np.where(_look_away(picture), averted, 1) * wide
        found += [(number, row) for row in np.repeat(np.arange(len(times)), times)]
    return np.array(found, np.intp).reshape(-1, 2)


def _look_away(picture: LabelledPicture) -> NDArray[np.bool_]:
    """Returns which faces are turned far: eyes close together for the width of the face, or landmarks unknown."""
    eyes_px = picture.landmarks[:, 1, 0] - picture.landmarks[:, 0, 0]
    return np.asarray(~(np.abs(eyes_px) >= _LEAST_EYES * (picture.boxes[:, 2] - picture.boxes[:, 0])))


def _log_uniform(span: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(span))))


def _pack(crops: Sequence[LabelledPicture]) -> NDArray[np.float32]:
    """Returns truth (n, rows, 20), padded to a multiple of eight rows."""
    most = max(len(crop.boxes) for crop in crops)
    truth = np.zeros((len(crops), max(8, -(-most // 8) * 8), TRUTH_COLUMNS), np.float32)
    for rows, crop in zip(truth, crops, strict=True):
        count = len(crop.boxes)
        rows[:count, :4] = crop.boxes
        known = np.isfinite(crop.landmarks).all(axis=2)
        rows[:count, 4:14] = np.nan_to_num(crop.landmarks).reshape(count, 2 * LANDMARKS)
        rows[:count, 14:19] = known
        rows[:count, 19] = np.where(crop.ignored, IGNORE, FACE)
    return truth

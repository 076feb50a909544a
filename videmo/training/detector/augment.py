"""Random changes of training crops: what light, lenses, codecs and things before a face do to a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.training.detector.drawings import write_lettering
from videmo.training.detector.pictures import LabelledPicture

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How often pixels are changed; shares are probabilities per crop."""

    light: float = 0.6
    colour: float = 0.2
    gray: float = 0.06
    shadow: float = 0.06
    darkness: float = 0.07
    blur: float = 0.06
    coarse: float = 0.05
    noise: float = 0.06
    jpeg: float = 0.06
    lettering: float = 0.06
    cover: float = 0.06

    def apply(self, crop: LabelledPicture, rng: np.random.Generator, strength: float = 1.0) -> Image:
        """Returns the pixels of a crop changed at random; `strength` 0..1 scales how often."""
        image = crop.image
        steps: tuple[tuple[float, Callable[[], Image]], ...] = (
            (self.cover, lambda: _cover_faces(image, crop, rng)),
            (self.lettering, lambda: _letter(image, rng)),
            (self.light, lambda: _relight(image, rng)),
            (self.colour, lambda: _saturate(image, rng.uniform(0.2, 1.8))),
            (self.gray, lambda: _saturate(image, 0.0)),
            (self.shadow, lambda: _shade(image, rng)),
            (self.darkness, lambda: _darken(image, rng)),
            (self.blur, lambda: _blur(image, rng)),
            (self.coarse, lambda: _coarsen(image, rng)),
            (self.noise, lambda: _add_noise(image, rng)),
            (self.jpeg, lambda: _compress(image, int(rng.integers(20, 80)))),
        )
        for (share, change), draw in zip(steps, rng.random(len(steps)), strict=True):
            if draw < share * strength:
                image = change()
        return image


def _relight(image: Image, rng: np.random.Generator) -> Image:
    """Gamma, gain and offset, a little different for each channel (colour temperature)."""
    ramp = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.uniform(-0.5, 0.5) + rng.uniform(-0.08, 0.08, 3))
    gain = np.exp(rng.uniform(-0.3, 0.3) + rng.uniform(-0.12, 0.12, 3))
    table = np.clip(ramp**gamma * gain * 255 + rng.uniform(-20, 20), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), np.uint8)


def _saturate(image: Image, amount: float) -> Image:
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(image, amount, gray, 1 - amount, 0), np.uint8)


def _scale(image: Image, gain: float) -> Image:
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)


def _darken(image: Image, rng: np.random.Generator) -> Image:
    """Takes light away, down to a twelfth; the noise that cameras add then is weaker than what is left to see."""
    gain = float(np.exp(rng.uniform(np.log(0.08), np.log(0.5))))
    return _add_noise(_scale(image, gain), rng, strongest=12 * gain**0.5)


def _shade(image: Image, rng: np.random.Generator) -> Image:
    """Darkens one side of a random line, its border more or less sharp: one half in shadow."""
    height_px, width_px = image.shape[:2]
    angle, width = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(np.log(2), np.log(width_px)))
    x, y = np.arange(width_px) - rng.uniform(0.2, 0.8) * width_px, np.arange(height_px) - height_px / 2
    depth = np.clip((x * np.cos(angle) + (y * np.sin(angle))[:, None]) / width + 0.5, 0, 1)
    gain = (1 - rng.uniform(0.4, 0.85) * depth).astype(np.float32)
    return np.asarray(image * gain[..., None], np.uint8)


def _blur(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 2.0))), np.uint8)
    size = int(rng.integers(3, 9))
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1 / size
    turn = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), float(rng.uniform(0, 180)), 1.0)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (size, size)), np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _coarsen(image: Image, rng: np.random.Generator) -> Image:
    side_px = image.shape[0]
    small_px = int(side_px * rng.uniform(0.4, 0.85))
    small = cv2.resize(image, (small_px, small_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def _add_noise(image: Image, rng: np.random.Generator, strongest: float = 12.0) -> Image:
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0.15, 1) * strongest)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _compress(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _letter(image: Image, rng: np.random.Generator) -> Image:
    image = image.copy()
    write_lettering(image, rng, lines=int(rng.integers(1, 4)))
    return image


def _cover_faces(image: Image, crop: LabelledPicture, rng: np.random.Generator) -> Image:
    """Covers mouth and nose (a mask), the eyes (dark glasses) or a random part of faces whose box is known."""
    image = image.copy()
    for x1, y1, x2, y2 in crop.boxes[~crop.ignored]:
        if rng.random() < 0.6:
            top, bottom = ((0.52, 1.0), (0.25, 0.47), tuple(np.sort(rng.uniform(0, 1, 2))))[int(rng.integers(3))]
            colour = [int(value) for value in rng.integers(0, 256, 3)]
            centre = (int(0.5 * (x1 + x2)), int(y1 + 0.5 * (top + bottom) * (y2 - y1)))
            axes = (max(1, int(rng.uniform(0.35, 0.5) * (x2 - x1))), max(1, int(0.5 * (bottom - top) * (y2 - y1))))
            cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)
    return image

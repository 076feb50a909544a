"""Random changes of training faces: what cameras, crops and light do to a face without changing its expression."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.training.emotion.mixing import Floats, Mixed, cutmix, mixup
from videmo.training.ranges import require, require_amounts, require_shares

_SHARES: Final = ("soften", "blur", "erase", "cutmix")
_STEADY: Final = ("flip", "erase_side")
"""Fields that are shares of the faces, 0..1, and fields that are no matter of strength."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How strongly faces are changed.

    Attributes:
        flip: Share of faces that are mirrored, 0..1.
        rotation_deg: Largest turn, either way.
        scale: Largest natural logarithm of the zoom, in or out.
        aspect: Largest natural logarithm by which width and height are stretched against each other.
        shift: Largest shift in each direction, as a share of the side.
        light: Largest slope of light across the face, as a share of the brightness.
        gamma: Largest natural logarithm of the gamma exponent.
        brightness: Largest shift of all pixels, as a share of white; beyond black and white all is lost.
        contrast: Largest natural logarithm of the contrast about middle gray.
        soften: Share of faces that lose detail as if they had been smaller, 0..1.
        blur: Share of faces that are out of focus, 0..1.
        noise: Largest standard deviation of the noise on every pixel, in gray levels.
        erase: Share of faces of which a part is hidden, 0..1.
        erase_side: Smallest and largest side of the hidden part, as shares of the face's side.
        mixup: Both parameters of the beta distribution that mixes two faces; 0 mixes none.
        cutmix: Share of the batches whose faces are pasted into one another instead, 0..1.

    Raises:
        UsageError: A value is out of its range.
    """

    flip: float = 0.5
    rotation_deg: float = 15.0
    scale: float = 0.15
    aspect: float = 0.06
    shift: float = 0.08
    light: float = 0.6
    gamma: float = 0.5
    brightness: float = 0.1
    contrast: float = 0.2
    soften: float = 0.15
    blur: float = 0.1
    noise: float = 4.0
    erase: float = 0.3
    erase_side: tuple[float, float] = (0.15, 0.4)
    mixup: float = 0.2
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        require_shares(self, ("flip", *_SHARES))
        require_amounts(self, (field.name for field in fields(self) if field.name != "erase_side"))
        smallest, largest = self.erase_side
        allowed = "the smaller and the larger share, 0 to less than 1"
        require(0 <= smallest <= largest < 1, "erase_side", self.erase_side, allowed)

    def scaled(self, strength: float) -> Augmentation:
        """Returns the same changes, stronger or weaker; mirroring and the size of hidden parts stay.

        Example:
            >>> Augmentation(rotation_deg=15, erase=0.6).scaled(2).rotation_deg, Augmentation(erase=0.6).scaled(2).erase
            (30, 1.0)
        """
        changed = {name: value * strength for name, value in asdict(self).items() if name not in _STEADY}
        return replace(self, **{k: min(v, 1.0) if k in _SHARES else v for k, v in changed.items()})

    def apply(self, images: NDArray[np.uint8], side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Changes each face at random, mixing apart.

        Args:
            images: (n, height, width) uint8.
            side_px: Side of the square faces returned.
            rng: Source of randomness.

        Returns:
            (n, side_px, side_px, 1) float32, values 0..255.
        """
        faces = _warp(images, self._transforms(len(images), images.shape[2], side_px, rng), side_px)
        _soften(faces, rng.random(len(faces)) < self.soften, rng)
        _blur(faces, rng.random(len(faces)) < self.blur, rng)
        self._relight(faces, rng)
        self._add_noise(faces, rng)
        self._erase(faces, rng)
        return faces[..., None]

    def _transforms(self, n: int, side_px: int, out_px: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Affine maps (n, 2, 3) from output pixels to input pixels, about the centre of the face."""
        angles = np.deg2rad(rng.uniform(-self.rotation_deg, self.rotation_deg, n))
        zooms = np.exp(rng.uniform(-self.scale, self.scale, n)) * side_px / out_px
        stretches = np.exp(rng.uniform(-self.aspect, self.aspect, n))
        mirrors = np.where(rng.random(n) < self.flip, -1.0, 1.0)
        cos, sin = np.cos(angles) * zooms, np.sin(angles) * zooms
        maps = np.empty((n, 2, 3))
        maps[:, 0, 0], maps[:, 0, 1] = cos * stretches * mirrors, -sin / stretches
        maps[:, 1, 0], maps[:, 1, 1] = sin * stretches * mirrors, cos / stretches
        centres = (side_px - 1) / 2 + rng.uniform(-self.shift, self.shift, (n, 2)) * side_px
        maps[:, :, 2] = centres - maps[:, :, :2].sum(axis=2) * (out_px - 1) / 2
        return maps

    def _relight(self, faces: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Gamma, exposure and a ramp of light across the face: what per-face normalisation cannot undo."""
        n, side_px, _ = faces.shape
        faces /= 255
        np.power(faces, np.exp(_uniform(rng, self.gamma, n)), out=faces)
        gains, shifts = np.exp(_uniform(rng, self.contrast, n)), _uniform(rng, self.brightness, n)
        faces *= gains
        faces += 0.5 * (1 - gains) + shifts
        ramp = np.linspace(-0.5, 0.5, side_px, dtype=np.float32)
        faces *= 1 + _uniform(rng, self.light, n) * ramp[:, None] + _uniform(rng, self.light, n) * ramp
        np.clip(faces, 0, 1, out=faces)
        faces *= 255

    def _add_noise(self, faces: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Noise of the sensor, of another strength in every face."""
        if self.noise:
            strengths = rng.uniform(0, self.noise, (len(faces), 1, 1)).astype(np.float32)
            faces += strengths * rng.standard_normal(faces.shape, np.float32)
            np.clip(faces, 0, 255, out=faces)

    def _erase(self, faces: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Random erasing (Zhong et al., 2020): noise over a part, as a hand or a microphone would hide it."""
        side_px = faces.shape[1]
        for row in np.flatnonzero(rng.random(len(faces)) < self.erase):
            height, width = (rng.uniform(*self.erase_side, 2) * side_px).astype(int)
            y, x = rng.integers(side_px - height), rng.integers(side_px - width)
            faces[row, y : y + height, x : x + width] = rng.uniform(0, 255, (height, width))

    def mix(self, faces: Floats, targets: list[Floats], rng: np.random.Generator) -> Mixed:
        """Mixes the faces of a batch (n, S, S, 1) and their targets (n, labels) by mixup or cutmix."""
        if self.cutmix and rng.random() < self.cutmix:
            return cutmix(faces, targets, rng)
        return mixup(faces, targets, self.mixup, rng) if self.mixup else (faces, targets)


def _uniform(rng: np.random.Generator, limit: float, n: int) -> NDArray[np.float32]:
    """Returns a number for each face (n, 1, 1), at most `limit` either way."""
    return rng.uniform(-limit, limit, (n, 1, 1)).astype(np.float32)


def _warp(images: NDArray[np.uint8], maps: NDArray[np.float64], side_px: int) -> NDArray[np.float32]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    faces = np.empty((len(images), side_px, side_px), np.float32)
    for image, transform, face in zip(images, maps, faces, strict=True):
        face[:] = cv2.warpAffine(image, transform, (side_px, side_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return faces


def _soften(faces: NDArray[np.float32], chosen: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Loses detail in the chosen faces, in place, as small or unsharp faces have lost it."""
    side_px = faces.shape[1]
    for row in np.flatnonzero(chosen):
        small_px = int(side_px * rng.uniform(0.4, 0.8))
        small = cv2.resize(faces[row], (small_px, small_px), interpolation=cv2.INTER_AREA)
        faces[row] = cv2.resize(small, (side_px, side_px), interpolation=cv2.INTER_LINEAR)


def _blur(faces: NDArray[np.float32], chosen: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Blurs the chosen faces, in place, as a lens out of focus does."""
    for row in np.flatnonzero(chosen):
        radius_px = faces.shape[1] * rng.uniform(0.01, 0.02)
        faces[row] = cv2.GaussianBlur(faces[row], (0, 0), radius_px)

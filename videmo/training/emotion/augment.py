"""Random changes of training faces: what cameras, crops and light do to a face without changing its expression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


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
        soften: Share of faces that lose detail, 0..1.
        erase: Share of faces of which a part is hidden, 0..1.
        erase_side: Smallest and largest side of the hidden part, as shares of the face's side.
        mixup: Both parameters of the beta distribution that mixes two faces; 0 mixes none.
    """

    flip: float = 0.5
    rotation_deg: float = 15.0
    scale: float = 0.15
    aspect: float = 0.06
    shift: float = 0.08
    light: float = 0.6
    gamma: float = 0.5
    soften: float = 0.15
    erase: float = 0.3
    erase_side: tuple[float, float] = (0.15, 0.4)
    mixup: float = 0.2

    def apply(self, images: NDArray[np.uint8], side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Changes each face at random, mixup apart.

        Args:
            images: (n, height, width) uint8.
            side_px: Side of the square faces returned.
            rng: Source of randomness.

        Returns:
            (n, side_px, side_px, 1) float32, values 0..255.
        """
        faces = _warp(images, self._transforms(len(images), images.shape[2], side_px, rng), side_px)
        _soften(faces, rng.random(len(faces)) < self.soften, rng)
        self._relight(faces, rng)
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
        """Gamma and a linear ramp of light across the face, which per-face normalisation cannot undo."""
        n, side_px, _ = faces.shape
        faces /= 255
        np.power(faces, np.exp(rng.uniform(-self.gamma, self.gamma, (n, 1, 1))).astype(np.float32), out=faces)
        ramp = np.linspace(-0.5, 0.5, side_px, dtype=np.float32)
        slopes = rng.uniform(-self.light, self.light, (2, n, 1, 1)).astype(np.float32)
        faces *= 1 + slopes[0] * ramp[:, None] + slopes[1] * ramp
        np.clip(faces, 0, 1, out=faces)
        faces *= 255

    def _erase(self, faces: NDArray[np.float32], rng: np.random.Generator) -> None:
        """Random erasing (Zhong et al., 2020): noise over a part, as a hand or a microphone would hide it."""
        side_px = faces.shape[1]
        for row in np.flatnonzero(rng.random(len(faces)) < self.erase):
            height, width = (rng.uniform(*self.erase_side, 2) * side_px).astype(int)
            y, x = rng.integers(side_px - height), rng.integers(side_px - width)
            faces[row, y : y + height, x : x + width] = rng.uniform(0, 255, (height, width))

    def mix(
        self, faces: NDArray[np.float32], targets: list[NDArray[np.float32]], rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Mixup (Zhang et al., 2018): blends each face and its targets with another one of the batch.

        Args:
            faces: (n, side_px, side_px, 1) float32.
            targets: Arrays (n, labels) float32.
            rng: Source of randomness.

        Returns:
            Faces and targets of the same shapes.
        """
        if not self.mixup:
            return faces, targets
        shares = rng.beta(self.mixup, self.mixup, len(faces)).astype(np.float32)
        shares = np.maximum(shares, 1 - shares)
        others = rng.permutation(len(faces))
        weights = shares[:, None]
        mixed = [target * weights + target[others] * (1 - weights) for target in targets]
        weights = weights[..., None, None]
        return faces * weights + faces[others] * (1 - weights), mixed


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

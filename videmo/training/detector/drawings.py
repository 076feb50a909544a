"""Draws what looks a little like faces and is none: lettering, signs and cartoon shapes without a face."""

from __future__ import annotations

import string
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_FONTS: Final = tuple(range(8))
_LETTERS: Final = np.array(list(string.ascii_letters + string.digits + "iiijjööüä:;.!?%&@8B0Oo()"))


def write_lettering(image: NDArray[np.uint8], rng: np.random.Generator, *, lines: int) -> None:
    """Writes random words over a picture (H, W, 3), in place, in random fonts, sizes and colours."""
    height_px, width_px = image.shape[:2]
    for _ in range(lines):
        word = "".join(rng.choice(_LETTERS[:62] if rng.random() < 0.7 else _LETTERS, rng.integers(1, 14)))
        scale = float(np.exp(rng.uniform(np.log(0.35), np.log(5.0))))
        font, thick = int(rng.choice(_FONTS)), max(1, round(scale * rng.uniform(0.8, 4)))
        at = (int(rng.integers(-20, width_px)), int(rng.integers(0, height_px + 10)))
        colour = _colour(rng)
        if rng.random() < 0.3:
            outline = tuple(255 - value for value in colour)
            cv2.putText(image, word, at, font, scale, outline, thick + int(rng.integers(1, 5)), cv2.LINE_AA)
        cv2.putText(image, word, at, font, scale, colour, thick, cv2.LINE_AA)


def draw_shapes(image: NDArray[np.uint8], rng: np.random.Generator, *, shapes: int) -> None:
    """Draws discs, rings, boxes, arcs and polygons over a picture (H, W, 3), in place."""
    side_px = min(image.shape[:2])
    for _ in range(shapes):
        at = tuple(int(value) for value in rng.integers(0, side_px, 2))
        axes = tuple(int(value) for value in np.exp(rng.uniform(np.log(2), np.log(side_px / 2), 2)))
        colour, fill = _colour(rng), int(rng.choice([-1, 1, 2, 4]))
        kind = rng.integers(4)
        if kind == 0:
            cv2.circle(image, at, axes[0], colour, fill, cv2.LINE_AA)
        elif kind == 1:
            cv2.ellipse(image, at, axes, float(rng.uniform(0, 360)), 0, float(rng.uniform(90, 360)), colour, fill)
        elif kind == 2:
            cv2.rectangle(image, at, (at[0] + axes[0], at[1] + axes[1]), colour, fill)
        else:
            corners = (np.array(at) + rng.normal(0, axes[0], (int(rng.integers(3, 7)), 2))).astype(np.int32)
            cv2.fillPoly(image, [corners], colour, cv2.LINE_AA)


def draw_page(side_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns a square picture (side_px, side_px, 3) of a gradient with shapes and lettering, and no face."""
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    if rng.random() < 0.5:
        corners[:] = corners[0, 0]
    image = cv2.resize(corners, (side_px, side_px), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    draw_shapes(image, rng, shapes=int(rng.integers(0, 12)))
    write_lettering(image, rng, lines=int(rng.integers(0, 10)))
    return image


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    shade = rng.integers(0, 256, 3) if rng.random() < 0.6 else np.full(3, rng.choice([0, 20, 235, 255]))
    return int(shade[0]), int(shade[1]), int(shade[2])

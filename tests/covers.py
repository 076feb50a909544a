"""Things that cover part of a face, painted onto pictures where the face's square lies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import UInt8Array

SIDE_PX: Final = 144
"""Covers are drawn at this side of the face's square and warped to where it lies in the picture."""
SHARES: Final = (0.15, 0.5)
"""How much of the face a cover hides."""

Floats = NDArray[np.float32]
Patch = tuple[Floats, Floats]
"""Colours (S, S, 3) in 0..255 and opacity (S, S) in 0..1."""


def _blank() -> UInt8Array:
    return np.zeros((SIDE_PX, SIDE_PX), np.uint8)


CHEEK: Final = np.s_[75:98, 89:112]
"""A part of the square that is skin in most faces."""
FACE: Final = cv2.ellipse(_blank(), (72, 76), (53, 66), 0, 0, 360, 1, -1) > 0
"""The face in its square, about: an ellipse in the box."""


def paint_cover(
    image: UInt8Array, corners: NDArray[np.floating], kind: str, other: UInt8Array, seed: int
) -> UInt8Array:
    """Return the picture (H, W, 3) with the face in the square `corners` (4, 2) px covered by a `kind` of `COVERS`.

    Args:
        image: RGB.
        corners: As of `Squares.corners`.
        kind: A key of `COVERS`.
        other: Another face as `cut_face` returns it, whose texture hands and arms take. They take their tint from the
            face in the picture, give or take 15 %.
        seed: Decides place, size, colours and texture.
    """
    rng = np.random.default_rng(seed)
    tint = cut_face(image, corners)[CHEEK].mean(axis=(0, 1)) * rng.uniform(0.85, 1.15)
    skin = (other - other[CHEEK].mean(axis=(0, 1)) + tint).astype(np.float32)
    for _ in range(40):
        colours, opacity = COVERS[kind](rng, skin)
        if SHARES[0] <= float(opacity[FACE].mean()) <= SHARES[1]:
            break
    else:
        raise ValueError(f"{kind}: no cover of a size within {SHARES} in 40 attempts")
    opacity = cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.5, 1.5))
    place, size = _place(corners), image.shape[1::-1]
    weights = cv2.warpAffine(opacity, place, size)[..., None]
    painted = image + weights * (cv2.warpAffine(colours, place, size) - image)
    return np.asarray(painted.clip(0, 255), np.uint8)


def cut_face(image: UInt8Array, corners: NDArray[np.floating]) -> UInt8Array:
    """Return the square `corners` (4, 2) px of a picture as (S, S, 3)."""
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (SIDE_PX, SIDE_PX)
    cut = cv2.warpAffine(image, _place(corners), size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _place(corners: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from the drawing to the picture."""
    source = np.array([[0, 0], [SIDE_PX, 0], [SIDE_PX, SIDE_PX]], np.float32)
    return np.asarray(cv2.getAffineTransform(source, corners[:3].astype(np.float32)))


def _texture(rng: np.random.Generator, grain: float, strength: float) -> Floats:
    """Return smooth noise (S, S) about 0 with a standard deviation of `strength`."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, (SIDE_PX, SIDE_PX)), (0, 0), grain)
    return np.asarray(noise * strength / noise.std(), np.float32)


def _shade(rng: np.random.Generator, strength: float) -> Floats:
    """Return a ramp of light (S, S) in a random direction, from -strength to strength."""
    y, x = np.mgrid[-1 : 1 : SIDE_PX * 1j, -1 : 1 : SIDE_PX * 1j]
    turn = rng.uniform(0, 2 * np.pi)
    return np.asarray(strength * (np.cos(turn) * x + np.sin(turn) * y), np.float32)


def _plain(rng: np.random.Generator, grey: float, texture: Floats) -> Floats:
    """Return a surface (S, S, 3) of a random tint."""
    tint = grey + rng.uniform(-15, 15, 3)
    return np.asarray(tint + texture[..., None], np.float32)


def _hand(rng: np.random.Generator, skin: Floats) -> Patch:
    """A palm and the backs of three or four fingers side by side, of a cheek's skin, before any part of the face."""
    palm = cv2.ellipse(_blank(), (72, 92), (int(rng.uniform(26, 38)), int(rng.uniform(24, 34))), 0, 0, 360, 255, -1)
    lines, width = _blank(), rng.uniform(13, 18)
    fingers = int(rng.integers(3, 5))
    for number in range(fingers):
        x = 72 + (number - (fingers - 1) / 2) * width
        tip = (int(x + rng.uniform(-3, 3)), int(rng.uniform(18, 42)))
        cv2.line(palm, (int(x), 88), tip, 255, int(width * 0.92), cv2.LINE_AA)
        cv2.line(lines, (int(x + width / 2), 88), (tip[0] + int(width / 2), tip[1] + 6), 255, 2, cv2.LINE_AA)
    cheek = cv2.resize(skin[CHEEK], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    light = rng.uniform(0.8, 1.2) + _shade(rng, rng.uniform(0, 0.25)) + _texture(rng, 2, rng.uniform(0.01, 0.04))
    colours = cheek * light[..., None] * (1 - 0.3 / 255 * lines.astype(np.float32))[..., None]
    turn = rng.choice([-1, 1]) * rng.uniform(0, 100)
    place = cv2.getRotationMatrix2D((72, 80), turn, rng.uniform(0.65, 1.1))
    place[:, 2] += rng.uniform(-34, 34), rng.uniform(-20, 44)
    size = (SIDE_PX, SIDE_PX)
    colours = cv2.warpAffine(colours.astype(np.float32), place, size, borderMode=cv2.BORDER_REFLECT)
    return colours, cv2.warpAffine(palm, place, size).astype(np.float32) / 255


def _fingers(rng: np.random.Generator, skin: Floats) -> Patch:
    """One to four fingers or an arm across the face in any direction, with the detail of any part of another face."""
    size, width, length = (SIDE_PX, SIDE_PX), rng.uniform(12, 24), rng.uniform(50, 120)
    part = cv2.getRotationMatrix2D(tuple(rng.uniform(40, 104, 2)), rng.uniform(0, 360), rng.uniform(0.8, 2))
    colours = cv2.warpAffine(skin, part, size, borderMode=cv2.BORDER_REFLECT)
    colours = colours.mean(axis=(0, 1)) + rng.uniform(0.5, 1) * (colours - colours.mean(axis=(0, 1)))
    shape, lines, middle, turn = _blank(), _blank(), rng.uniform((20, 25), (124, 135)), rng.uniform(0, np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    for number in range(int(rng.integers(1, 5))):
        half = along * length * rng.uniform(0.37, 0.55)
        start, end = middle + number * width * across - half, middle + number * width * across + half
        cv2.line(shape, start.astype(int).tolist(), end.astype(int).tolist(), 255, int(width), cv2.LINE_AA)
        between = (start + across * width / 2).astype(int).tolist(), (end + across * width / 2).astype(int).tolist()
        cv2.line(lines, *between, int(rng.uniform(0, 80)), 2, cv2.LINE_AA)
    shaded = colours * (1 - lines.astype(np.float32) / 255)[..., None]
    return shaded.astype(np.float32), shape.astype(np.float32) / 255


def _mask(rng: np.random.Generator, skin: Floats) -> Patch:
    """A mask over mouth and nose, of any grey, with folds."""
    top = rng.uniform(78, 90)
    outline = [[72, top - 8], [112, top + 2], [128, top + 6], [122, 118], [96, 142], [72, 144]]
    points = np.array(outline + [[144 - x, y] for x, y in outline[::-1]], np.int32)
    grey = rng.uniform(25, 235)
    folds = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    for y in np.arange(top + 8, 140, rng.uniform(9, 14)):
        cv2.line(folds, (20, int(y)), (124, int(y)), -rng.uniform(5, 35), 2)
    surface = _texture(rng, 3, rng.uniform(1, 5)) + _shade(rng, rng.uniform(0, 30)) + folds * (rng.random() < 0.6)
    return _plain(rng, grey, surface), cv2.fillPoly(_blank(), [points], 255).astype(np.float32) / 255


def _bar(rng: np.random.Generator, skin: Floats) -> Patch:
    """A dark bar over both eyes, or large dark glasses."""
    shape, half = _blank(), rng.uniform(13, 22)
    if rng.random() < 0.5:
        cv2.rectangle(shape, (12, int(60 - half)), (132, int(60 + half)), 255, -1)
    else:
        for x in (48, 96):
            cv2.ellipse(shape, (x, 62), (23, int(half)), 0, 0, 360, 255, -1)
        cv2.line(shape, (60, 57), (84, 57), 255, 4)
    surface = _texture(rng, 5, rng.uniform(1, 4)) + _shade(rng, rng.uniform(0, 15))
    return _plain(rng, rng.uniform(5, 45), surface), shape.astype(np.float32) / 255


def _held_thing(rng: np.random.Generator, skin: Floats) -> Patch:
    """A microphone with its stick, or a cup, before the mouth."""
    shape, x, y = _blank(), int(72 + rng.uniform(-14, 14)), int(rng.uniform(104, 116))
    if rng.random() < 0.5:
        radius = int(rng.uniform(22, 30))
        cv2.circle(shape, (x, y), radius, 255, -1, cv2.LINE_AA)
        cv2.line(shape, (x, y), (x + int(rng.uniform(-30, 30)), 200), 255, int(radius * 0.9), cv2.LINE_AA)
        mesh = 14 * np.sin(np.mgrid[:SIDE_PX, :SIDE_PX] * rng.uniform(1, 2)).sum(axis=0)
        return _plain(rng, rng.uniform(15, 90), mesh.astype(np.float32)), shape.astype(np.float32) / 255
    half = rng.uniform(22, 34)
    cup = np.array([[x - half, y - 22], [x + half, y - 22], [x + 0.8 * half, 170], [x - 0.8 * half, 170]], np.int32)
    cv2.fillPoly(shape, [cup], 255, cv2.LINE_AA)
    surface = np.tile(np.cos(np.linspace(-2, 2, SIDE_PX)) * rng.uniform(5, 45), (SIDE_PX, 1)).astype(np.float32)
    surface += _texture(rng, 4, 2)
    return _plain(rng, rng.uniform(20, 220), surface), shape.astype(np.float32) / 255


def _hair(rng: np.random.Generator, skin: Floats) -> Patch:
    """A strand over one side of the face, eye included: streaks from the top."""
    reach, bottom = rng.uniform(52, 78), rng.uniform(70, 140)
    curve = np.array([[0, 0], [reach + 20, 0], [reach, 40], [reach - 10, 75], [reach - 30, bottom], [0, bottom]])
    shape = cv2.fillPoly(_blank(), [curve.astype(np.int32)], 255, cv2.LINE_AA).astype(np.float32) / 255
    noise = cv2.GaussianBlur(rng.normal(0, 1, (SIDE_PX, SIDE_PX)), (0, 0), sigmaX=1.2, sigmaY=14)
    streaks = (noise / noise.std() * rng.uniform(5, 18)).astype(np.float32)
    colours = _plain(rng, rng.uniform(15, 150), streaks)
    return (colours[:, ::-1].copy(), shape[:, ::-1].copy()) if rng.random() < 0.5 else (colours, shape)


COVERS: Final[dict[str, Callable[[np.random.Generator, UInt8Array], Patch]]] = {
    "hand": _hand,
    "fingers or arm": _fingers,
    "mask": _mask,
    "bar over the eyes": _bar,
    "microphone or cup": _held_thing,
    "hair over an eye": _hair,
}

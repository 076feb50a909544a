"""Boxes, names and bars drawn on planar YUV 4:2:0 pictures in place.

Everything works on the three planes of one picture, so that no frame is converted to RGB and back. Sizes follow the
short side of the picture: the same drawing is legible from 320x240 to 4K. Coordinates are rounded to even px, the grid
of the chroma planes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, ScoredFaces, UInt8Array
from videmo.palette import expression_colours

Yuv = tuple[int, int, int]

BLACK: Yuv = (16, 128, 128)
_WHITE_LUMA = 235
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DASH_LINES = 6  # length of a dash, and of the space after it, in widths of the line
_SMALLEST_PX = 48  # of the picture's short side: below it no text could be read


class Planes(NamedTuple):
    """Views of one I420 picture: y (H, W), u and v (H / 2, W / 2), H and W even."""

    y: UInt8Array
    u: UInt8Array
    v: UInt8Array


class Size(NamedTuple):
    """How large things are drawn in one picture; text is smaller on small faces, so that a crowd stays legible."""

    line_px: int
    text_px: int
    least_text_px: int
    bar_px: int

    def text_px_for(self, box: Sequence[int]) -> int:
        """Return the height of the text at a face's box."""
        return min(self.text_px, max(self.least_text_px, (box[2] - box[0]) // 4))


def split_planes(i420: UInt8Array) -> Planes:
    """Return views of the planes of an I420 picture (H * 3 / 2, W); writing to them writes to the picture."""
    rows, width = i420.shape
    height = rows * 2 // 3
    chroma = i420.reshape(-1)[height * width :].reshape(2, height // 2, width // 2)
    return Planes(i420[:height], chroma[0], chroma[1])


def draw_faces(
    planes: Planes,
    faces: ScoredFaces,
    labels: Sequence[str],
    usable: NDArray[np.bool_] | None = None,
    *,
    labels_shown: bool = True,
    names: Mapping[int, str] | None = None,
) -> None:
    """Draw a box round each face in the colour of its top expression, with id, expression and a bar of probabilities.

    The box is dashed where `usable` (n,) is False, nowhere if it is None. With `labels_shown` False the boxes only.
    `names` are written beside the track ids they belong to, without accents: the font has Latin letters only.
    """
    if not len(faces):
        return
    colours, size = _yuv_colours(tuple(labels)), _size_for(planes)
    best = faces.emotions.argmax(axis=1)
    boxes = even_boxes(faces.boxes, planes)
    dashed = np.zeros(len(faces), np.bool_) if usable is None else ~usable
    for box, top, is_dashed in zip(boxes, best, dashed, strict=True):
        _outline(planes, box, size.line_px, colours[top], dashed=bool(is_dashed))
    if not labels_shown or min(planes.y.shape) < _SMALLEST_PX:
        return
    for row, (box, top) in enumerate(zip(boxes, best, strict=True)):
        track_id, share = int(faces.track_ids[row]), faces.emotions[row, top]
        who = f"{track_id} {_drawable((names or {}).get(track_id, ''))}".strip()
        _draw_tag(planes, box, f"{who} {labels[top]} {share:.0%}", faces.emotions[row], colours, size)


def even_boxes(boxes: NDArray[np.floating], planes: Planes) -> list[list[int]]:
    """Return boxes (n, 4) as whole even px inside the picture, at least 2 px wide and high."""
    height, width = planes.y.shape
    corners = (np.asarray(boxes, np.float64) / 2).round().astype(np.int64) * 2
    low = np.clip(corners[:, :2], 0, [width - 2, height - 2])
    high = np.clip(corners[:, 2:], low + 2, [width, height])
    return np.concatenate([low, high], axis=1).tolist()  # type: ignore[no-any-return]


def _size_for(planes: Planes) -> Size:
    short = min(planes.y.shape)
    return Size(
        line_px=_even(short / 240),
        text_px=round(6 + short / 40),
        least_text_px=round(6 + short / 90),
        bar_px=_even(3 + short / 150),
    )


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


@lru_cache(maxsize=16)
def _yuv_colours(labels: tuple[str, ...]) -> list[Yuv]:
    """Return the colour of each label in limited-range YUV by BT.601; in BT.709 pictures it is seen 14 levels off."""
    # Blocks of 2 x 2 px of one colour: what one chroma sample covers.
    rgb = np.repeat(np.repeat(expression_colours(labels)[None], 2, axis=0), 2, axis=1)
    y, u, v = split_planes(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8))
    return [(int(y[0, 2 * i]), int(u[0, i]), int(v[0, i])) for i in range(len(labels))]


def _fill(planes: Planes, x1: int, y1: int, x2: int, y2: int, colour: Yuv) -> None:
    """Fill a rectangle of even coordinates; parts outside the picture are left out."""
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), max(x2, 0), max(y2, 0)
    for plane, value, step in zip(planes, colour, (1, 2, 2), strict=True):
        plane[y1 // step : y2 // step, x1 // step : x2 // step] = value


def _outline(planes: Planes, box: Sequence[int], line_px: int, colour: Yuv, *, dashed: bool) -> None:
    """Draw a frame whose dark edge keeps it visible on a ground of its own colour."""
    x1, y1, x2, y2 = box
    dash_px = _DASH_LINES * line_px if dashed else max(x2 - x1, y2 - y1)
    flat = [(x, min(x + dash_px, x2)) for x in range(x1, x2, 2 * dash_px)]
    upright = [(y, min(y + dash_px, y2)) for y in range(y1, y2, 2 * dash_px)]
    parts = [(start, y, end, y + line_px) for y in (y1, y2 - line_px) for start, end in flat]
    parts += [(x, start, x + line_px, end) for x in (x1, x2 - line_px) for start, end in upright]
    for grow, tone in ((2, BLACK), (0, colour)):
        for left, top, right, bottom in parts:
            _fill(planes, left - grow, top - grow, right + grow, bottom + grow, tone)


def _drawable(name: str) -> str:
    """Return what OpenCV's font can show of a name: printable ASCII, letters without their accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isprintable()).strip()


def _draw_tag(
    planes: Planes, box: Sequence[int], text: str, shares: Float32Array, colours: Sequence[Yuv], size: Size
) -> None:
    """Draw the text and under it the stacked bar of shares, above the box where there is room, else inside its top."""
    height, width = planes.y.shape
    text_px = size.text_px_for(box)
    stroke = max(1, round(text_px / 14))
    scale = cv2.getFontScaleFromHeight(_FONT, text_px, stroke)
    (text_width, text_height), below = cv2.getTextSize(text, _FONT, scale, stroke)
    pad = _even(text_px / 4)
    if text_width + 2 * pad > width:  # a narrow picture: shrink the text rather than cut it off
        scale *= (width - 2 * pad) / text_width
        (text_width, text_height), below = cv2.getTextSize(text, _FONT, scale, stroke)
    tag_width, tag_height = _even(text_width + 2 * pad), _even(text_height + below + pad) + size.bar_px
    x = min(max(box[0], 0), max(width - tag_width, 0))
    y = box[1] - tag_height if box[1] >= tag_height else min(box[1] + size.line_px, height - tag_height)
    y = max(y, 0)
    _fill(planes, x, y, x + tag_width, y + tag_height, BLACK)
    origin = (x + pad, y + round(0.75 * pad) + text_height)
    cv2.putText(planes.y, text, origin, _FONT, scale, _WHITE_LUMA, stroke, cv2.LINE_AA)
    _draw_bar(planes, x, y + tag_height - size.bar_px, tag_width, size.bar_px, shares, colours)


def _draw_bar(
    planes: Planes, x: int, y: int, width: int, height: int, shares: Float32Array, colours: Sequence[Yuv]
) -> None:
    edges = 2 * (np.concatenate([[0], shares.cumsum()]).clip(0, 1) * width / 2).round().astype(int)
    for left, right, colour in zip(edges[:-1], edges[1:], colours, strict=True):
        _fill(planes, x + int(left), y, x + int(right), y + height, colour)

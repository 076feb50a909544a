"""Pictures that stay in the decoder's format until a stage asks for pixels, and then make only those it asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from videmo.datatypes import Part, UInt8Array

# Pixel formats whose first plane is 8-bit luma: it can be read in place.
_LUMA_FIRST = frozenset(
    {"gray", "nv12", "nv16", "nv21", "yuv410p", "yuv411p", "yuv420p", "yuv422p", "yuv440p", "yuv444p", "yuva420p"}
    | {"yuvj411p", "yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p"}
)
_LIMITED, _FULL = 1, 2  # AVCOL_RANGE_MPEG and AVCOL_RANGE_JPEG
# ITU-R BT.601/709: limited range puts black at 16 and white at 235.
_STRETCH = np.clip((np.arange(256) - 16) * 255 / 219, 0, 255).round().astype(np.uint8)
_CV2_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Scaler:
    """The pixel conversions of one stream: one swscale context per target size and format, made once.

    Invariant: a frame is read by one conversion at a time. swscale contexts are not thread-safe, and PyAV writes to the
    source frame's colour tags while it converts, so one lock guards both.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._reformatters: dict[tuple[int, int, str], VideoReformatter] = {}

    def convert(self, frame: VideoFrame, width_px: int, height_px: int, pixel_format: str, range_: int) -> VideoFrame:
        """Return `frame` in the given size, pixel format and colour range; itself where it is that already."""
        target = (width_px, height_px, pixel_format)
        with self._lock:
            if target not in self._reformatters:
                self._reformatters[target] = VideoReformatter()
            return self._reformatters[target].reformat(
                frame,
                *target,
                interpolation=Interpolation.AREA,
                src_color_range=color_range(frame),
                dst_color_range=range_,
            )


def color_range(frame: VideoFrame) -> int:
    """Return the range of the frame's luma: AVCOL_RANGE_JPEG (full) or AVCOL_RANGE_MPEG (limited).

    Untagged YUV is limited, as players have it; untagged RGB, palettes and gray are full.
    """
    if frame.color_range in (_LIMITED, _FULL):
        return int(frame.color_range)
    is_full = frame.format.is_rgb or frame.format.name.startswith(("gray", "mono", "pal", "ya", "yuvj"))
    return _FULL if is_full else _LIMITED


@dataclass(frozen=True, slots=True)
class Display:
    """How a stream's pictures are shown: their size with square pixels *before* the turn, then the turn.

    `rotation` is in degrees clockwise: 0, 90, 180 or 270. With `mirrored` left and right change places before it.
    """

    width_px: int
    height_px: int
    rotation: int
    mirrored: bool = False

    @property
    def as_stored(self) -> bool:
        """True when pictures are shown as they are stored."""
        return not (self.rotation or self.mirrored)

    @property
    def swapped(self) -> bool:
        """True when the turn swaps width and height."""
        return self.rotation in (90, 270)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px after the turn."""
        return (self.height_px, self.width_px) if self.swapped else (self.width_px, self.height_px)

    def upright(self, pixels: UInt8Array) -> UInt8Array:
        """Return the pixels (h, w[, 3]) turned as displayed."""
        if self.mirrored:
            pixels = np.asarray(cv2.flip(pixels, 1), np.uint8)
        return np.asarray(cv2.rotate(pixels, _CV2_TURNS[self.rotation]), np.uint8) if self.rotation else pixels


@dataclass(frozen=True, slots=True, eq=False)
class VideoPicture:
    """A decoded frame as displayed; implements `datatypes.Picture`. Scaling and conversion are one pass of swscale.

    A frame whose size is not the stream's (the resolution changed on the way) is scaled to the stream's.
    """

    frame: VideoFrame = field(repr=False)
    display: Display
    scaler: Scaler = field(repr=False)

    @property
    def width_px(self) -> int:
        """Width as displayed."""
        return self.display.size[0]

    @property
    def height_px(self) -> int:
        """Height as displayed."""
        return self.display.size[1]

    def rgb(self, width_px: int | None = None, height_px: int | None = None) -> UInt8Array:
        """Return the picture as (height_px, width_px, 3) RGB, scaled in the same pass when a size is given."""
        size = (width_px or self.width_px, height_px or self.height_px)
        width, height = reversed(size) if self.display.swapped else size
        return self.display.upright(_plane(self.scaler.convert(self.frame, width, height, "rgb24", _FULL), 0))

    def gray(self, part: Part | None = None) -> UInt8Array:
        """Return the luma as (height_px, width_px), stretched to the full range 0..255, or only a part of it."""
        if self.frame.format.name in _LUMA_FIRST:
            source, limited = self.frame, color_range(self.frame) == _LIMITED
        else:
            source, limited = self._as_displayed("gray", _FULL), False
        luma, size = _plane(source, 0), (self.display.width_px, self.display.height_px)
        if size == (source.width, source.height) and self.display.as_stored:
            return _stretch(_cut(luma, part), limited)
        stretched = _stretch(luma, limited)
        if size != (source.width, source.height):
            stretched = np.asarray(cv2.resize(stretched, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return _cut(self.display.upright(stretched), part)

    def i420(self) -> UInt8Array:
        """Return a writable planar YUV 4:2:0 copy, (H * 3 / 2, W), H and W rounded up to even, limited range."""
        converted = self._as_displayed("yuv420p", _LIMITED)
        luma, *chroma = (self.display.upright(_plane(converted, index)) for index in range(3))
        luma = _even_sides(luma)
        return np.concatenate([luma.ravel(), *(plane.ravel() for plane in chroma)]).reshape(-1, luma.shape[1])

    def _as_displayed(self, pixel_format: str, range_: int) -> VideoFrame:
        return self.scaler.convert(self.frame, self.display.width_px, self.display.height_px, pixel_format, range_)


def _plane(frame: VideoFrame, index: int) -> UInt8Array:
    """Return one plane as a view (h, w), or (h, w, 3) of packed RGB, without the padding at the end of its rows."""
    plane = frame.planes[index]
    shape = (plane.height, plane.width, 3) if frame.format.name == "rgb24" else (plane.height, plane.width)
    flat = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height)
    return flat.reshape(plane.height, plane.line_size)[:, : math.prod(shape[1:])].reshape(shape)


def _cut(pixels: UInt8Array, part: Part | None) -> UInt8Array:
    x1, y1, x2, y2 = part or (0, 0, pixels.shape[1], pixels.shape[0])
    return pixels[y1:y2, x1:x2]


def _stretch(luma: UInt8Array, limited: bool) -> UInt8Array:
    """Return a copy of the luma, of limited range made full."""
    return np.asarray(cv2.LUT(luma, _STRETCH), np.uint8) if limited else luma.copy()


def _even_sides(pixels: UInt8Array) -> UInt8Array:
    """Return the pixels (h, w[, 3]) with the last row and column repeated where a side is odd."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        padded = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        return np.asarray(padded, np.uint8)
    return pixels


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPicture:
    """A picture that is in memory already, `pixels` (H, W, 3) RGB; implements `datatypes.Picture`."""

    pixels: UInt8Array = field(repr=False)

    @property
    def width_px(self) -> int:
        """Width of the pixels."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height of the pixels."""
        return int(self.pixels.shape[0])

    def rgb(self, width_px: int | None = None, height_px: int | None = None) -> UInt8Array:
        """Return the picture as (height_px, width_px, 3) RGB."""
        size = (width_px or self.width_px, height_px or self.height_px)
        if size == (self.width_px, self.height_px):
            return self.pixels
        shrinking = size[0] < self.width_px
        return np.asarray(
            cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR), np.uint8
        )

    def gray(self, part: Part | None = None) -> UInt8Array:
        """Return the luma (BT.601) as (height_px, width_px), full range, or only a part of it."""
        return np.asarray(cv2.cvtColor(_cut(self.pixels, part), cv2.COLOR_RGB2GRAY), np.uint8)

    def i420(self) -> UInt8Array:
        """Return a planar YUV 4:2:0 copy, (H * 3 / 2, W), H and W rounded up to even, limited range, BT.601."""
        return np.asarray(cv2.cvtColor(_even_sides(self.pixels), cv2.COLOR_RGB2YUV_I420), np.uint8)

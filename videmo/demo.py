"""A short film made on the spot: scikit-image's public-domain astronaut portrait in scenes with known contents."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, cycle, takewhile
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from videmo.datatypes import Float32Array, UInt8Array
from videmo.errors import UsageError

WIDTH_PX, HEIGHT_PX, DURATION_S = 640, 360, 8.0
# Pauses between frames that no constant rate explains: 16 to 30 frames per second, turn by turn.
_FRAME_STEPS_MS = (33, 42, 63, 33, 50, 37)
_TONE_HZ, _TONE_LEVEL, _TONE_SAMPLES = 220, 0.1, 1024


def write_demo_clip(path: Path) -> None:
    """Write the demo: 8 s of 640x360 H.264 at a variable frame rate, with a soft tone as AAC.

    0 to 2.5 s one moving face; to 4.5 s two of different size; a cut; to 6 s nobody; then the first face again.

    Raises:
        UsageError: when scikit-image, whose portrait is filmed, is not installed.

    Example:
        >>> write_demo_clip(Path("demo.mp4"))  # doctest: +SKIP
    """
    times_ms = takewhile(lambda time_ms: time_ms < DURATION_S * 1000, accumulate(cycle(_FRAME_STEPS_MS), initial=0))
    times_s = [time_ms / 1000 for time_ms in times_ms]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        tone = container.add_stream("aac", rate=44_100)
        encode_pictures(container, stream, (compose_scene(time_s) for time_s in times_s), times_s)
        encode_tone(container, tone, DURATION_S)


def compose_scene(time_s: float) -> UInt8Array:
    """Return the demo's picture (360, 640, 3) RGB at `time_s` seconds."""
    canvas = _backdrop(after_cut=time_s >= 4.5).copy()
    if time_s < 2.5:
        paste_portrait(canvas, round(40 + 120 * time_s), 60, 260)
    elif time_s < 4.5:
        paste_portrait(canvas, 340 - round(40 * (time_s - 2.5)), 60, 260)
        paste_portrait(canvas, 60 + round(20 * (time_s - 2.5)), 150, 160)
    elif time_s >= 6:
        paste_portrait(canvas, 190, round(40 + 15 * (time_s - 6)), 280)
    return canvas


def paste_portrait(canvas: UInt8Array, x_px: int, y_px: int, side_px: int) -> None:
    """Draw the portrait into `canvas` (H, W, 3) RGB as a soft-edged square with its top left corner at (x_px, y_px).

    What falls outside the canvas is cut off. Raises UsageError when scikit-image is not installed.
    """
    height_px, width_px = canvas.shape[:2]
    left, top = max(x_px, 0), max(y_px, 0)
    right, bottom = min(x_px + side_px, width_px), min(y_px + side_px, height_px)
    if left >= right or top >= bottom:
        return
    seen = np.s_[top - y_px : bottom - y_px, left - x_px : right - x_px]
    portrait, alpha = _portrait(side_px)
    region = canvas[top:bottom, left:right]
    region[:] = region + (portrait[seen] - region) * alpha[seen]


@lru_cache(maxsize=32)
def _portrait(side_px: int) -> tuple[Float32Array, Float32Array]:
    """Return the portrait (side, side, 3) RGB and its opacity (side, side, 1) 0..1, soft towards the edges."""
    try:
        from skimage.data import astronaut
    except ImportError as error:
        raise UsageError('the demo needs scikit-image for its portrait: pip install "videmo[demo]"') from error
    shrinking = side_px < 256
    portrait = cv2.resize(
        astronaut()[0:256, 96:352],  # type: ignore[no-untyped-call]
        (side_px, side_px),
        interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC,
    )
    from_centre = np.abs(np.linspace(-1, 1, side_px, dtype=np.float32))
    ramp = np.clip((1 - from_centre) / 0.1, 0, 1)
    return portrait.astype(np.float32), np.minimum.outer(ramp, ramp)[..., None]


@lru_cache(maxsize=2)
def _backdrop(*, after_cut: bool) -> UInt8Array:
    """Return the wall behind the portraits (360, 640, 3) RGB: a dark blue one, a light warm one after the cut."""
    first, last = ((228, 214, 190), (176, 150, 122)) if after_cut else ((24, 34, 58), (60, 84, 110))
    column = np.linspace(first, last, HEIGHT_PX)[:, None]
    return np.broadcast_to(column, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8)


def encode_pictures(
    container: OutputContainer, stream: VideoStream, pictures: Iterable[UInt8Array], times_s: Iterable[float]
) -> float:
    """Encode RGB `pictures` (H, W, 3) into `stream`, each at its own time; return the time of the last in seconds."""
    time_base = stream.codec_context.time_base
    time_s = 0.0
    for picture, time_s in zip(pictures, times_s, strict=False):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.time_base, frame.pts = time_base, round(time_s / time_base)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    return float(time_s)


def encode_tone(container: OutputContainer, stream: AudioStream, duration_s: float) -> None:
    """Encode a soft mono tone of `duration_s` seconds into `stream`."""
    rate_hz = stream.codec_context.sample_rate
    end = round(duration_s * rate_hz)
    for start in range(0, end, _TONE_SAMPLES):
        samples = np.arange(start, min(start + _TONE_SAMPLES, end))
        wave = _TONE_LEVEL * np.sin(2 * np.pi * _TONE_HZ / rate_hz * samples)
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())

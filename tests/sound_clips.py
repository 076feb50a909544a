"""Clips whose sound can be told apart in time: silence, then a tone that starts when the picture turns white."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import InputContainer

FPS, SIDE_PX, RATE = 25, 64, 48_000
PLAIN_H264: Final = {"preset": "ultrafast", "bf": "0"}
LEADING_PICTURES: Final = {
    "preset": "ultrafast",
    "x265-params": "radl=2:bframes=4:b-adapt=0:keyint=25:min-keyint=25:open-gop=0:scenecut=0:log-level=none",
}
"""HEVC whose key frames are followed by pictures that are shown before them."""


def write_flash(
    path: Path,
    *,
    audio_codec: str,
    rate: int = RATE,
    flash_s: float = 1.0,
    duration_s: float = 2.0,
    picture_start_s: float = 0.0,
    sound_start_s: float = 0.0,
    video_codec: str = "libx264",
    video_options: Mapping[str, str] = PLAIN_H264,
) -> Path:
    """Write a clip (container by suffix): white picture and tone from `flash_s` on, both black and silent before.

    Picture and sound start at their own times on the container's clock; the flash is at `flash_s` of the picture.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(video_codec, rate=FPS, options=dict(video_options))
        video.width = video.height = SIDE_PX
        video.pix_fmt = "yuv420p"
        audio = container.add_stream(audio_codec, rate=rate, layout="mono")
        for index in range(round(duration_s * FPS)):
            luma = 235 if index / FPS >= flash_s else 16
            pixels = np.full((SIDE_PX * 3 // 2, SIDE_PX), 128, np.uint8)
            pixels[:SIDE_PX] = luma
            frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            frame.pts = index + round(picture_start_s * FPS)
            frame.time_base = Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        _write_tone(container, audio, rate, picture_start_s + flash_s, sound_start_s, picture_start_s + duration_s)
    return path


def cut_at_second_key_frame(source: Path, path: Path) -> Path:
    """Copy a clip's packets from the second key frame on, sound from the same second, as editors cut without loss."""
    with av.open(str(source)) as container, av.open(str(path), "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in container.streams}
        start_s, keys = math.inf, 0
        for packet in container.demux():
            if packet.dts is None or packet.pts is None:
                continue
            time_s = float(packet.pts * packet.time_base)
            keys += packet.stream.type == "video" and packet.is_keyframe
            if keys == 2 and start_s == math.inf:
                start_s = time_s - 0.2
            if keys >= 2 and (packet.stream.type == "video" or time_s >= start_s):
                shift = round(start_s / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return path


def flashes_s(path: Path) -> tuple[list[float], list[float]]:
    """Return all times at which the picture turns white, and all at which the tone sets in."""
    with av.open(str(path)) as container:
        white = [(f.time or 0.0, bool(f.to_ndarray(format="gray").mean() > 128)) for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        loud = [(f.time or 0.0, bool(np.abs(f.to_ndarray()).max() > 0.1)) for f in container.decode(audio=0)]
    return _onsets_s(white), _onsets_s(loud)


def _onsets_s(states: list[tuple[float, bool]]) -> list[float]:
    return [time_s for (_, before), (time_s, now) in pairwise(states) if now and not before]


def _write_tone(container, audio, rate, tone_s, start_s, end_s) -> None:  # type: ignore[no-untyped-def]
    times_s = np.arange(round(start_s * rate), round(end_s * rate)) / rate
    wave = (np.sin(2 * np.pi * 440 * times_s) * 12_000 * (times_s >= tone_s)).astype(np.int16)
    resampler = av.AudioResampler(audio.codec_context.format, audio.layout, rate, frame_size=audio.frame_size or 1024)
    frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, round(start_s * rate), Fraction(1, rate)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(audio.encode(part))
    container.mux(audio.encode(None))


def flash_times_s(path: Path) -> tuple[float, float]:
    """Return when the picture turns white and when the tone sets in, in seconds of the container's clock."""
    with av.open(str(path)) as container:
        white = next(f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128)
    with av.open(str(path)) as container:
        return float(white or 0), _tone_onset_s(container)


def _tone_onset_s(container: InputContainer) -> float:
    for frame in container.decode(audio=0):
        samples = np.abs(frame.to_ndarray().astype(np.float64)).max(axis=0)
        loud = np.flatnonzero(samples > (3000 if samples.max() > 2 else 0.1))
        if len(loud):
            per_channel = len(samples) / frame.samples  # packed formats hold the channels side by side
            return float(frame.time or 0) + loud[0] / per_channel / frame.sample_rate
    raise AssertionError("no tone found")

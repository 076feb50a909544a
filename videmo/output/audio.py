"""The sound of the source, carried into the annotated video in step with the picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, TypeAlias

import av
import av.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

AudioPacket: TypeAlias = "Packet[AudioStream]"

# What MP4 carries and common players play; everything else is encoded anew.
_COPIED: Final = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
_PREROLL_S: Final = 0.1  # of sound before the first picture is kept for the decoder to settle; players do not play it
_AAC_SAMPLES: Final = 1024  # per packet
_DISCARD: Final = getattr(av.stream, "Discard", None)  # since PyAV 17.1


class Soundtrack:
    """The audio of one source on its way into one MP4 file.

    Nothing that is wrong with the sound fails the picture: the sound ends there and `warnings` says why. Packets are
    taken from the source as the picture advances, so memory stays bounded.

    Args:
        source: the open source.
        target: the MP4 file; an audio stream is added to it.
        origin_s: the time on the source's clock that becomes second 0 of the target.
    """

    def __init__(self, source: InputContainer, target: OutputContainer, origin_s: float) -> None:
        self._failure: str | None = None
        self._damaged = 0
        self._source, self._target, self._origin_s = source, target, origin_s
        self._reached_s = 0.0
        self._packets: Iterator[AudioPacket] = iter(())
        self._next: AudioPacket | None = None
        try:
            self._packets = self._open()
        except (FFmpegError, ValueError) as error:
            self._give_up(error)
        self._take()

    @property
    def warnings(self) -> list[str]:
        """What was wrong so far."""
        damaged = f"{self._damaged} damaged packets of sound were left out of the annotated video"
        return ([damaged] if self._damaged else []) + ([self._failure] if self._failure else [])

    def advance(self, until_s: float) -> None:
        """Write the sound up to second `until_s` of the target.

        Raises:
            OSError: the target cannot be written.
        """
        while self._next is not None and self._reached_s < until_s:
            try:
                self._target.mux(self._next)
            except OSError:  # the disk, not the sound
                raise
            except (FFmpegError, ValueError) as error:
                self._give_up(error)
            self._take()

    def _take(self) -> None:
        try:
            self._next = next(self._packets, None)
        except (FFmpegError, ValueError) as error:
            self._give_up(error)
        if self._next is not None:
            self._reached_s = float((self._next.pts or 0) * self._next.time_base)

    def _give_up(self, error: Exception) -> None:
        self._failure = f"the annotated video has no sound from {max(self._reached_s, 0):.1f} s on: {error}"
        self._packets, self._next = iter(()), None

    def _open(self) -> Iterator[AudioPacket]:
        stream = self._source.streams.audio[0]
        for other in self._source.streams:
            if other.index != stream.index and _DISCARD is not None:
                other.discard = _DISCARD.all  # the pictures are read elsewhere: spare reading them twice
        if stream.codec_context is None:
            raise ValueError("FFmpeg has no decoder for it")
        codec = stream.codec_context.codec.canonical_name
        if codec in _COPIED and _mp4_takes(stream):
            return self._copied(stream, self._target.add_stream_from_template(stream))
        return self._reencoded(stream, _add_aac(self._target, stream))

    def _copied(self, stream: AudioStream, target: AudioStream) -> Iterator[AudioPacket]:
        """Yield the packets of the source as they are, their times moved and counted in samples."""
        tick, rate = stream.time_base or Fraction(1), stream.rate
        last_dts = None
        for packet in self._source.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue  # the empty packet at the end
            packet.pts = round((float(packet.pts * tick) - self._origin_s) * rate)
            packet.dts = round((float(packet.dts * tick) - self._origin_s) * rate)
            packet.duration, packet.time_base = round((packet.duration or 0) * tick * rate), Fraction(1, rate)
            runs_back = last_dts is not None and packet.dts <= last_dts  # MP4 cannot express it
            if packet.pts + packet.duration > -_PREROLL_S * rate and not runs_back:
                last_dts = packet.dts
                packet.stream = target
                yield packet

    def _reencoded(self, stream: AudioStream, target: AudioStream) -> Iterator[AudioPacket]:
        """Yield the sound of the source as AAC."""
        resampler = av.AudioResampler("fltp", target.layout, target.rate, frame_size=_AAC_SAMPLES)
        for frame in self._decoded(stream):
            for part in resampler.resample(frame):
                yield from target.encode(part)
        for part in resampler.resample(None):
            yield from target.encode(part)
        yield from target.encode(None)

    def _decoded(self, stream: AudioStream) -> Iterator[AudioFrame]:
        """Yield the decoded sound from second 0 of the target on, its times counted in samples."""
        for packet in self._source.demux(stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                self._damaged += 1
                continue
            for frame in frames:
                start_s = (frame.time or 0.0) - self._origin_s
                if start_s + frame.samples / frame.sample_rate > 0:
                    frame.pts, frame.time_base = round(start_s * frame.sample_rate), Fraction(1, frame.sample_rate)
                    yield frame


def _mp4_takes(stream: AudioStream) -> bool:
    """Try it: MP4 refuses some rates and profiles of codecs that it carries, which only shows in the header."""
    with av.open(io.BytesIO(), "w", format="mp4") as trial:
        trial.add_stream_from_template(stream)
        try:
            trial.start_encoding()
        except (FFmpegError, ValueError):
            return False
    return True


def _add_aac(target: OutputContainer, stream: AudioStream) -> AudioStream:
    rates = av.Codec("aac", "w").audio_rates or []
    rate = stream.rate if stream.rate in rates else 48_000
    return target.add_stream("aac", rate=rate, layout="mono" if stream.channels == 1 else "stereo")

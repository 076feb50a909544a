"""The sound of the source, carried into the annotated video in step with the picture."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
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
_LEAST_RESTART_S: Final = 1  # a step of the sound's clock from which on it may have begun anew
_DISCARD: Final = getattr(av.stream, "Discard", None)  # since PyAV 17.1


class Soundtrack:
    """The audio of one source on its way into one MP4 file.

    Nothing that is wrong with the sound fails the picture: the sound ends there and `warnings` says why. Packets are
    taken from the source as the picture advances, so memory stays bounded. Where the source's clock begins anew, as in
    joined recordings, the sound waits for what `follow` tells of the picture's clock and goes on in step with it.

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
        self._shifts_s: Sequence[float] = ()
        self._waits = False
        self._packets: Iterator[AudioPacket | None] = iter(())
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

    def follow(self, shifts_s: Sequence[float]) -> None:
        """Take what is added to the source's clock to continue it, for each time so far that it began anew."""
        self._shifts_s = shifts_s

    def advance(self, until_s: float) -> None:
        """Write the sound up to second `until_s` of the target.

        Raises:
            OSError: the target cannot be written.
        """
        if self._next is None:
            self._take()
        while self._next is not None and self._reached_s < until_s:
            try:
                self._target.mux(self._next)
            except OSError:  # the disk, not the sound
                raise
            except (FFmpegError, ValueError) as error:
                self._give_up(error)
            self._take()

    def close(self, end_s: float) -> None:
        """Write the sound up to the end, second `end_s` of the target.

        Raises:
            OSError: the target cannot be written.
        """
        self.advance(end_s)
        if self._waits and end_s - self._reached_s > _LEAST_RESTART_S:
            self._give_up(ValueError("there the clock of the sound begins anew, and that of the picture does not"))

    def _take(self) -> None:
        try:
            self._next = next(self._packets, None)
        except (FFmpegError, ValueError) as error:
            self._give_up(error)
        if self._next is not None:
            self._reached_s = max(self._reached_s, float((self._next.pts or 0) * self._next.time_base))

    def _give_up(self, error: Exception) -> None:
        self._failure = f"the annotated video has no sound from {self._reached_s:.1f} s on: {error}"
        self._packets, self._next = iter(()), None

    def _open(self) -> Iterator[AudioPacket | None]:
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

    def _read(self, stream: AudioStream) -> Iterator[tuple[AudioPacket, float] | None]:
        """Yield each packet and what turns its clock into the target's; None until the picture tells that."""
        end_s, restarts = None, 0
        for packet, following in pairwise(chain(self._source.demux(stream), [None])):
            assert packet is not None  # as the last one's successor alone is
            time_s = _time_s(packet)
            if end_s is not None and time_s is not None:
                if _is_stray(time_s, end_s, _time_s(following)):
                    continue
                restarts += time_s <= end_s - _LEAST_RESTART_S
            while self._lacks(restarts):
                yield None
            end_s = end_s if time_s is None else time_s + float((packet.duration or 0) * packet.time_base)
            yield packet, (self._shifts_s[restarts - 1] if restarts else 0.0) - self._origin_s

    def _lacks(self, restarts: int) -> bool:
        self._waits = len(self._shifts_s) < restarts
        return self._waits

    def _copied(self, stream: AudioStream, target: AudioStream) -> Iterator[AudioPacket | None]:
        """Yield the packets of the source as they are, their times moved and counted in samples."""
        tick, rate = stream.time_base or Fraction(1), stream.rate
        last_dts = None
        for read in self._read(stream):
            if read is None:
                yield None
                continue
            packet, shift_s = read
            if packet.pts is None or packet.dts is None:
                continue  # the empty packet at the end
            packet.pts = round((float(packet.pts * tick) + shift_s) * rate)
            packet.dts = round((float(packet.dts * tick) + shift_s) * rate)
            packet.duration, packet.time_base = round((packet.duration or 0) * tick * rate), Fraction(1, rate)
            runs_back = last_dts is not None and packet.dts <= last_dts  # MP4 cannot express it
            if packet.pts + packet.duration > -_PREROLL_S * rate and not runs_back:
                last_dts = packet.dts
                packet.stream = target
                yield packet

    def _reencoded(self, stream: AudioStream, target: AudioStream) -> Iterator[AudioPacket | None]:
        """Yield the sound of the source as AAC."""
        resampler = av.AudioResampler("fltp", target.layout, target.rate, frame_size=_AAC_SAMPLES)
        for frame in self._decoded(stream):
            if frame is None:
                yield None
                continue
            for part in resampler.resample(frame):
                yield from target.encode(part)
        for part in resampler.resample(None):
            yield from target.encode(part)
        yield from target.encode(None)

    def _decoded(self, stream: AudioStream) -> Iterator[AudioFrame | None]:
        """Yield the decoded sound from second 0 of the target on, its times counted in samples."""
        before_s, resume_s, end_s = -self._origin_s, -math.inf, -math.inf
        for read in self._read(stream):
            if read is None:
                yield None
                continue
            packet, shift_s = read
            if shift_s != before_s:  # what the decoder still holds is of the clock before
                stream.codec_context.flush_buffers()
                before_s, resume_s = shift_s, end_s
            for frame in self._decode(packet):
                start_s, duration_s = (frame.time or 0.0) + shift_s, frame.samples / frame.sample_rate
                if start_s + duration_s > 0 and start_s + duration_s / 2 > resume_s:
                    end_s = start_s + duration_s
                    frame.pts, frame.time_base = round(start_s * frame.sample_rate), Fraction(1, frame.sample_rate)
                    yield frame

    def _decode(self, packet: AudioPacket) -> list[AudioFrame]:
        try:
            return packet.decode()
        except FFmpegError:
            self._damaged += 1
            return []


def _time_s(packet: AudioPacket | None) -> float | None:
    return None if packet is None or packet.dts is None else float(packet.dts * packet.time_base)


def _is_stray(time_s: float, before_s: float, ahead_s: float | None) -> bool:
    """Tell whether a packet's time alone is wrong: it lies far from the end of the one before, the next does not."""
    if time_s <= before_s - _LEAST_RESTART_S:
        return ahead_s is None or ahead_s > before_s - _LEAST_RESTART_S
    return (
        time_s >= before_s + _LEAST_RESTART_S and ahead_s is not None and before_s - _LEAST_RESTART_S < ahead_s < time_s
    )


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

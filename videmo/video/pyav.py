"""Videos through PyAV (FFmpeg): every frame that decodes, at its own PTS, whatever the container claims."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videmo.datatypes import Frame, VideoInfo
from videmo.errors import VideoError
from videmo.settings import STALL_LIMIT_S
from videmo.video.base import ReadProblems
from videmo.video.container import declared_end_s, display_of, frame_rate_of, open_video
from videmo.video.picture import Scaler, VideoPicture
from videmo.video.stall import StallWatch

# A stream that stops this much before its declared end was cut off; less is rounding of the container's claims.
_SHORTFALL_S, _SHORTFALL_FRAMES = 0.1, 4
# A step this long between two frames is damage or a clock that was set on the way; tables by seconds would not end.
_MOST_STEP_S = 31 * 86_400
# A step back this long between two frames is a clock that begins anew, as where recordings were joined.
_LEAST_RESTART_S = 1
# After a frame whose time is wrong, the next one comes this many mean steps at most after the one before it.
_FEW_STEPS = 4
# More packets than a decoder holds back, its threads and the order of display together.
_MOST_HELD = 64
# In these containers one packet is one picture, so a packet without a frame is a frame that could not be decoded.
_PACKET_IS_FRAME = ("mov,", "matroska,")


class PyAvReader:
    """One open video file; implements `base.Reader`.

    The first frame is decoded at once: only frames tell the rotation, and a file without any fails early.

    Args:
        video_id: Name of the video in the tables.
        path: The file.
        stall_limit_s: Seconds of reading and decoding without a new frame after which the video fails.

    Raises:
        VideoError: when the file cannot be opened or holds no video frame; names the file, the cause and the way out.

    Example:
        >>> reader = PyAvReader("interview", Path("interview.mp4"))  # doctest: +SKIP
        >>> [frame.time_s for frame in reader.frames()][:3]  # doctest: +SKIP
        [0.0, 0.04, 0.08]
    """

    def __init__(self, video_id: str, path: Path, stall_limit_s: float = STALL_LIMIT_S) -> None:
        self.problems = ReadProblems()
        stall = StallWatch(path, stall_limit_s)
        self._container, stream = open_video(path, stall)
        self._decoded = _decode(path, self._container, stream, self.problems, stall)
        try:
            self._ahead = first = next(self._decoded, None)
            if first is None:
                raise VideoError(f"{path}: none of its video frames can be decoded, the file is damaged: copy it again")
            self._display = display_of(path, stream, first)
            self._clock = _Clock(self._container, stream, first, self.problems)
            info = _info(video_id, path, self._container, stream, self._display.size)
            self.info = replace(info, start_pts=self._clock.start)
        except BaseException:
            self.close()
            raise

    def frames(self) -> Iterator[Frame]:
        """Yield every decodable frame once; see `base.Reader`."""
        scaler, index = Scaler(), 0
        while (frame := self._peek()) is not None:
            self._ahead = None
            pts = self._clock.ticks(frame, self._peek)
            time_s = float(pts * self.info.time_base)
            picture = VideoPicture(frame, self._display, scaler)
            yield Frame(self.info, index, pts, time_s, picture, clock_shifts=self._clock.shifts)
            index += 1

    def _peek(self) -> VideoFrame | None:
        """Return the next frame, which stays the next one until it is taken; at most this one is held."""
        if self._ahead is None:
            self._ahead = next(self._decoded, None)
        return self._ahead

    def close(self) -> None:
        """Close the file; the decoder's threads end with it."""
        self._ahead = None
        self._decoded.close()
        self._container.close()


def _info(
    video_id: str, path: Path, container: InputContainer, stream: VideoStream, size: tuple[int, int]
) -> VideoInfo:
    assert stream.time_base is not None  # set by every demuxer
    duration_s = float(container.duration / av.time_base) if container.duration else None
    if stream.duration is not None:
        duration_s = float(stream.duration * stream.time_base)
    return VideoInfo(
        id=video_id,
        path=path,
        width_px=size[0],
        height_px=size[1],
        frame_rate=frame_rate_of(stream),
        time_base=stream.time_base,
        duration_s=duration_s,
        frame_count=stream.frames or None,
        has_audio=bool(container.streams.audio),
    )


class _Clock:
    """Turns the timestamps of frames, in order of display, into strictly increasing ticks since the start."""

    def __init__(
        self, container: InputContainer, stream: VideoStream, first: VideoFrame, problems: ReadProblems
    ) -> None:
        # AVI stores no PTS: FFmpeg guesses one, wrongly where there are B-frames, but the DTS counts the frames.
        self._prefers_dts = container.format.name == "avi"
        starts = [tick for tick in (stream.start_time, self._stamp(first)) if tick is not None]
        self.start = min(starts, default=0)
        time_base = stream.time_base or 1
        self._step = max(1, round(1 / (frame_rate_of(stream) * time_base)))
        self._most, self._restart = round(_MOST_STEP_S / time_base), round(_LEAST_RESTART_S / time_base)
        self._offset = self.start
        self.shifts: tuple[int, ...] = ()
        self._last = -1
        self._problems = problems

    def _stamp(self, frame: VideoFrame) -> int | None:
        first, second = (frame.dts, frame.pts) if self._prefers_dts else (frame.pts, frame.dts)
        return first if first is not None else second

    def ticks(self, frame: VideoFrame, peek: Callable[[], VideoFrame | None]) -> int:
        """Return the frame's time since the stream's start; none or a mad one is estimated, a repeated one moved up.

        Where the clock begins anew the time goes on: the frame comes one mean step after the last one. A time far off
        those around it is wrong, and the frame is put in the middle; `peek`, asked only then, returns the next frame.
        """
        stamp = self._stamp(frame)
        if stamp is not None and (middle := self._middle(stamp - self._offset, peek)) is not None:
            stamp = self._offset + middle
            self._problems.stray_pts += 1
        if stamp is not None and stamp - self._offset <= self._last - self._restart:
            self._offset = stamp - self._last - self._step
            self.shifts += (self.start - self._offset,)
            self._problems.restarts += 1
        ticks = None if stamp is None else stamp - self._offset
        is_mad = ticks is not None and ticks > self._last + self._most
        self._problems.missing_pts += ticks is None
        self._problems.implausible_pts += is_mad
        if ticks is None or is_mad:
            ticks = self._last + self._step if self._last >= 0 else 0
        if ticks <= self._last:
            self._problems.reordered_pts += 1
            ticks = self._last + 1
        self._last = ticks
        return ticks

    def _middle(self, ticks: int, peek: Callable[[], VideoFrame | None]) -> int | None:
        """Return a time between the last frame and the next one where `ticks` is far off both, None where it is not."""
        runs_back, leaps = ticks <= self._last - self._restart, ticks >= self._last + self._restart
        if self._last < 0 or not (runs_back or leaps):
            return None
        following = peek()
        stamp = None if following is None else self._stamp(following)
        if stamp is None:
            return None
        step = stamp - self._offset - self._last
        goes_on = 0 < step <= max(self._restart, _FEW_STEPS * self._step)
        return self._last + max(1, step // 2) if goes_on and (runs_back or stamp - self._offset < ticks) else None


def _decode(
    path: Path, container: InputContainer, stream: VideoStream, problems: ReadProblems, stall: StallWatch
) -> Generator[VideoFrame, None, None]:
    """Yield the frames in display order; what cannot be decoded is skipped and counted."""
    packets = frames = 0
    last_pts = None
    part = _LastPart(stream)
    for packet in _packets(container, stream, problems, stall):
        part.see(packet)
        packets += packet.size > 0 and not packet.is_discard
        for frame in _decode_packet(stream, packet, problems):
            frames, last_pts = frames + 1, frame.pts
            yield frame
            stall.restart()
    if frames < packets and (last_pts is not None or not frames):  # without times nobody knows which frames are new
        for frame in _decode_tail(path, last_pts, part.start if part.is_joined else None, stall):
            frames += 1
            yield frame
            stall.restart()
    if container.format.name.startswith(_PACKET_IS_FRAME):
        problems.undecodable = max(0, packets - frames)


def _decode_packet(stream: VideoStream, packet: Packet[Any], problems: ReadProblems) -> list[VideoFrame]:
    try:
        return stream.decode(packet)
    except av.error.FFmpegError:
        problems.undecodable += 1
        return []


class _LastPart:
    """Follows the packets: is their clock one that began anew, and from which packet on is the end to be decoded again?

    `start` counts packets from 0. It never lies before the last joint: frames there have the times of others.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.is_joined = False
        self.start = self._key = self._seen = 0
        self._last_dts: int | None = None
        self._restart = round(_LEAST_RESTART_S / (stream.time_base or 1))

    def see(self, packet: Packet[Any]) -> None:
        """Take the next packet."""
        if packet.dts is not None:
            if self._last_dts is not None and packet.dts <= self._last_dts - self._restart:
                self.is_joined, self.start, self._key = True, self._seen, self._seen
            self._last_dts = packet.dts
        if packet.is_keyframe and self._seen - self._key >= _MOST_HELD:
            self.start, self._key = self._key, self._seen
        self._seen += 1


def _decode_tail(path: Path, after_pts: int | None, start: int | None, stall: StallWatch) -> Iterator[VideoFrame]:
    """Yield the frames after `after_pts`, decoded without threads, from the packet at `start` on where that is given.

    PyAV stops draining a decoder at the first error, and with frame threads as many good frames as there are threads
    may wait behind it. So the end of a damaged video is decoded once more, one packet at a time.
    """
    problems = ReadProblems()  # counted the first time
    container, stream = open_video(path, stall, threaded=False)
    try:
        if after_pts is not None and start is None:
            with suppress(av.error.FFmpegError):  # a file without an index is read from its beginning
                container.seek(after_pts, stream=stream)
        for packet in islice(_packets(container, stream, problems, stall), start or 0, None):
            for frame in _decode_packet(stream, packet, problems):
                if after_pts is None or (frame.pts is not None and frame.pts > after_pts):
                    yield frame
    finally:
        container.close()


def _packets(
    container: InputContainer, stream: VideoStream, problems: ReadProblems, stall: StallWatch
) -> Iterator[Packet[Any]]:
    """Yield the stream's packets and an empty one at the end, also after a read error; notice a truncated file."""
    end, corrupt = 0, False
    try:
        for packet in container.demux(stream):
            stall.check()
            if packet.size:
                end = max(end, (packet.pts or packet.dts or 0) + (packet.duration or 0))
                corrupt = packet.is_corrupt
                yield packet
    except av.error.ExitError as error:
        raise stall.error() from error
    except av.error.FFmpegError:
        problems.truncated = True
    declared_s = declared_end_s(container, stream)
    tolerance_s = max(_SHORTFALL_S, float(_SHORTFALL_FRAMES / frame_rate_of(stream)))
    fell_short = declared_s is not None and declared_s - float(end * (stream.time_base or 0)) > tolerance_s
    problems.truncated |= corrupt or fell_short
    yield Packet()

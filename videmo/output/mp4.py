"""An H.264 video file with the source's timestamps and sound, written picture by picture."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from videmo.datatypes import UInt8Array, VideoInfo
from videmo.errors import VideoError
from videmo.output.audio import Soundtrack
from videmo.output.files import explained, open_partial, partial_path, publish
from videmo.settings import STALL_LIMIT_S

# No B-frames: decoding order is showing order, so that every player agrees on times and duration at variable rates too.
# Encoding is the costliest part of an annotated video. On three clips this is as faithful as "veryfast" at 23 (PSNR 0.1
# to 1.3 dB higher, SSIM within 0.001) for 59 to 74 % of its CPU time; files are 27 % larger, a still camera's 77 %.
_X264 = {"preset": "superfast", "crf": "25", "bf": "0", "g": "120"}
_MP4 = {"movie_timescale": "90000"}  # of the delay between picture and sound; the default is whole milliseconds
# MP4 holds steps below 2^31 - 1 ticks of the track; FFmpeg puts a picture after a longer one right behind the picture
# before, without a word. It takes 10,000 ticks a second at least, and gets there by doubling.
_MOST_TICKS, _MOST_CHOSEN_TICKS_PER_S = 2**31 - 2, 20_000
_HIGHEST_RATE = Fraction(120)  # some containers state their clock's rate; x264 takes it for the size of its buffers


class Mp4Writer:
    """One annotated video in the making: pictures in, `path` out.

    The first picture given is second 0 of the file; the sound starts with it and ends with the last one. In a gap that
    MP4 cannot hold, of 6.6 hours at 90,000 ticks a second, the picture before it is written again. The file is
    not rewritten for streaming over a network (that would be a second pass over it).

    Args:
        path: the finished file.
        video: what the pictures come from.
        source: the file whose sound and colour tags are carried over, None for pictures of an image sequence.
        width_px: width of the pictures, even.
        height_px: height of the pictures, even.
        first_pts: time of the first picture in `video.time_base`.
        stall_limit_s: seconds in which `source` must give its next sound.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
        VideoError: the source cannot be opened any more; in `write` and `close`, the pictures cannot be encoded.
    """

    def __init__(
        self,
        path: Path,
        video: VideoInfo,
        source: Path | None,
        *,
        width_px: int,
        height_px: int,
        first_pts: int,
        stall_limit_s: float = STALL_LIMIT_S,
    ) -> None:
        self._path, self._partial = path, partial_path(path)
        self._video, self._first_pts = video, first_pts
        self._tick = video.time_base
        self._frame_ticks = max(1, round(1 / (video.frame_rate * self._tick)))
        ticks_per_s = max(self._tick.denominator, _MOST_CHOSEN_TICKS_PER_S)
        self._most_step = max(1, Fraction(_MOST_TICKS, ticks_per_s) // self._tick)
        self._last: VideoFrame | None = None
        self._end_s = 0.0
        self._source = None if source is None else _open_source(source, stall_limit_s)
        # A file of our own can be closed also when its end cannot be written; PyAV leaves its own open then.
        self._file = open_partial(path)
        with explained(path):
            self._target = av.open(self._file, "w", format="mp4", options=_MP4)
        self._stream = self._add_stream(width_px, height_px)
        self._sound: Soundtrack | None = None
        if self._source and video.has_audio:
            # Second 0 of the picture on the container's clock, by which the sound goes.
            start_ticks = video.start_pts + first_pts
            self._sound = Soundtrack(self._source, self._target, float(start_ticks * self._tick))

    @property
    def warnings(self) -> list[str]:
        """What went wrong with the sound."""
        return self._sound.warnings if self._sound else []

    def write(self, i420: UInt8Array, pts: int, clock_shifts: tuple[int, ...] = ()) -> None:
        """Add the picture (H * 3 / 2, W) shown from `pts` on, in `video.time_base`; see `Frame` for the shifts."""
        if self._sound:
            self._sound.follow([float(shift * self._tick) for shift in clock_shifts])
        frame = VideoFrame.from_ndarray(i420, format="yuv420p")
        frame.pts, frame.time_base, frame.duration = pts - self._first_pts, self._tick, self._frame_ticks
        self._bridge(frame.pts)
        self._end_s = float((frame.pts + self._frame_ticks) * self._tick)
        self._encode(frame)
        self._last = frame

    def _bridge(self, pts: int) -> None:
        """Show the last picture again as often as the gap until `pts` needs it."""
        while self._last is not None and pts - (self._last.pts or 0) > self._most_step:
            self._last.pts = (self._last.pts or 0) + self._most_step
            self._encode(self._last)

    def close(self) -> Path:
        """Finish the file and return its path."""
        self._encode(None)
        with explained(self._path):
            if self._sound:
                self._sound.close(self._end_s)
            self._target.close()
            self._file.close()
        self._close_source()
        publish(self._path)
        return self._path

    def abort(self) -> None:
        """Remove what was begun."""
        # The file goes: that its end cannot be written, on a full disk say, matters no more.
        for end in (self._target.close, self._file.close):
            with suppress(FFmpegError, OSError):
                end()
        self._close_source()
        with explained(self._path):
            self._partial.unlink(missing_ok=True)

    def _encode(self, frame: VideoFrame | None) -> None:
        """Encode a picture, or at the end those that the encoder still holds."""
        try:
            with explained(self._path):
                for packet in self._stream.encode(frame):
                    if self._sound:
                        self._sound.advance(float((packet.pts or 0) * packet.time_base))
                    self._target.mux(packet)
        except FFmpegError as error:  # x264 takes no picture of more than 16,384 px a side
            size = f"{self._stream.width} x {self._stream.height} px"
            told = f"{self._video.path}: pictures of {size} cannot be encoded as H.264 ({error.strerror})"
            raise VideoError(f"{told}: analyse it with --no-video") from error

    def _add_stream(self, width_px: int, height_px: int) -> VideoStream:
        rate = min(self._video.frame_rate, _HIGHEST_RATE).limit_denominator(1001)
        stream = self._target.add_stream("libx264", rate=rate, options=_X264)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        context = stream.codec_context
        context.time_base = self._tick
        # `Picture.i420` gives limited range; it keeps the matrix of YUV sources and makes BT.601 of RGB ones.
        context.color_range = ColorRange.MPEG
        shown = _pictures(self._source).codec_context if self._source else None
        if shown is not None and shown.format is not None and not shown.format.is_rgb:
            context.colorspace, context.color_primaries = shown.colorspace, shown.color_primaries
            context.color_trc = shown.color_trc
        else:
            context.colorspace = Colorspace.ITU601
        return stream

    def _close_source(self) -> None:
        if self._source:
            self._source.close()


def _open_source(path: Path, stall_limit_s: float) -> InputContainer:
    """Open the source once more, for its sound and colour tags."""
    try:
        return av.open(f"file:{path}", metadata_errors="replace", timeout=stall_limit_s)
    except FFmpegError as error:
        raise VideoError(f"{path}: cannot be opened any more for its sound ({error.strerror}): put it back") from error


def _pictures(source: InputContainer) -> VideoStream:
    """Return the video stream; the cover picture of an album is none."""
    return next(stream for stream in source.streams.video if not stream.disposition & Disposition.attached_pic)

"""What a container says of its video stream, and clear words for files that hold none."""

from __future__ import annotations

import math
import os
import re
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videmo.errors import VideoError
from videmo.video.files import check_readable
from videmo.video.picture import Display
from videmo.video.stall import StallWatch

_ASSUMED_RATE = Fraction(25)  # where the container tells none: only estimates of missing timestamps use it


# Each thread holds whole frames, and several videos are open at once.
_DECODER_THREADS = 4

# 16K video fits. A few bytes may claim any size, and a run must not end because one file's frames fill the memory.
MOST_PIXELS = 2**27


# Lists of other files, and of streams in a network: what is analysed, hashed and named must be the file itself.
_LISTS = {"concat", "dash", "hls", "image2", "imf", "rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest"}
_OPTIONS = {"format_whitelist": ",".join(sorted(av.formats_available - _LISTS))}


def open_video(path: Path, stall: StallWatch, *, threaded: bool = True) -> tuple[InputContainer, VideoStream]:
    """Return the open container and its first video stream that is no cover picture; reads obey the limit of `stall`.

    Raises:
        VideoError: the file is missing, unreadable, not a regular file, empty, not a video, without a video stream,
            of more than `MOST_PIXELS` a frame, or does not answer in time.
    """
    check_readable(path)
    try:
        # "file:" keeps a name with a colon from being read as a protocol.
        container = av.open(f"file:{path}", metadata_errors="replace", timeout=stall.limit_s, options=_OPTIONS)
    except av.error.ExitError as error:
        raise stall.error() from error
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path}: {_open_failure(path, error)}") from error
    try:
        stream = _video_stream(path, container)
    except BaseException:
        container.close()
        raise
    stream.thread_type = "AUTO" if threaded else "NONE"
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}  # the size may change on the way
    stream.codec_context.thread_count = min(_DECODER_THREADS, os.cpu_count() or 1)
    return container, stream


def _open_failure(path: Path, error: av.error.FFmpegError | OSError) -> str:
    """Return the cause and the way out in words."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as refused:
        return f"cannot be read ({refused.strerror}): check its permissions and its disk"
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "its index (moov) is missing: the file is truncated or the recording was never finished: copy it again"
    if start.startswith((b"#EXTM3U", b"ffconcat version")):
        return "a playlist, not a video: name the files in it instead"
    return f"not a video file that FFmpeg can read ({error.strerror}): convert it to MP4 or leave it out"


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    # FFmpeg plays any text file as "ANSI art" when its name ends in .txt or .nfo.
    if container.format.name == "tty":
        raise VideoError(f"{path}: a text file, not a video: leave it out")
    if not streams:
        cover = " and a cover picture" if container.streams.video else ""
        held = f"only sound{cover}: leave it out" if container.streams.audio else "nothing that plays: copy it again"
        raise VideoError(f"{path}: no video stream, it holds {held}")
    if streams[0].codec_context is None:
        raise VideoError(f"{path}: no decoder for its video codec: convert it to H.264 or copy it again")
    _check_size(path, streams[0].width, streams[0].height)
    return streams[0]


def _check_size(path: Path, width_px: int, height_px: int) -> None:
    if width_px * height_px > MOST_PIXELS:
        size = f"{width_px} x {height_px} px"
        raise VideoError(f"{path}: frames of {size}, more than {MOST_PIXELS} pixels: scale it down or copy it again")


def display_of(path: Path, stream: VideoStream, first: VideoFrame) -> Display:
    """Return how the stream's pictures are shown: pixel aspect of the stream, turn of the first frame.

    Raises:
        VideoError: the pixel aspect makes frames of more than `MOST_PIXELS`.
    """
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width_px = max(1, round(first.width * aspect))
    _check_size(path, width_px, first.height)
    return Display(width_px, first.height, *_turn_of(first))


def _turn_of(frame: VideoFrame) -> tuple[int, bool]:
    """Return the turn clockwise in degrees, and whether left and right change places before it (ISO 14496-12, 8.3.2).

    `VideoFrame.rotation` tells the turn alone, a wrong one where the picture is mirrored, as some front cameras do.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].astype(float)
    mirrored = bool(a * d < b * c)
    angle = math.atan2(-b, -a) if mirrored else math.atan2(b, a)
    return round(math.degrees(angle) / 90) * 90 % 360, mirrored


def frame_rate_of(stream: VideoStream) -> Fraction:
    """Return the mean frame rate that the container tells, or the best guess where it tells none."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((Fraction(rate) for rate in rates if rate), _ASSUMED_RATE)


def declared_end_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Return when the stream ends by the container's own claim, on its own clock; None where it makes none.

    A container's total duration says something of the video only where there is no other stream.
    """
    if stream.duration is not None and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    # Matroska keeps the end of each stream as a tag.
    if tag := re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = map(float, tag.groups())
        return hours * 3600 + minutes * 60 + seconds
    return float(container.duration / av.time_base) if container.duration and len(container.streams) == 1 else None

"""Files that nobody should be given, made from good clips: cut, flipped, mislabelled, strange, special, oddly named."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from synthetic import counting_pictures, moving_face, plain, write_clip

FRAMES = 10
PARTS = ("header", "index", "payload")
# What opens the part of a file that says where its frames lie.
_INDEX_MARKS = {".mp4": b"moov", ".mkv": b"\x1c\x53\xbb\x6b", ".webm": b"\x1c\x53\xbb\x6b", ".avi": b"idx1"}
_VP9 = {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}
_AVI = {"codec": "mpeg4", "time_base": Fraction(1, 25)}


@dataclass(frozen=True, slots=True)
class Damaged:
    """One file and what must become of it: analysed, failed with `cause` in its error, or (None) either, but told."""

    kind: str
    path: Path
    done: bool | None = None
    cause: str = ""


def good_clips(folder: Path) -> dict[str, Path]:
    """Write short clips of one moving face, one for each container, by name; `fast` has its index in front."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [picture for picture, _ in moving_face(FRAMES, width_px=160, height_px=120, side_px=100)]
    return {
        "mp4": write_clip(folder / "good-a.mp4", pictures, audio=True, b_frames=2),
        "fast": write_clip(folder / "good-b.mp4", pictures, container_options={"movflags": "faststart"}),
        "mkv": write_clip(folder / "good-c.mkv", pictures, audio=True),
        "avi": write_clip(folder / "good-d.avi", pictures, **_AVI),
        "webm": write_clip(folder / "good-e.webm", pictures, **_VP9),
    }


def make_damaged(folder: Path, sources: Mapping[str, Path], *, repeats: int, seed: int = 0) -> list[Damaged]:
    """Write damaged files into `folder`: `repeats` of each kind that chance decides, one of each other kind."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    made = [*_cut(folder, sources, repeats), *_flipped(folder, sources, rng, repeats)]
    made += [*_shuffled(folder, sources, rng, repeats), *_mislabelled(folder, sources)]
    made += [*_not_videos(folder, rng), *_without_pictures(folder), *_strange(folder)]
    return made + [*_special(folder), *_oddly_named(folder, sources["fast"].read_bytes())]


def _cut(folder: Path, sources: Mapping[str, Path], repeats: int) -> Iterator[Damaged]:
    """Cut each clip at points spread over its whole length, the first and the last byte included."""
    for name, source in sources.items():
        data = source.read_bytes()
        for number, end in enumerate(np.geomspace(1, len(data) - 1, 2 * repeats).round().astype(int)):
            yield _put(folder, f"cut-{name}-{number}{source.suffix}", data[:end], "truncated")


def _flipped(folder: Path, sources: Mapping[str, Path], rng: np.random.Generator, repeats: int) -> Iterator[Damaged]:
    """Flip bits in 1 to 64 bytes of one part of each clip."""
    for (name, source), part in ((item, part) for item in sources.items() for part in PARTS):
        for number in range(repeats):
            data = np.frombuffer(source.read_bytes(), np.uint8).copy()
            start, end = _find_part(data.tobytes(), part, source.suffix)
            places = rng.integers(start, end, rng.choice([1, 4, 16, 64]))
            data[places] ^= rng.integers(1, 256, len(places), np.uint8)
            yield _put(folder, f"flip-{part}-{name}-{number}{source.suffix}", data.tobytes(), f"bytes flipped: {part}")


def _find_part(data: bytes, part: str, suffix: str) -> tuple[int, int]:
    index = data.rindex(_INDEX_MARKS[suffix])
    return {"header": (0, 256), "index": (index, len(data)), "payload": (256, len(data))}[part]


def _shuffled(folder: Path, sources: Mapping[str, Path], rng: np.random.Generator, repeats: int) -> Iterator[Damaged]:
    """Blank, drop, repeat or swap blocks, as bad disks and bad copies do."""
    damage: dict[str, Callable[[bytes, int, int], bytes]] = {
        "blanked": lambda data, a, b: data[:a] + bytes(b - a) + data[b:],
        "dropped": lambda data, a, b: data[:a] + data[b:],
        "repeated": lambda data, a, b: data[:b] + data[a:],
        "swapped": lambda data, a, b: data[b:] + data[a:b] + data[:a],
    }
    for (name, source), (how, change) in ((item, way) for item in sources.items() for way in damage.items()):
        data = source.read_bytes()
        for number in range(max(1, repeats // 4)):
            a, b = sorted(rng.integers(0, len(data), 2).tolist())
            yield _put(folder, f"{how}-{name}-{number}{source.suffix}", change(data, a, b), f"blocks {how}")


def _mislabelled(folder: Path, sources: Mapping[str, Path]) -> Iterator[Damaged]:
    """Give good clips the suffix of another container, which FFmpeg sees through, and of a picture, which fails."""
    for name, source in sources.items():
        for suffix in sorted({other.suffix for other in sources.values()} - {source.suffix}):
            yield _put(folder, f"really-{name}{suffix}", source.read_bytes(), "wrong extension", done=True)
        yield _put(folder, f"really-{name}.jpg", source.read_bytes(), "wrong extension", False, "not a picture")


def _not_videos(folder: Path, rng: np.random.Generator) -> Iterator[Damaged]:
    """Write things under the name of a video that are none."""
    picture = plain(64, 48)
    for suffix in (".png", ".jpg", ".webp"):
        data = cv2.imencode(suffix, picture)[1].tobytes()
        yield _put(folder, f"picture{suffix.replace('.', '-')}.mp4", data, "picture renamed", done=True)
    text = b"this is not a video\n" * 50
    for name, data in {
        "text": text,
        "gzip": gzip.compress(text),
        "html": b"<!DOCTYPE html><html><body>404 not found</body></html>",
        "noise": rng.bytes(5000),
        "zeros": bytes(5000),
        # Lists of other files and addresses: nothing beside the file itself may be opened.
        "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "local-playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "session": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    }.items():
        yield _put(folder, f"{name}.mp4", data, name, done=False, cause="not a video")
    yield _put(folder, "empty.mp4", b"", "zero bytes", done=False, cause="empty")


def _without_pictures(folder: Path) -> Iterator[Damaged]:
    """Write containers with a video stream that holds no frame, and with sound alone."""
    for suffix in (".mp4", ".mkv", ".avi"):
        path = folder / f"no-frames{suffix}"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            container.start_encoding()
        yield Damaged("zero frames", path, done=False)
    for suffix in (".mp4", ".mkv"):
        path = folder / f"sound{suffix}"
        with av.open(str(path), "w") as container:
            tone = container.add_stream("aac", rate=44_100, layout="mono")
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), "fltp", "mono")
            silence.sample_rate = 44_100
            container.mux([*tone.encode(silence), *tone.encode(None)])
        yield Damaged("audio only", path, done=False, cause="only sound")


def _strange(folder: Path) -> Iterator[Damaged]:
    """Write clips that are whole but at the edge: sizes, rates, timestamps."""

    def clip(
        kind: str, name: str, size: tuple[int, int] = (64, 48), frames: int = FRAMES, **options: object
    ) -> Damaged:
        pictures = counting_pictures(frames, width_px=size[0], height_px=size[1])
        return Damaged(kind, write_clip(folder / name, pictures, **options), done=True)  # type: ignore[arg-type]

    yield clip("1x1", "one-pixel.mkv", (1, 1), codec="ffv1", pix_fmt="yuv444p")
    yield clip("1x1", "one-column.mkv", (1, 300), codec="mjpeg", pix_fmt="yuvj444p")
    yield clip("8K", "8k.mp4", (7680, 4320), 2, options={"preset": "ultrafast"})
    yield clip("one frame", "one-frame.mp4", frames=1)
    yield clip("1000 fps", "fast-frames.mp4", fps=1000)
    yield clip("a frame an hour", "slow-frames.mkv", fps=Fraction(1, 1001), times_s=[3600.0 * i for i in range(FRAMES)])
    yield clip("missing PTS", "bare.h264")
    negative = {"avoid_negative_ts": "disabled"}
    for suffix in (".mkv", ".mp4", ".ts"):
        name = f"negative{suffix}"
        yield clip("negative PTS", name, start_offset_s=-0.2, container_options=negative, b_frames=2)
    for jump_s in (100, 10_000, 1_000_000):
        times_s = [0.04 * i + jump_s * (i > 4) for i in range(FRAMES)]
        yield clip("jumping PTS", f"jump-{jump_s}.mkv", times_s=times_s)
        yield clip("jumping PTS", f"jump-{jump_s}.mp4", times_s=times_s)
    late, early = (clip("", f"part-{start}.ts", (64 + start, 48), start_offset_s=start) for start in (30, 2))
    yield _put(folder, "back.ts", late.path.read_bytes() + early.path.read_bytes(), "jumping PTS", done=True)
    late.path.unlink()
    early.path.unlink()


def _special(folder: Path) -> Iterator[Damaged]:
    """Put things that are no files, or lead nowhere or to a device, where a video is looked for."""
    os.mkfifo(folder / "pipe.mp4")
    yield Damaged("FIFO", folder / "pipe.mp4", done=False, cause="not a regular file")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket must be short
        listener.bind("socket.mp4")
        os.chdir(here)
    yield Damaged("socket", folder / "socket.mp4", done=False, cause="not a regular file")
    for name, target, cause in (
        ("endless", "/dev/zero", "not a regular file"),
        ("nothing", "/dev/null", "not a regular file"),
        ("broken-link", "gone.mp4", "broken link"),
        ("loop", "loop.mp4", "cannot be read"),
    ):
        (folder / f"{name}.mp4").symlink_to(target)
        yield Damaged("link", folder / f"{name}.mp4", done=False, cause=cause)
    (folder / "folder.mp4").mkdir()
    yield Damaged("directory", folder / "folder.mp4", done=False, cause="the folder holds no video")


def _oddly_named(folder: Path, data: bytes) -> Iterator[Damaged]:
    """Give a good clip names that are allowed and that nobody expects."""
    names: Sequence[bytes] = [
        b"two\nlines.mp4",
        b"tab\tand\x1b[31mred.mp4",
        "😀.mp4".encode(),
        "\u202ereversed\u0301.mp4".encode(),
        b"n" * 251 + b".mp4",
        "ж".encode() * 125 + b"x.mp4",
        b"byte-\xff.mp4",
        b"byte-\xfe.mp4",
        b"\xff\xfe.mp4",
        b"latin-caf\xe9.mp4",
        b"-dash.mp4",
        b"100%[a]*?.mp4",
        b"file:http:x.mp4",
        b"'\"<script>&.mp4",
        b"con.mp4",
        b" .mp4",
        b"back\\slash\\xff.mp4",
    ]
    for number, name in enumerate(names):
        path = folder / os.fsdecode(name)
        # Each has a content of its own, so that no hash stands for two.
        path.write_bytes(data + b"\0\0\0\x0cfree" + number.to_bytes(4, "big"))
        yield Damaged("name", path, done=True)


def _put(folder: Path, name: str, data: bytes, kind: str, done: bool | None = None, cause: str = "") -> Damaged:
    path = folder / name
    path.write_bytes(data)
    return Damaged(kind, path, done, cause)

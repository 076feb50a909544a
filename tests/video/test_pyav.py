"""Real files, good and bad: times to the tick, pictures upright, damage survived and counted."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from stamps import shift_stamp
from synthetic import counting_pictures, face_at, plain, truncate, write_clip

from videmo.datatypes import Frame
from videmo.video.base import ReadProblems
from videmo.video.pyav import PyAvReader

SHARED_CLIPS = sorted(
    path.name for path in (Path(__file__).resolve().parents[3] / "shared" / "videos").glob("*") if path.suffix != ".csv"
)
VFR_TIMES_S = [0.0, 0.04, 0.05, 0.4, 0.41, 1.5, 1.512, 3.25]


def read(path: Path) -> tuple[PyAvReader, list[Frame]]:
    reader = PyAvReader("clip", path)
    frames = list(reader.frames())
    reader.close()
    return reader, frames


def container_pts(path: Path) -> list[int]:
    """PTS straight from PyAV, one thread, counted from the start of the stream."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        return [frame.pts - (stream.start_time or 0) for frame in container.decode(stream)]


def overwrite_packets(path: Path, positions: range) -> Path:
    """Fill the given packets of the first video stream with noise."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        spots = [(packets[i].pos, packets[i].size) for i in positions]
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    for start, size in spots:
        data[start + 12 : start + size] = rng.integers(0, 256, size - 12, np.uint8).tobytes()
    path.write_bytes(data)
    return path


def busy_pictures(frames: int) -> list[NDArray[np.uint8]]:
    """Noise that scrolls: every packet carries data worth damaging."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    return [np.roll(noise, 3 * i, axis=1) for i in range(frames)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cfr.mp4", {}),
        ("ntsc.mp4", {"fps": Fraction(30000, 1001)}),
        ("vfr.mp4", {"times_s": VFR_TIMES_S}),
        ("vfr.mkv", {"times_s": VFR_TIMES_S, "b_frames": 2}),
        ("b_frames.mp4", {"b_frames": 3}),
        ("late.mp4", {"start_offset_s": 0.75, "b_frames": 2}),
        ("late.mkv", {"start_offset_s": 0.75}),
        ("broadcast.ts", {"b_frames": 2}),
        ("rotated.mp4", {"rotation": 90}),
        ("sound.mp4", {"audio": True}),
        ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}),
        ("vp9.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
        ("motion.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "time_base": Fraction(1, 25)}),
    ],
)
def test_times_are_the_containers_to_one_tick(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    path = write_clip(tmp_path / name, counting_pictures(8), **options)
    reader, frames = read(path)
    rate = float(options.get("fps", 25))
    wanted_s = options.get("times_s", [i / rate for i in range(8)])
    assert [frame.pts for frame in frames] == container_pts(path)
    assert [frame.time_s for frame in frames] == pytest.approx(wanted_s, abs=float(reader.info.time_base))
    brightness = [frame.picture.gray().mean() for frame in frames if frame.picture]
    assert brightness == sorted(brightness)
    assert reader.problems == ReadProblems()
    assert reader.info.has_audio == options.get("audio", False)


@pytest.mark.parametrize("jump_s", [86_400.0, 4e7])
def test_a_jump_of_hours_is_kept_and_one_of_years_is_not_believed(tmp_path: Path, jump_s: float) -> None:
    times_s = [0.0, 0.04, 0.08, jump_s, jump_s + 0.04]
    reader, frames = read(write_clip(tmp_path / "jump.mkv", counting_pictures(5), times_s=times_s))
    if jump_s < 1e6:
        assert [frame.time_s for frame in frames] == pytest.approx(times_s)
        assert reader.problems == ReadProblems()
    else:
        assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
        assert reader.problems.implausible_pts == 2
        assert "2 timestamps lay over a month ahead" in reader.problems.warnings()[0]


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED_CLIPS)
def test_every_shared_clip_is_read_whole_and_on_time(shared: Path, name: str) -> None:
    path = shared / "videos" / name
    reader, frames = read(path)
    expected = container_pts(path)
    assert len(frames) == len(expected) > 0
    assert np.abs(np.subtract([frame.pts for frame in frames], expected)).max() <= 1
    assert np.diff([frame.pts for frame in frames]).min(initial=1) >= 1
    assert reader.problems.warnings() == ()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_an_upright_scene_comes_out_upright(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    scene = plain(320, 240)
    box = face_at(scene, 20, 60, 160)
    stored = np.rot90(scene, rotation // 90)  # what a camera held sideways stores
    stored = np.ascontiguousarray(stored[:, ::-1] if mirrored else stored)
    reader, frames = read(write_clip(tmp_path / "turned.mp4", [stored] * 3, rotation=rotation, mirrored=mirrored))
    assert (reader.info.width_px, reader.info.height_px) == (320, 240)
    picture = frames[0].picture
    assert picture is not None
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    ((x, y, width, height),) = haar.detectMultiScale(picture.gray(), 1.1, 5)
    assert [x + width / 2, y + height / 2] == pytest.approx([box[::2].mean(), box[1::2].mean()], abs=12)
    assert np.abs(picture.rgb().astype(int) - scene).mean() < 4
    back = cv2.cvtColor(picture.i420(), cv2.COLOR_YUV2RGB_I420)
    assert np.abs(back.astype(int) - scene).mean() < 6


@pytest.mark.shared
def test_a_real_rotated_clip_is_turned_as_its_matrix_says(shared: Path) -> None:
    path = shared / "videos" / "Breakthrough+PySceneDetect__issue-134-rotate.mp4"
    reader = PyAvReader("rotated", path)
    picture = next(reader.frames()).picture
    reader.close()
    assert (reader.info.width_px, reader.info.height_px) == (544, 1280)  # ffprobe: 1280x544, rotation of -90 degrees
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture is not None
    assert np.abs(picture.rgb().astype(int) - np.rot90(stored, -1)).mean() < 3


@pytest.mark.parametrize(("rotation", "size"), [(0, (128, 48)), (90, (48, 128))])
def test_pixel_aspect_widens_the_stored_picture(tmp_path: Path, rotation: int, size: tuple[int, int]) -> None:
    path = write_clip(tmp_path / "wide.mp4", counting_pictures(3), sample_aspect_ratio=Fraction(2), rotation=rotation)
    reader, frames = read(path)
    assert (reader.info.width_px, reader.info.height_px) == size
    assert frames[0].picture is not None
    assert frames[0].picture.gray().shape[::-1] == size


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("clip.mp4", {"b_frames": 2}),
        ("sound.mp4", {"b_frames": 2, "audio": True}),
        ("clip.mkv", {"b_frames": 2}),
        ("sound.mkv", {"b_frames": 2, "audio": True}),
        ("motion.avi", {"codec": "mpeg4", "time_base": Fraction(1, 25)}),
    ],
)
@pytest.mark.parametrize("share", [0.4, 0.63, 0.85])
def test_a_truncated_file_keeps_what_decodes(tmp_path: Path, name: str, options: dict[str, Any], share: float) -> None:
    index_first = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = write_clip(tmp_path / name, busy_pictures(60), container_options=index_first, **options)
    truncate(path, share)
    reader, frames = read(path)
    expected = decodable_pts(path)
    assert 0 < len(expected) < 60
    assert [frame.pts for frame in frames] == expected
    assert reader.problems.truncated
    assert "truncated" in reader.problems.warnings()[0]


def decodable_pts(path: Path) -> list[int]:
    """PTS of what one thread decodes, packet by packet."""
    found: list[int] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for packet in container.demux(stream):
            try:
                found += [frame.pts for frame in stream.decode(packet)]
            except av.error.InvalidDataError:
                continue
    return found


@pytest.mark.parametrize("damaged", [range(20, 23), range(56, 60)], ids=["middle", "end"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264.mp4", {"b_frames": 2}),
        ("h264.mkv", {"b_frames": 2}),
        ("h265.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=none:keyint=15"}}),
        ("vp9.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
    ],
)
def test_undecodable_frames_are_skipped_and_counted(
    tmp_path: Path, name: str, options: dict[str, Any], damaged: range
) -> None:
    path = overwrite_packets(write_clip(tmp_path / name, busy_pictures(60), **options), damaged)
    reader, frames = read(path)
    assert [frame.pts for frame in frames] == decodable_pts(path)
    assert reader.problems.undecodable == 60 - len(frames) > 0
    assert not reader.problems.truncated


def test_a_stream_without_timestamps_is_given_those_of_its_rate(tmp_path: Path) -> None:
    reader, frames = read(write_clip(tmp_path / "raw.h264", counting_pictures(10), fps=25))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(1 / 25, abs=1e-3)
    assert reader.info.duration_s is None


def test_damage_in_a_stream_without_timestamps_gives_no_frame_twice(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "raw.h264", counting_pictures(30), time_base=Fraction(1, 25), options={"g": "10"})
    data = bytearray(path.read_bytes())
    slices = [found.start() for found in re.finditer(b"\x00\x00\x01[\x41\x65\x01\x61]", data)]
    data[slices[15] + 4 : slices[15] + 12] = b"\xff" * 8
    path.write_bytes(data)
    assert 20 < len(read(path)[1]) < 30


def test_a_clock_that_begins_anew_goes_on(tmp_path: Path) -> None:
    part = write_clip(tmp_path / "part.ts", counting_pictures(50)).read_bytes()
    (tmp_path / "joined.ts").write_bytes(part * 3)
    reader, frames = read(tmp_path / "joined.ts")
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(np.full(149, 0.04), abs=1e-3)
    assert reader.problems.warnings() == ("the clock began anew 2 times: the time goes on from the frame before",)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("position", "error_s"), [(20, 1.5), (20, 100), (20, -1.2), (60, -1.5), (95, 1.0)])
def test_one_wrong_time_moves_no_other(tmp_path: Path, position: int, error_s: float, b_frames: int) -> None:
    path = write_clip(tmp_path / "clip.ts", counting_pictures(100), b_frames=b_frames)
    reader, frames = read(shift_stamp(path, position, error_s))
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(100) * 0.04, abs=1e-3)
    assert reader.problems.warnings() == ("1 timestamps lay far off those around them: estimated from these",)


@pytest.mark.parametrize("rate", [0.5, 25])
def test_real_gaps_are_kept_and_no_frame_is_lost_at_them(tmp_path: Path, rate: float) -> None:
    times_s = [0.0, 1 / rate, 30.0, 30 + 1 / rate, 40.0, 50.0]
    reader, frames = read(write_clip(tmp_path / "gaps.mkv", counting_pictures(6), fps=rate, times_s=times_s))
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=1e-3)
    assert reader.problems.stray_pts == reader.problems.restarts == 0


def test_a_resolution_change_is_scaled_to_the_first_size(tmp_path: Path) -> None:
    first = write_clip(tmp_path / "first.ts", counting_pictures(10))
    second = write_clip(tmp_path / "second.ts", counting_pictures(10, width_px=128, height_px=72), start_offset_s=0.4)
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    _, frames = read(path)
    assert len(frames) == 20
    for frame in (frames[0], frames[-1]):
        assert frame.picture is not None
        assert frame.picture.rgb().shape == (48, 64, 3)
        assert frame.picture.gray().shape == (48, 64)
        assert frame.picture.i420().shape == (72, 64)
    assert np.diff([frame.pts for frame in frames]).min() >= 1


def test_failing_sound_does_not_matter(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "sound.mp4", counting_pictures(25), audio=True)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        spots = [(p.pos, p.size) for p in container.demux(container.streams.audio[0]) if p.size]
    for start, size in spots:
        data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    reader, frames = read(path)
    assert len(frames) == 25
    assert reader.problems == ReadProblems()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads through /proc")
def test_closing_ends_the_decoders_threads(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", counting_pictures(30, width_px=320, height_px=240))
    read(path)  # libraries may keep threads of their own from the first time
    before = len(list(Path("/proc/self/task").iterdir()))
    readers = [PyAvReader("clip", path) for _ in range(5)]
    frames = [reader.frames() for reader in readers]
    for each in frames:
        next(each)
    for reader in readers:
        reader.close()
    assert len(list(Path("/proc/self/task").iterdir())) <= before

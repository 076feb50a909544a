from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from known_clips import CUTS, ONE_FACE, ONE_SHOT
from synthetic import moving_face, plain

from videmo.datatypes import UInt8Array
from videmo.tracking.shots import ShotDetector, correlate
from videmo.video.picture import ArrayPicture
from videmo.video.pyav import PyAvReader


def find_cuts(pictures: Iterator[UInt8Array] | list[UInt8Array]) -> list[int]:
    shots = ShotDetector()
    return [index for index, picture in enumerate(pictures) if shots.is_cut(ArrayPicture(picture))]


def find_cuts_in_file(path: Path, every_s: float = 0) -> list[int]:
    reader, shots, due_s, cuts = PyAvReader("clip", path), ShotDetector(), 0.0, []
    for frame in reader.frames():
        if frame.time_s >= due_s:
            due_s = frame.time_s + every_s
            cuts += [frame.index] if frame.picture is not None and shots.is_cut(frame.picture) else []
    reader.close()
    return cuts


def room(seed: int) -> UInt8Array:
    """A picture (90, 160, 3) of a few large patches, unlike any other seed's."""
    patches = np.random.default_rng(seed).integers(0, 256, (9, 16, 1), np.uint8)
    return np.tile(patches.repeat(10, axis=0).repeat(10, axis=1), 3)


def test_the_first_picture_is_no_cut_and_another_room_is() -> None:
    assert find_cuts([room(0), room(0), room(1), room(1), room(0)]) == [2, 4]


def test_a_moving_face_is_no_cut() -> None:
    assert find_cuts([picture for picture, _ in moving_face(30)]) == []


@pytest.mark.parametrize(
    "change",
    [lambda room: room // 3, lambda room: room // 2 + 120, lambda room: np.roll(room, 2, axis=1)],
    ids=["darker", "faded", "panned"],
)
def test_light_and_slow_motion_are_no_cut(change: Callable[[UInt8Array], UInt8Array]) -> None:
    assert find_cuts([room(0), change(room(0))]) == []


def test_a_fade_to_black_is_one_cut_at_most_and_blackness_none() -> None:
    fade = [(room(0) * share).astype(np.uint8) for share in np.linspace(1, 0, 25)]
    assert len(find_cuts([*fade, *[plain(160, 90, (0, 0, 0))] * 5])) <= 1


def test_a_cut_between_black_bars_is_seen() -> None:
    def upright(seed: int) -> UInt8Array:
        wide = plain(160, 90, (0, 0, 0))
        wide[:, 55:105] = room(seed)[:, 55:105]
        return wide

    assert find_cuts([upright(0), upright(0), upright(1)]) == [2]


def test_flat_pictures_of_any_size() -> None:
    assert find_cuts([plain(1, 1), plain(1, 1, (0, 0, 0)), plain(1, 1, (255, 255, 255))]) == []
    assert find_cuts([plain(160, 90), room(0), plain(160, 90)]) == [1, 2]


def test_correlation_leaves_flat_lines_out() -> None:
    ramp = np.arange(12, dtype=np.float32).reshape(3, 4) * 20
    framed = np.pad(ramp, 2)
    assert correlate(framed, np.pad(-ramp, 2)) == pytest.approx(-1)
    assert correlate(framed, framed) == pytest.approx(1)


@pytest.mark.shared
@pytest.mark.parametrize("name", CUTS)
def test_finds_every_visible_cut_and_nothing_else(shared: Path, name: str) -> None:
    assert find_cuts_in_file(shared / "videos" / name) == CUTS[name]


@pytest.mark.shared
@pytest.mark.parametrize("name", ONE_FACE + ONE_SHOT)
def test_finds_no_cut_in_one_shot(shared: Path, name: str) -> None:
    assert find_cuts_in_file(shared / "videos" / name) == []


@pytest.mark.shared
@pytest.mark.parametrize("name", ONE_FACE)
def test_motion_is_no_cut_at_one_frame_per_second(shared: Path, name: str) -> None:
    assert find_cuts_in_file(shared / "videos" / name, every_s=1) == []

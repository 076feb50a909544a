from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.datatypes import Detections, Frame, FrameFaces, TrackedFaces, UInt8Array, VideoInfo
from videmo.detection.base import Detector
from videmo.detection.haar import HaarDetector
from videmo.detection.yunet import YuNetDetector
from videmo.emotion.align import FRAMINGS, Framing, align, cut_squares, place_squares
from videmo.occlusion import measure_occlusion
from videmo.quality import measure_crops
from videmo.video.picture import ArrayPicture

PLAIN = Framing(1.0, (0.5, 0.5))
FACE = np.array([[30, 45], [70, 45], [50, 60], [35, 80], [65, 80]], np.float32)
"""Five landmarks of an upright face in a picture of 100 px."""


def cut_faces(
    gray: UInt8Array, boxes: np.ndarray, landmarks: np.ndarray | None, side_px: int, framing: Framing
) -> UInt8Array:
    return cut_squares(gray, place_squares(boxes, landmarks, framing), side_px)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32)


def scenery(height_px: int = 240, width_px: int = 320) -> UInt8Array:
    """A smooth gray picture, different everywhere."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
    return cv2.resize(noise, (width_px, height_px), interpolation=cv2.INTER_CUBIC)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel().astype(float), second.ravel().astype(float))[0, 1])


def frame_faces(*, faces: int = 1, analysed: bool = True) -> FrameFaces[TrackedFaces]:
    info = VideoInfo("clip", Path("clip"), 320, 240, Fraction(25), Fraction(1, 25))
    picture = ArrayPicture(np.repeat(scenery()[..., None], 3, axis=2))
    rows = boxes(*[(20, 30, 84, 94)] * faces).reshape(-1, 4)
    tracked = TrackedFaces(rows, np.ones(faces, np.float32), None, np.arange(1, faces + 1, dtype=np.int32))
    return FrameFaces(Frame(info, 3, 3, 0.12, picture, analysed, shot=2), tracked)


def test_a_crop_of_the_pictures_own_scale_is_a_plain_slice() -> None:
    gray = scenery()
    crop = cut_faces(gray, boxes((20, 30, 68, 78)), None, 48, PLAIN)
    assert crop.shape == (1, 48, 48, 1)
    assert np.array_equal(crop[0, ..., 0], gray[30:78, 20:68])


@pytest.mark.parametrize("times", [2, 3, 5])
def test_a_large_face_is_averaged_down(times: int) -> None:
    gray, side = scenery(), 40 * times
    crop = cut_faces(gray, boxes((10, 20, 10 + side, 20 + side)), None, 40, PLAIN)[0, ..., 0]
    expected = gray[20 : 20 + side, 10 : 10 + side].reshape(40, times, 40, times).mean(axis=(1, 3))
    assert np.abs(crop - expected).max() <= 1


def test_fine_texture_of_a_large_face_makes_no_pattern() -> None:
    checkers = np.indices((400, 400)).sum(axis=0).astype(np.uint8) % 2 * 255
    assert cut_faces(checkers, boxes((13, 21, 363, 371)), None, 48, PLAIN).std() < 8


def test_a_small_face_is_enlarged_smoothly() -> None:
    gray = scenery()
    crop = cut_faces(gray, boxes((20, 30, 44, 54)), None, 48, PLAIN)[0, ..., 0]
    assert correlation(crop, cv2.resize(gray[30:54, 20:44], (48, 48), interpolation=cv2.INTER_LINEAR)) > 0.999


def test_the_framing_places_the_box_in_the_crop() -> None:
    """A white box of half the crop's width, its centre at a quarter and three quarters of the crop."""
    gray = np.zeros((200, 200), np.uint8)
    gray[80:120, 80:120] = 255
    crop = cut_faces(gray, boxes((80, 80, 120, 120)), None, 80, Framing(2.0, (0.25, 0.75)))[0, ..., 0]
    expected = np.zeros((80, 80), np.uint8)
    expected[40:80, 0:40] = 255
    assert np.array_equal(crop, expected)


def test_what_lies_outside_repeats_the_border() -> None:
    gray = scenery()
    crop = cut_faces(gray, boxes((-24, 100, 24, 148)), None, 48, PLAIN)[0, ..., 0]
    assert np.array_equal(crop[:, :24], np.tile(gray[100:148, :1], 24))
    assert np.array_equal(crop[:, 24:], gray[100:148, :24])


@settings(max_examples=40, deadline=None)
@given(
    corners=st.lists(st.tuples(st.floats(-60, 330), st.floats(-60, 250)), min_size=1, max_size=3),
    sides_px=st.floats(0.5, 200),
    degrees=st.floats(-180, 180),
)
def test_crops_come_from_the_faces_surroundings_as_from_the_whole_picture(
    corners: list[tuple[float, float]], sides_px: float, degrees: float
) -> None:
    info = VideoInfo("clip", Path("clip"), 320, 240, Fraction(25), Fraction(1, 25))
    picture = ArrayPicture(np.repeat(scenery()[..., None], 3, axis=2))
    turn = cv2.getRotationMatrix2D((50, 50), degrees, sides_px / 100)
    face = (np.c_[FACE, np.ones(5)] @ turn.T).astype(np.float32)
    rows = np.array([(x, y, x + sides_px, y + sides_px) for x, y in corners], np.float32)
    landmarks = np.stack([face - 50 + (row[:2] + row[2:]) / 2 for row in rows])
    faces = TrackedFaces(rows, np.ones(len(rows), np.float32), landmarks, np.arange(1, len(rows) + 1, dtype=np.int32))
    framing = FRAMINGS["neural"]

    (item,) = align(iter([FrameFaces(Frame(info, 0, 0, 0.0, picture), faces)]), 24, framing, keep_picture=False)

    np.testing.assert_array_equal(item.faces.crops, cut_faces(picture.gray(), rows, landmarks, 24, framing))


def test_faces_at_both_ends_of_a_picture_wider_than_opencv_warps() -> None:
    pixels = np.tile(np.repeat(scenery(60, 100)[..., None], 3, axis=2), (1, 400, 1))
    info = VideoInfo("panorama", Path("panorama"), 40_000, 60, Fraction(25), Fraction(1, 25))
    rows = boxes((10, 10, 50, 50), (39_910, 10, 39_950, 50))
    faces = TrackedFaces(rows, np.ones(2, np.float32), None, np.array([1, 2], np.int32))

    (item,) = align(
        iter([FrameFaces(Frame(info, 0, 0, 0.0, ArrayPicture(pixels)), faces)]), 24, PLAIN, keep_picture=False
    )

    assert np.array_equal(item.faces.crops[0], item.faces.crops[1])


@given(st.floats(-60, 60), st.floats(0.5, 3))
def test_a_turned_or_resized_face_gives_the_same_crop(degrees: float, scale: float) -> None:
    gray = scenery(400, 400)
    landmarks = FACE + 150
    turn = cv2.getRotationMatrix2D((200, 200), degrees, scale)
    turned = cv2.warpAffine(gray, turn, (400, 400), flags=cv2.INTER_CUBIC)
    # Corners count from the edge of the first pixel, warpAffine from its centre.
    moved = (np.c_[(landmarks - 0.5).reshape(-1, 2), np.ones(5)] @ turn.T + 0.5).astype(np.float32)
    framing = Framing(1.0, (0.5, 0.5), (0.5, 0.6))
    upright = cut_faces(gray, boxes((170, 150, 230, 250)), landmarks[None], 48, framing)
    half = 30 * scale
    again = cut_faces(turned, boxes((200 - half, 150, 200 + half, 250)), moved[None], 48, framing)
    assert correlation(upright, again) > 0.99


def test_landmarks_in_one_point_turn_nothing() -> None:
    framing = Framing(1.0, (0.5, 0.5), (0.5, 0.5))
    gray = scenery()
    crop = cut_faces(gray, boxes((20, 30, 68, 78)), np.full((1, 5, 2), [44, 54], np.float32), 48, framing)
    assert np.array_equal(crop[0, ..., 0], gray[30:78, 20:68])


def test_without_a_framing_for_landmarks_the_box_decides() -> None:
    crop = cut_faces(scenery(), boxes((20, 30, 68, 78)), FACE[None], 48, PLAIN)
    assert np.array_equal(crop, cut_faces(scenery(), boxes((20, 30, 68, 78)), None, 48, PLAIN))


@pytest.mark.parametrize("moved_px", [-36, 270])
def test_a_face_cut_off_at_the_side_is_framed_as_if_it_were_whole(moved_px: float) -> None:
    whole = np.array([[20, 40, 80, 120]], np.float32)
    framing, landmarks = FRAMINGS["neural"], FACE[None] + np.float32([moved_px, 0])
    expected = place_squares(whole + np.float32([moved_px, 0, moved_px, 0]), landmarks, framing)
    seen = np.clip(whole + np.float32([moved_px, 0, moved_px, 0]), 0, [320, 240, 320, 240]).astype(np.float32)

    placed = place_squares(seen, landmarks, framing, 320)

    assert np.hypot(*placed.x_axes.T) == pytest.approx(np.hypot(*expected.x_axes.T), rel=0.05)
    assert placed.centres == pytest.approx(expected.centres, abs=2)
    assert np.hypot(*place_squares(seen, landmarks, framing).x_axes.T) < 0.8 * np.hypot(*expected.x_axes.T)


@pytest.mark.parametrize("faces", [0, 1, 4])
def test_every_frame_comes_out_with_a_crop_of_each_face(faces: int) -> None:
    item = next(align(iter([frame_faces(faces=faces)]), 48, PLAIN, keep_picture=False))
    assert item.faces.crops.shape == (faces, 48, 48, 1)
    assert item.faces.track_ids.tolist() == list(range(1, faces + 1))
    assert (item.frame.shot, item.frame.index) == (2, 3)


def test_faces_come_with_what_is_measured_of_their_crop_and_square() -> None:
    item = frame_faces()
    moved = replace(item.faces, boxes=boxes((-32, 30, 32, 94)))
    inside, outside = align(iter([item, replace(item, faces=moved)]), 48, PLAIN, keep_picture=False)
    np.testing.assert_array_equal(inside.faces.measures[:, :3], measure_crops(inside.faces.crops))
    np.testing.assert_array_equal(inside.faces.measures[:, 4], measure_occlusion(inside.faces.crops))
    assert inside.faces.measures[0, 3] == 0
    assert outside.faces.measures[0, 3] == pytest.approx(0.5)


@pytest.mark.parametrize("keep", [True, False])
def test_the_picture_is_let_go_unless_a_sink_needs_it(keep: bool) -> None:
    frames = [frame_faces(), frame_faces(faces=0), frame_faces(faces=0, analysed=False)]
    for item in align(iter(frames), 48, PLAIN, keep_picture=keep):
        assert (item.frame.picture is not None) is keep


def training_pictures(shared: Path, count: int, skip: int) -> list[UInt8Array]:
    with zipfile.ZipFile(shared / "data" / "ferplus.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("FER2013Valid/") and name.endswith("png"))
        data = [io.BytesIO(archive.read(name)).getbuffer() for name in islice(names, skip, skip + count)]
    return [cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) for png in data]


def cut_square(found: Detections, framing: Framing, side_px: int = 240) -> np.ndarray:
    """Return (left, top, right, bottom) of what is cut, px: ramps are cut out in place of a picture."""
    ramp = np.tile(np.arange(side_px, dtype=np.uint8), (side_px, 1))
    across, down = (
        cut_faces(np.ascontiguousarray(gray), found.boxes, found.landmarks, 48, framing)[0, ..., 0].astype(float)
        for gray in (ramp, ramp.T)
    )
    half = (across[:, -1].mean() - across[:, 0].mean()) * 48 / 47 / 2
    x, y = across.mean() + 0.5, down.mean() + 0.5
    return np.array([x - half, y - half, x + half, y + half])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["haar", "yunet"])
def test_a_training_picture_seen_in_a_video_is_cut_out_as_it_was(shared: Path, name: str) -> None:
    """Other pictures than the framing was measured on, enlarged to 120 px and pasted into a gray frame of 240 px."""
    model = shared / "reference" / "face_detection_yunet_2023mar.onnx"
    detector: Detector = HaarDetector() if name == "haar" else YuNetDetector(model)
    squares = []
    for picture in training_pictures(shared, 100, skip=500):
        frame = np.full((240, 240), 110, np.uint8)
        frame[60:180, 60:180] = cv2.resize(picture, (120, 120), interpolation=cv2.INTER_CUBIC)
        image = cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB) if detector.picture_format.colour == "rgb" else frame
        found = detector.detect([image])[0]
        if len(found):
            squares.append(cut_square(found.take(np.array([0])), FRAMINGS[name]))
    assert len(squares) >= 60
    errors = (np.array(squares) - [60, 60, 180, 180]) / 120
    assert np.abs(np.median(errors, axis=0)).max() < 0.05
    assert np.median(np.abs(errors).max(axis=1)) < 0.16

"""Pixels as displayed, from any format, without converting what nobody asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from videmo.video.picture import ArrayPicture, Display, Scaler, VideoPicture

WIDTH, HEIGHT = 64, 48
FULL_RANGE = ("yuvj420p", "gray", "gray10le", "rgb24", "bgr24", "gbrp", "ya8")
LIMITED_RANGE = (
    *("yuv420p", "yuv422p", "yuv444p", "yuv410p", "yuva420p", "nv12"),
    *("yuv420p10le", "yuv420p16le", "p010le", "yuyv422", "uyvy422"),
)


def corners() -> NDArray[np.uint8]:
    """White, orange / black, gray: each quarter tells where it is."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2, : WIDTH // 2] = 255
    picture[: HEIGHT // 2, WIDTH // 2 :] = (200, 100, 50)
    picture[HEIGHT // 2 :, : WIDTH // 2] = 0
    picture[HEIGHT // 2 :, WIDTH // 2 :] = 128
    return picture


def quarters(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean of the middle of each quarter, row by row."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 8, height - height // 4), (width // 8, width - width // 4)
    return np.array([pixels[y : y + height // 8, x : x + width // 8].mean((0, 1)) for y in rows for x in columns])


def picture_in(pixel_format: str, rotation: int = 0, width: int = WIDTH, height: int = HEIGHT) -> VideoPicture:
    frame = av.VideoFrame.from_ndarray(corners(), format="rgb24")
    frame = frame.reformat(format=pixel_format, dst_color_range=2 if pixel_format in FULL_RANGE else 1)
    return VideoPicture(frame, Display(width, height, rotation), Scaler())


@pytest.mark.parametrize("pixel_format", LIMITED_RANGE + FULL_RANGE)
def test_gray_is_full_range_luma_from_any_format(pixel_format: str) -> None:
    expected = quarters(cv2.cvtColor(corners(), cv2.COLOR_RGB2GRAY))
    assert quarters(picture_in(pixel_format).gray()) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("pixel_format", [name for name in LIMITED_RANGE + FULL_RANGE if name[:2] not in ("gr", "ya")])
def test_rgb_and_i420_keep_the_colours_of_any_format(pixel_format: str) -> None:
    picture, expected = picture_in(pixel_format), quarters(corners())
    back = cv2.cvtColor(picture.i420(), cv2.COLOR_YUV2RGB_I420)
    assert np.abs(quarters(picture.rgb()) - expected).max() <= 5
    assert np.abs(quarters(picture.rgb(32, 24)) - expected).max() <= 5
    assert np.abs(quarters(back) - expected).max() <= 5


def test_the_common_formats_are_read_in_place() -> None:
    picture = picture_in("yuv420p")
    picture.gray()
    assert not picture.scaler._reformatters  # nothing was converted


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv420p10le"])
def test_gray_and_i420_do_not_hand_out_the_decoders_memory(pixel_format: str) -> None:
    picture = picture_in(pixel_format)
    picture.gray()[:] = 7
    picture.i420()[:] = 7
    assert picture.gray().max() == 255


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_rotation_turns_every_output_clockwise(rotation: int) -> None:
    picture = picture_in("yuv420p", rotation)
    upright = np.rot90(corners(), -rotation // 90)
    assert (picture.height_px, picture.width_px) == upright.shape[:2]
    assert picture.rgb().shape == upright.shape
    assert np.abs(quarters(picture.rgb()) - quarters(upright)).max() <= 5
    size = (picture.width_px // 2, picture.height_px // 2)
    assert picture.rgb(*size).shape[1::-1] == size
    assert np.abs(quarters(picture.rgb(*size)) - quarters(upright)).max() <= 5
    assert quarters(picture.gray()) == pytest.approx(quarters(cv2.cvtColor(upright, cv2.COLOR_RGB2GRAY)), abs=2)
    back = cv2.cvtColor(picture.i420(), cv2.COLOR_YUV2RGB_I420)
    assert np.abs(quarters(back) - quarters(upright)).max() <= 5


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("rotation", [0, 90])
def test_pictures_are_shown_with_square_pixels(pixel_format: str, rotation: int) -> None:
    picture = picture_in(pixel_format, rotation, width=96)
    expected = (96, 48) if rotation == 0 else (48, 96)
    assert (picture.width_px, picture.height_px) == expected
    assert picture.gray().shape[::-1] == picture.rgb().shape[1::-1] == expected
    assert picture.i420().shape == (expected[1] * 3 // 2, expected[0])


@pytest.mark.parametrize(("width", "height"), [(63, 47), (64, 47), (1, 1), (193, 144)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_odd_sides_are_padded_to_even_for_i420(width: int, height: int, rotation: int) -> None:
    pixels = np.full((height, width, 3), 90, np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame = frame.reformat(format="yuv444p", dst_color_range=1)
    for picture in (VideoPicture(frame, Display(width, height, rotation), Scaler()), ArrayPicture(pixels)):
        even_width, even_height = (side + side % 2 for side in (picture.width_px, picture.height_px))
        i420 = picture.i420()
        assert i420.shape == (even_height * 3 // 2, even_width)
        assert np.abs(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420).astype(int) - 90).max() <= 2
        assert picture.gray().shape == (picture.height_px, picture.width_px)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv420p10le"])
@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize("width", [WIDTH, 96])
def test_a_part_of_the_luma_is_cut_out_of_the_whole(pixel_format: str, rotation: int, width: int) -> None:
    picture = picture_in(pixel_format, rotation, width=width)
    for other in (picture, ArrayPicture(picture.rgb())):
        width_px, height_px = other.width_px, other.height_px
        for x1, y1, x2, y2 in ((5, 9, width_px, height_px - 3), (width_px - 1, 0, width_px, 1)):
            assert np.array_equal(other.gray((x1, y1, x2, y2)), other.gray()[y1:y2, x1:x2])


def test_threads_that_ask_at_once_get_what_one_thread_gets() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    scaler = Scaler()
    frames = [av.VideoFrame.from_ndarray(noise + i, format="rgb24").reformat(format="yuv420p10le") for i in range(40)]
    pictures = [VideoPicture(frame, Display(WIDTH, HEIGHT, 0), scaler) for frame in frames]

    def ask(picture: VideoPicture) -> bytes:
        return picture.rgb(32, 24).tobytes() + picture.gray().tobytes() + picture.i420().tobytes()

    expected = [ask(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, pictures * 3)) == expected * 3


def test_array_pictures_agree_with_opencv() -> None:
    picture = ArrayPicture(corners())
    assert np.array_equal(picture.rgb(), corners())
    assert np.array_equal(picture.gray(), cv2.cvtColor(corners(), cv2.COLOR_RGB2GRAY))
    assert np.abs(quarters(picture.rgb(16, 12)) - quarters(corners())).max() <= 1
    assert picture.rgb(128, 96).shape == (96, 128, 3)

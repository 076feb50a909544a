"""Quality of faces: damage lowers the measure that names it, and the verdict follows the limits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from skimage import data

from videmo.datatypes import ScoredFaces, UInt8Array
from videmo.quality import (
    EXCLUDE_REASONS,
    MEASURES,
    USABLE,
    face_sizes,
    find_exclusions,
    measure_crops,
    measure_cut_off,
    usable_mask,
)
from videmo.settings import Settings

SIZE, GOOD, FRONTAL = 60.0, (1.0, 0.5, 0.4, 0.0, 0.1), (0.0, 0.0, 0.0)
"""What no default limit excludes: face_size_px, `MEASURES`, pose."""
DEFAULTS = Settings()


def portrait(side_px: int = 48) -> UInt8Array:
    """A public-domain face as a crop (side_px, side_px)."""
    gray = cv2.cvtColor(data.astronaut()[:200, 130:330], cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def measure(*pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Return the measures of crops by name."""
    stack = np.stack(pictures)[..., None].clip(0, 255).astype(np.uint8)
    return dict(zip(MEASURES, measure_crops(stack).T, strict=False))


def judge(
    *,
    size: float = SIZE,
    measures: tuple[float, ...] = GOOD,
    yaw: float = 0.0,
    score: float = 0.9,
    settings: Settings = DEFAULTS,
) -> str | None:
    """Return the reason to exclude a face, under the default limits unless others are given."""
    box = np.array([[10, 10, 10 + size, 10 + size]], np.float32)
    found = find_exclusions(
        box,
        np.array([score], np.float32),
        np.array([measures], np.float32),
        np.array([[yaw, 0, 0]], np.float32),
        settings,
    )
    return None if found[0] == USABLE else EXCLUDE_REASONS[found[0]]


def test_blur_lowers_sharpness_step_by_step() -> None:
    face = portrait()
    blurred = [cv2.GaussianBlur(face, (0, 0), sigma) for sigma in (0.5, 1, 2, 4)]
    assert (np.diff(measure(face, *blurred)["sharpness"]) < 0).all()


def test_a_dark_face_is_dark_and_not_blurred() -> None:
    face = portrait().astype(float)
    found = measure(face, 0.5 * face, 0.25 * face)
    assert found["brightness"] == pytest.approx(found["brightness"][0] * np.array([1, 0.5, 0.25]), abs=0.01)
    assert found["contrast"] == pytest.approx(found["contrast"][0] * np.array([1, 0.5, 0.25]), abs=0.01)
    assert found["sharpness"] == pytest.approx(found["sharpness"][0], rel=0.1)


@pytest.mark.parametrize("level", [0, 51, 255])
def test_a_flat_crop_has_its_brightness_and_nothing_else(level: int) -> None:
    (row,) = measure_crops(np.full((1, 48, 48, 1), level, np.uint8))
    assert row.tolist() == pytest.approx([0, level / 255, 0])


def test_the_frame_around_the_face_does_not_count() -> None:
    face = portrait()
    framed = face.copy()
    framed[:7], framed[-7:], framed[:, :7], framed[:, -7:] = 255, 0, 255, 0
    np.testing.assert_array_equal(measure_crops(face[None, ..., None]), measure_crops(framed[None, ..., None]))


@pytest.mark.parametrize("side_px", [96, 144])
def test_the_side_of_the_crop_hardly_matters(side_px: int) -> None:
    large = portrait(side_px)
    small = cv2.resize(large, (48, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(measure_crops(large[None, ..., None]), measure_crops(small[None, ..., None]), rtol=1e-5)


@given(npst.arrays(np.uint8, st.tuples(st.integers(0, 5), st.just(48), st.just(48), st.just(1))))
def test_measures_are_in_range_and_do_not_depend_on_the_batch(crops: UInt8Array) -> None:
    together = measure_crops(crops)
    assert together.shape == (len(crops), 3)
    assert together.dtype == np.float32
    assert (together >= 0).all()
    assert (together[:, 1:] <= 1).all()
    for crop, row in zip(crops, together, strict=True):
        np.testing.assert_array_equal(measure_crops(crop[None])[0], row)


def square(x: float, y: float, side: float, degrees: float = 0.0) -> np.ndarray:
    """Return the corners (1, 4, 2) of a square round (x, y)."""
    turn = np.radians(degrees)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return (np.array([x, y]) + side / 2 * signs @ axes)[None]


@pytest.mark.parametrize(
    ("corners", "share"),
    [
        (square(50, 50, 40), 0),
        (square(0, 50, 40), 0.5),
        (square(100, 80, 40), 0.75),
        (square(-50, 50, 40), 1),
        (square(0, 50, 40, degrees=45), 0.5),
        (square(0, 50, 40, degrees=20), 0.5),
        (square(50, 40, 200), 1 - 100 * 80 / 200**2),
        (square(50, 50, 0), 0),
    ],
)
def test_the_share_outside_the_picture_is_that_of_the_area(corners: np.ndarray, share: float) -> None:
    assert measure_cut_off(corners, 100, 80) == pytest.approx([share], abs=1e-5)


@given(x=st.floats(-300, 300), y=st.floats(-300, 300), side=st.floats(0.5, 500), degrees=st.floats(-180, 180))
def test_shares_are_shares_and_agree_with_counted_points(x: float, y: float, side: float, degrees: float) -> None:
    corners = square(x, y, side, degrees)
    (share,) = measure_cut_off(corners, 100, 80)
    steps = (np.arange(64) + 0.5) / 64
    origin, right, down = corners[0, 0], corners[0, 1] - corners[0, 0], corners[0, 3] - corners[0, 0]
    points = origin + steps[:, None, None] * right + steps[None, :, None] * down
    inside = ((points >= 0) & (points <= [100, 80])).all(axis=2).mean()
    assert 0 <= share <= 1
    assert share == pytest.approx(1 - inside, abs=0.05)


def test_the_size_is_the_geometric_mean_of_the_sides() -> None:
    assert face_sizes(np.array([[0, 0, 40, 90], [5, 5, 5, 9]], np.float32)).tolist() == [60, 0]


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        ({}, None),
        ({"size": 12.0}, "too_small"),
        ({"measures": (1, 0.5, 0.4, 0.6, 0)}, "cut_off"),
        ({"measures": (1, 0.03, 0.4, 0, 0)}, "too_dark"),
        ({"measures": (1, 0.98, 0.4, 0, 0)}, "too_bright"),
        ({"measures": (1, 0.5, 0.02, 0, 0)}, "low_contrast"),
        ({"measures": (0.01, 0.5, 0.4, 0, 0)}, "blurred"),
        ({"yaw": 70.0}, "turned_away"),
        ({"yaw": -70.0}, "turned_away"),
        ({"score": 0.05}, "low_score"),
        ({"measures": (np.nan,) * 5, "yaw": np.nan}, None),
        ({"size": 12.0, "measures": (0, 0, 0, 1, 1), "yaw": 70.0, "score": 0.0}, "too_small"),
        ({"measures": (0, 0, 0, 0, 0), "score": 0.0}, "too_dark"),
    ],
)
def test_the_first_reason_counts(face: dict[str, float], reason: str | None) -> None:
    assert judge(**face) == reason


def test_a_covered_face_is_excluded_only_under_a_limit() -> None:
    covered, strict = (1, 0.5, 0.4, 0, 0.96), Settings(quality_max_occlusion=0.95)
    assert judge(measures=covered) is None
    assert judge(measures=covered, settings=strict) == "occluded"
    assert judge(settings=strict) is None
    assert judge(measures=(1, 0.5, 0.4, 0, np.nan), settings=strict) is None
    assert judge(measures=covered, yaw=70.0, settings=strict) == "turned_away"
    assert judge(measures=covered, score=0.1, settings=strict) == "occluded"


def test_damaged_portraits_get_the_reason_that_fits() -> None:
    face = portrait().astype(float)
    damaged = [face, 0.1 * face, 255 - 0.08 * face, 100 + 0.1 * face, cv2.GaussianBlur(face, (0, 0), 3)]
    rows = measure_crops(np.stack(damaged)[..., None].round().astype(np.uint8))
    reasons = [judge(measures=(*row, 0.0, 0.0)) for row in rows.tolist()]
    assert reasons == [None, "too_dark", "too_bright", "low_contrast", "blurred"]


def test_faces_without_landmarks_or_measures_are_usable() -> None:
    faces = ScoredFaces(np.array([[0, 0, 60, 60]]), np.ones(1), None, np.ones(1), np.eye(8)[:1])
    assert np.isnan(faces.measures).all()
    assert usable_mask(faces, Settings()).tolist() == [True]
    assert usable_mask(faces, Settings(quality_min_face_px=61)).tolist() == [False]

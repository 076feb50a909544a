from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.training.detector.augment import Augmentation
from videmo.training.detector.batches import Batches, Crops
from videmo.training.detector.drawings import draw_page
from videmo.training.detector.losses import FACE
from videmo.training.detector.pictures import LabelledPicture

Make = Callable[..., LabelledPicture]

# Every crop of the same kind: one kind is tested at a time.
ONLY = {"empty": (0.0, 0.0), "extra": (0.0, 0.0)} | dict.fromkeys(
    ("anchored", "mosaic", "large_share", "rotated", "sideways"), 0.0
)


def make_batches(make_picture: Make, more: tuple[LabelledPicture, ...] = (), **kind: object) -> Batches:
    pictures = [make_picture((20, 20, 60, 70)), make_picture((10, 10, 40, 46), (70, 70, 110, 120))]
    crops = Crops(small=(64, 4), large=(96, 2), **{**ONLY, **kind})  # type: ignore[arg-type]
    return Batches(crops, pictures, more, seed=1)


def true_boxes(truth: np.ndarray) -> np.ndarray:
    return truth[truth[..., 19] == FACE][:, :4]


def test_a_batch_can_be_made_again_and_differs_from_the_next(make_picture: Make) -> None:
    batches = make_batches(make_picture, anchored=0.3, mosaic=0.3, empty=(0.2, 0.2))

    images, truth = batches.make(3)
    again, again_truth = batches.make(3)
    other, _ = batches.make(4)

    assert images.shape == (4, 64, 64, 3)
    assert truth.shape == (4, 8, 20)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(truth, again_truth)
    assert not np.array_equal(images, other)


def test_large_batches_show_faces_of_the_width_asked_for(make_picture: Make) -> None:
    batches = make_batches(make_picture, large_share=1.0, large_anchored=1.0, large_width_px=(70.0, 80.0))

    widths, shapes = [], set()
    for number in range(20):
        images, truth = batches.make(number)
        shapes.add(images.shape)
        widths.append([np.ptp(row[:, [0, 2]][row[:, 19] == FACE], axis=1).max(initial=0) for row in truth])

    assert shapes == {(2, 96, 96, 3)}
    # Cut by the border of the crop at most.
    assert 40 < np.median(widths) <= 81
    assert np.max(widths) <= 81


def test_anchored_crops_hold_a_face(make_picture: Make) -> None:
    batches = make_batches(make_picture, anchored=1.0, anchored_width_px=(15.0, 30.0))

    for number in range(10):
        _, truth = batches.make(number)
        assert (truth[..., 19] == FACE).any(axis=1).all()


def test_faces_that_look_away_are_drawn_more_often() -> None:
    boxes = np.array([[20, 20, 60, 70], [80, 20, 120, 70], [20, 80, 60, 120]], np.float32)
    landmarks = np.full((3, 5, 2), 40, np.float32)
    landmarks[0, :2, 0] = 30, 50  # looks here: eyes 20 of 40 px apart
    landmarks[1, :2, 0] = 110, 115  # in profile
    landmarks[2] = np.nan  # nobody could tell where its eyes are
    picture = LabelledPicture(np.full((128, 128, 3), 90, np.uint8), boxes, landmarks, np.zeros(3, bool))

    faces = Batches(Crops(averted=3), [picture], [], seed=0).faces

    assert np.bincount(faces[:, 1]).tolist() == [1, 3, 3]


@pytest.mark.parametrize(("sideways", "taller"), [(0.0, True), (1.0, False)])
def test_crops_can_lie_on_their_side(sideways: float, taller: bool, make_picture: Make) -> None:
    batches = make_batches(make_picture, anchored=1.0, anchored_width_px=(15.0, 20.0), sideways=sideways)

    boxes = true_boxes(np.concatenate([batches.make(number)[1] for number in range(5)]))

    sides = np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    assert (sides[1] > sides[0]) == taller


def test_empty_crops_have_no_face(make_picture: Make) -> None:
    extra = (make_picture(), make_picture((30, 30, 80, 90)))
    batches = make_batches(make_picture, extra, empty=(1.0, 1.0))

    _, truth = batches.make(0)

    assert not truth.any()


def test_extra_pictures_are_shown_as_often_as_asked(make_picture: Make) -> None:
    bright = make_picture((30, 30, 80, 90))
    bright.image[:] = 250
    still = Augmentation(**dict.fromkeys(Augmentation.__dataclass_fields__, 0.0))
    batches = make_batches(make_picture, (bright,), extra=(1.0, 1.0), augmentation=still)

    images, _ = batches.make(0)

    assert (images.max(axis=(1, 2, 3)) == 250).all()


@settings(max_examples=15, deadline=None)
@given(number=st.integers(0, 10**6), strength=st.floats(0, 1))
def test_every_true_box_lies_in_its_crop(number: int, strength: float) -> None:
    boxes = np.array([[20, 20, 60, 70], [90, 5, 126, 50]], np.float32)
    landmarks = np.full((2, 5, 2), 40, np.float32)
    image = np.full((128, 128, 3), 90, np.uint8)
    picture = LabelledPicture(image, boxes, landmarks, np.zeros(2, bool))
    batches = Batches(Crops(small=(64, 4), large=(96, 2)), [picture], [], seed=0)

    images, truth = batches.make(number, strength)

    found, side_px = true_boxes(truth), images.shape[1]
    assert images.dtype == np.uint8
    assert np.isfinite(truth).all()
    assert ((found >= 0) & (found <= side_px)).all()
    assert (found[:, 2:] > found[:, :2]).all()
    known = truth[..., 4:14].reshape(-1, 5, 2)[truth[..., 14:19].reshape(-1, 5) > 0]
    assert ((known >= 0) & (known <= side_px)).all()


@pytest.mark.parametrize("name", Augmentation.__dataclass_fields__)
def test_each_change_alters_pixels_and_keeps_their_shape(name: str, make_picture: Make) -> None:
    rng = np.random.default_rng(0)
    crop = make_picture((20, 20, 100, 110))
    crop.image[:] = rng.integers(0, 255, crop.image.shape)
    untouched = crop.image.copy()
    only = Augmentation(**(dict.fromkeys(Augmentation.__dataclass_fields__, 0.0) | {name: 1.0}))

    changed = [only.apply(crop, rng) for _ in range(4)]

    assert all(image.shape == crop.image.shape and image.dtype == np.uint8 for image in changed)
    assert any(not np.array_equal(image, untouched) for image in changed)
    np.testing.assert_array_equal(crop.image, untouched)


def test_drawn_pages_differ() -> None:
    rng = np.random.default_rng(0)
    pages = [draw_page(64, rng) for _ in range(5)]

    assert all(page.shape == (64, 64, 3) and page.dtype == np.uint8 for page in pages)
    assert len({page.tobytes() for page in pages}) == 5

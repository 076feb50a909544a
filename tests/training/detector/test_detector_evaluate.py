from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from videmo.datatypes import Detections
from videmo.training.detector.evaluate import WIDTHS_PX, evaluate, measure, recall_by_width, resize_pictures
from videmo.training.detector.pictures import LabelledPicture

Make = Callable[..., LabelledPicture]


class Oracle:
    """Answers with the true faces of pictures it was given in order, changed by `change`."""

    def __init__(self, pictures: Sequence[LabelledPicture], change: Callable[[Detections], Detections]) -> None:
        self.pictures, self.change = pictures, change

    def __call__(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [
            self.change(Detections(p.boxes, np.linspace(0.9, 0.8, len(p.boxes)), p.landmarks)) for p in self.pictures
        ]


@pytest.fixture
def pictures(make_picture: Make) -> list[LabelledPicture]:
    return [
        make_picture((10, 10, 50, 60), (60, 60, 100, 110), side_px=320),
        make_picture((20, 20, 60, 60), side_px=320),
    ]


def test_the_truth_itself_scores_one(pictures: list[LabelledPicture]) -> None:
    figures = evaluate(Oracle(pictures, lambda faces: faces), pictures, 320)

    assert (figures["ap"], figures["ap50"], figures["ap75"], figures["ar"]) == (1, 1, 1, 1)
    assert (figures["landmark_error"], figures["landmark_error_eyes"]) == (0, 0)
    assert (figures["ar_medium"], figures["ar_small"]) == (1, None)
    assert figures["precision50"] == [1.0] * 101


def test_shifted_boxes_lose_precision_at_high_overlap(pictures: list[LabelledPicture]) -> None:
    def shift(faces: Detections) -> Detections:
        return Detections(faces.boxes + np.array([8, 0, 8, 0]), faces.scores, faces.landmarks + 4)

    figures = evaluate(Oracle(pictures, shift), pictures, 320)

    # 32 of 48 px: an IoU of 2/3.
    assert (figures["ap50"], figures["ap75"]) == (1, 0)
    # 4 px to the right and down; the faces measure sqrt(40 * 50) px and 40 px, the eyes are 16 px apart.
    expected = np.mean([4 * 2**0.5 / 2000**0.5] * 2 + [4 * 2**0.5 / 40])
    assert figures["landmark_error"] == pytest.approx(expected, abs=1e-4)
    assert figures["landmark_error_eyes"] == pytest.approx(4 * 2**0.5 / 16, abs=1e-4)


def test_faces_in_ignored_regions_are_neither_right_nor_wrong(pictures: list[LabelledPicture]) -> None:
    pictures[0].ignored[0] = True

    with_it = evaluate(Oracle(pictures, lambda faces: faces), pictures, 320)
    without = evaluate(Oracle(pictures, lambda faces: faces.take(faces.scores < 0.9)), pictures, 320)

    assert with_it["ap50"] == 1
    assert without["ar"] == 0.5


def test_no_answers_score_nothing(pictures: list[LabelledPicture]) -> None:
    figures = evaluate(lambda images: [Detections.none() for _ in images], pictures, 320)

    assert (figures["ap50"], figures["ar"], figures["landmark_error"]) == (0, 0, None)


def test_resizing_keeps_faces_in_place(make_picture: Make) -> None:
    (resized,) = resize_pictures([make_picture((10, 20, 50, 60), side_px=100)], 320)

    assert resized.image.shape == (320, 320, 3)
    np.testing.assert_allclose(resized.boxes, [[32, 64, 160, 192]])


def test_recall_by_width_shows_each_face_in_the_middle(make_picture: Make) -> None:
    picture = make_picture((30, 30, 70, 80), (90, 90, 100, 110))
    picture.image[30:80, 30:70] = 255

    def find_bright(images: Sequence[np.ndarray]) -> list[Detections]:
        boxes = []
        for image in images:
            y, x = np.nonzero(image[..., 0] > 180)
            boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
        return [Detections(np.array([box], np.float32), np.array([0.6], np.float32)) for box in boxes]

    recalls = recall_by_width(find_bright, [picture], min_score=0.5)
    strict = recall_by_width(find_bright, [picture], min_score=0.7)

    assert recalls == dict.fromkeys(WIDTHS_PX, 1.0)
    assert strict == dict.fromkeys(WIDTHS_PX, 0.0)


def test_pictures_without_faces_have_no_figures(make_picture: Make) -> None:
    result = measure("nobody", lambda images: [Detections.none() for _ in images], [make_picture()], min_score=0.5)

    assert result["sizes"][0]["ap50"] is None
    assert result["recall_by_width_px"] == dict.fromkeys(WIDTHS_PX)


def test_a_measurement_names_its_detector_and_sizes(pictures: list[LabelledPicture]) -> None:
    result = measure("nobody", lambda images: [Detections.none() for _ in images], pictures, min_score=0.5)

    assert (result["detector"], result["n"]) == ("nobody", 2)
    assert [size["long_side_px"] for size in result["sizes"]] == [320, 480, 640]
    assert list(result["recall_by_width_px"]) == list(WIDTHS_PX)

"""A contact sheet of what the detector finds where it is hard, for a person to look at.

    python tests/benchmarks/detector_sheet.py ../shared/data/faces_coco.zip sheet.png [--preset NAME]

Rows: one face (scikit-image's astronaut) from 16 px to 70 % of the height of a 320 px picture; the same face turned in
the picture, in the dark, half in shadow, behind dark glasses and masks; then validation pictures with the faces that
are turned away the most, the smallest, the darkest, and those with most faces. Never commit a sheet: the pictures of
the validation set may not be passed on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.detection.neural import PRESET, load
from videmo.inference import choose_engine
from videmo.presets import find_preset
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.pictures import LabelledPicture
from videmo.training.detector.sheet import draw_sheet

COLUMNS, SIDE_PX = 8, 320
FACE_BOX = (175, 65, 270, 190)
"""Of the astronaut's face."""
WIDTHS_PX = (16, 24, 40, 64, 96, 128, 170, 190)
ANGLES_DEG = (-90, -45, -30, -15, 15, 30, 45, 90)

Image = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="faces_coco.zip")
    parser.add_argument("out", type=Path, help="picture file to write")
    parser.add_argument("--preset", default=PRESET)
    options = parser.parse_args()
    detector = load(find_preset(options.preset, "detection"), choose_engine("auto"), batch_size=8)
    pictures = [*_made(), *_chosen(read_pictures(options.data, "val"))]
    draw_sheet(pictures, detector.detect(pictures), options.out, side_px=200, columns=COLUMNS)
    print(f"wrote {options.out}: {len(pictures)} pictures, scores from {detector.birth_score}")


def _made() -> list[Image]:
    """Returns the rows made from one face."""
    import skimage.data

    face = np.asarray(skimage.data.astronaut())
    medium = _zoomed(face, 96)
    return [
        *(_zoomed(face, width_px) for width_px in WIDTHS_PX),
        *(_zoomed(face, 96, angle_deg) for angle_deg in ANGLES_DEG),
        *(np.asarray(medium * gain, np.uint8) for gain in (0.4, 0.2, 0.1, 0.05)),
        *(np.asarray(medium * _half(medium, depth)[..., None], np.uint8) for depth in (0.5, 0.75, 0.9)),
        _covered(medium, 0.33, 0.12, (20, 20, 20)),
        *(_covered(medium, 0.75, 0.25, colour) for colour in ((240, 240, 240), (40, 90, 160), (20, 20, 20))),
        *(cv2.GaussianBlur(medium, (0, 0), sigma).astype(np.uint8) for sigma in (2.0, 4.0, 7.0)),
        *(_zoomed(face, 96, at=at) for at in ((0.0, 0.5), (0.5, 0.0))),
    ]


def _zoomed(face: Image, width_px: int, angle_deg: float = 0.0, at: tuple[float, float] = (0.5, 0.5)) -> Image:
    """Returns a picture with the middle of the face at a share of its sides, the face `width_px` wide."""
    x1, y1, x2, y2 = FACE_BOX
    centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    matrix = cv2.getRotationMatrix2D(centre, angle_deg, width_px / (x2 - x1))
    matrix[:, 2] += np.array(at) * SIDE_PX - centre
    return np.asarray(cv2.warpAffine(face, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA, borderValue=(90,) * 3))


def _half(image: Image, depth: float) -> NDArray[np.float32]:
    gain = np.ones(image.shape[:2], np.float32)
    gain[:, : image.shape[1] // 2] -= depth
    return cv2.blur(gain, (9, 9)).astype(np.float32)


def _covered(image: Image, down: float, height: float, colour: tuple[int, int, int]) -> Image:
    covered, x, y = image.copy(), SIDE_PX // 2, int(SIDE_PX / 2 + (down - 0.5) * 126)
    cv2.ellipse(covered, (x, y), (46, int(height * 126)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    return covered


def _chosen(pictures: list[LabelledPicture]) -> list[Image]:
    """Returns a row of pictures for each kind of difficulty."""
    kinds: tuple[Callable[[LabelledPicture], float], ...] = (_averted, _tiny, _dark, _crowded)
    return [
        pictures[at].image for kind in kinds for at in np.argsort([kind(picture) for picture in pictures])[:COLUMNS]
    ]


def _averted(picture: LabelledPicture) -> float:
    eyes_px = np.abs(picture.landmarks[:, 1, 0] - picture.landmarks[:, 0, 0])
    widths_px = picture.boxes[:, 2] - picture.boxes[:, 0]
    shares = np.where(~picture.ignored & (widths_px > 40), eyes_px / widths_px, np.nan)
    return float(np.nanmin(shares, initial=1.0))


def _tiny(picture: LabelledPicture) -> float:
    widths_px = (picture.boxes[:, 2] - picture.boxes[:, 0])[~picture.ignored]
    return float(widths_px.max(initial=0)) or 1e9


def _dark(picture: LabelledPicture) -> float:
    return float(picture.image.mean())


def _crowded(picture: LabelledPicture) -> float:
    return -float((~picture.ignored).sum())


if __name__ == "__main__":
    main()

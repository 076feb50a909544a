"""How accuracy falls with the quality of a face: where the limits `quality_*` in `videmo.settings` come from.

    python tests/benchmarks/quality_thresholds.py ferplus.zip

Preset ferplus-resnet-48 on the FER+ test faces (majority, n = 3,136), right on 85.2 % of them undamaged. A limit is put
where it is right on about 80 %.

| damage: accuracy in % | lost 5 points at | limit |
| --- | --- | --- |
| Gaussian blur of 0.75, 1, 1.25, 1.5, 2 px (of 48): 84.5, 82.2, 80.3, 76.7, 70.2 | sharpness 0.067 | 0.065 |
| 28, 24, 22, 20, 16 px left of 48: 82.7, 80.9, 78.8, 76.6, 70.0 | side 23.4 px = face of 20.8 px | 21 px |
| 50, 30, 25, 20, 15 % of the contrast left, noise 2/255: 83.9, 81.3, 79.7, 76.7, 71.4 | contrast 0.092 | 0.09 |
| overexposed, brightness 0.83, 0.86, 0.89, 0.91, 0.95: 82.1, 82.5, 80.1, 77.3, 71.4 | brightness 0.89 | 0.89 |
| underexposed, brightness 0.20, 0.16, 0.13, 0.10, 0.06: 82.6, 80.1, 79.0, 73.6, 63.0 | brightness 0.16 | 0.12 |

Dimming alone (a factor, and noise) costs what the loss of contrast costs, to a point. So brightness is to catch shadows
that drowned in black, and its limit lies below the rule: dark faces that are well exposed must not be called too dark.

Cut off (400 faces in scenes, through detector, alignment and classifier; right on 86 % whole): five points are lost
with 0.29 of the picture missing on the left, 0.24 on the right, 0.30 at the top, 0.17 at the bottom (the mouth), where
`share_cut_off` is 0.21, 0.19, 0.30 and 0.16 in the median. Limit: 0.2. The share is underestimated beyond 0.3, because
the detector's box ends at the border.

Turned away (yaw that the detector's landmarks give, 3,113 faces): 20 to 30 degrees 83.5 %, 30 to 35 85.7 (n = 105),
35 to 40 75.0 (64; with the enlargements of `videmo.training.framing` 83.3, n = 84), 40 to 45 75.8 (66), above 50 71.8
(78). Limit: 40.
Pitch hardly varies in these pictures, so there is no limit for it.

Detection score: 0.7 to 0.8 84.0 %, 0.6 to 0.7 78.2, 0.5 to 0.6 72.7, 0.3 to 0.5 73.8, below 55.6. Limit: 0.6, a little
below the rule, because scores depend on the detector and on what surrounds the face.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, UInt8Array
from videmo.detection import neural
from videmo.detection.neural import NeuralDetector
from videmo.emotion import preset_classifier
from videmo.emotion.align import FRAMINGS, cut_squares, place_squares
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.pose import head_pose
from videmo.quality import MEASURES, face_sizes, measure_crops, measure_cut_off
from videmo.settings import Settings
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.votes import majority_protocol
from videmo.training.tables import format_table

LOST = 0.05
"""Points of accuracy at which a limit is put."""
NOISE = 2.0
"""Standard deviation of the noise of a dim picture, in levels of 255."""
SCENE_SCALE, SCENE_MARGIN_PX = 3, 72
"""A test picture becomes a scene for the detector: so much larger, with so much of its repeated border around."""
CUT_FACES = 400
QUANTILES = (0.05, 0.5, 0.95)
BINS = 16

Floats = NDArray[np.floating]
Table = tuple[Sequence[str], Iterator[list[object]]]


@dataclass(frozen=True)
class TestFaces:
    """Pictures (n, 48, 48) with one right answer (n,), and the classifier under test."""

    images: UInt8Array
    answers: NDArray[np.intp]
    classifier: PresetClassifier

    def right(self, images: UInt8Array) -> NDArray[np.bool_]:
        """Return for each picture whether its top expression is the right one."""
        crops = np.ascontiguousarray(images[..., None])
        parts = [self.classifier.classify(crops[at : at + 256]) for at in range(0, len(crops), 256)]
        return np.concatenate(parts).argmax(axis=1) == self.answers


def blur(images: UInt8Array, sigma_px: float) -> UInt8Array:
    """A Gaussian out of focus; px of the 48."""
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma_px) for image in images])


def shrink(images: UInt8Array, side_px: float) -> UInt8Array:
    """A face so small that the picture of 48 px holds only `side_px`."""
    size = (int(side_px), int(side_px))
    small = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images)
    return np.stack([cv2.resize(image, images.shape[1:], interpolation=cv2.INTER_LINEAR) for image in small])


def flatten(images: UInt8Array, share: float) -> UInt8Array:
    """Only `share` of the contrast is left, about the picture's mean, and there is noise."""
    means = images.mean(axis=(1, 2), keepdims=True)
    noise = np.random.default_rng(0).normal(0, NOISE, images.shape)
    return round_off(means + share * (images - means) + noise)


def dim(images: UInt8Array, share: float) -> UInt8Array:
    """Only `share` of the light is left, and there is noise: contrast shrinks with brightness."""
    return round_off(share * images.astype(np.float32) + np.random.default_rng(0).normal(0, NOISE, images.shape))


def underexpose(images: UInt8Array, levels: float) -> UInt8Array:
    """Shadows are lost in black: brightness falls and the contrast of what is left does not."""
    return round_off(images - np.float32(levels))


def overexpose(images: UInt8Array, levels: float) -> UInt8Array:
    """Lights are lost in white."""
    return round_off(images + np.float32(levels))


def round_off(values: Floats) -> UInt8Array:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


DAMAGES: dict[str, tuple[Callable[[UInt8Array, float], UInt8Array], str, Sequence[float]]] = {
    "blur, sigma px": (blur, "sharpness", (0.5, 0.75, 1, 1.25, 1.5, 2, 3)),
    "side, px": (shrink, "sharpness", (36, 32, 28, 26, 24, 22, 20, 16, 12)),
    "contrast left": (flatten, "contrast", (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1)),
    "light left": (dim, "brightness", (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1)),
    "underexposed by": (underexpose, "brightness", (20, 40, 60, 80, 100, 120, 140)),
    "overexposed by": (overexpose, "brightness", (20, 40, 60, 80, 100, 120, 140)),
}


def damage_table(faces: TestFaces, name: str) -> Iterator[list[object]]:
    """Yield level, accuracy and the measure's 5, 50 and 95 % quantiles; then the same by the measure, levels pooled.

    The last row of the levels is where accuracy, interpolated, has lost 5 points: its median is what a limit could be.
    """
    damage, measure, levels = DAMAGES[name]
    values, right = [], []
    for images, level in [(faces.images, "none"), *((damage(faces.images, level), level) for level in levels)]:
        values.append(measure_crops(images[..., None])[:, MEASURES.index(measure)])
        right.append(faces.right(images))
        yield [name, str(level), float(right[-1].mean()), measure, *np.quantile(values[-1], QUANTILES).tolist()]
    accuracies, medians = np.mean(right, axis=1), np.median(values, axis=1)
    bound = accuracies[0] - LOST
    falling = np.maximum.accumulate(accuracies[::-1])  # as interpolation needs it: rising
    yield [name, "lost", float(bound), measure, None, float(np.interp(bound, falling, medians[::-1])), None]
    pooled, hits = np.concatenate(values), np.concatenate(right)
    for low, high in pairwise(np.quantile(pooled, np.linspace(0, 1, BINS + 1))):
        own = (pooled >= low) & (pooled <= high)
        yield [name, "any", float(hits[own].mean()), measure, float(low), float(np.median(pooled[own])), float(high)]


def find_face(detector: NeuralDetector, scene: UInt8Array) -> Detections:
    """Return the best face of a gray scene, or none."""
    return detector.detect([cv2.cvtColor(scene, cv2.COLOR_GRAY2RGB)])[0].take(slice(0, 1))


def stage(image: UInt8Array) -> UInt8Array:
    """Return a test picture as the middle of a larger scene."""
    large = cv2.resize(image, None, fx=SCENE_SCALE, fy=SCENE_SCALE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.copyMakeBorder(large, *[SCENE_MARGIN_PX] * 4, cv2.BORDER_REPLICATE), np.uint8)


def cut_scene(scene: UInt8Array, side: str, share: float) -> UInt8Array:
    """Return the scene ending where `share` of the face's picture lies beyond its border."""
    lost_px = SCENE_MARGIN_PX + round(share * (len(scene) - 2 * SCENE_MARGIN_PX))
    end = len(scene) - lost_px
    rows = {"top": np.s_[lost_px:], "bottom": np.s_[:end], "left": np.s_[:, lost_px:], "right": np.s_[:, :end]}
    return np.ascontiguousarray(scene[rows[side]])


def cut_off_table(faces: TestFaces, detector: NeuralDetector) -> Iterator[list[object]]:
    """Yield side, share, how many were found, accuracy of these, and the measured share, through the real stages."""
    scenes = [stage(image) for image in faces.images[:CUT_FACES]]
    for side in ("left", "right", "top", "bottom"):
        for share in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4):
            answers, crops, measured = [], [], []
            for scene, answer in zip(scenes, faces.answers, strict=False):
                gray = cut_scene(scene, side, share)
                found = find_face(detector, gray)
                if len(found):
                    squares = place_squares(found.boxes, found.landmarks, FRAMINGS["neural"])
                    crops.append(cut_squares(gray, squares, faces.classifier.crop_side_px)[0, ..., 0])
                    measured.append(measure_cut_off(squares.corners, *gray.shape[::-1])[0])
                    answers.append(answer)
            seen = replace(faces, images=np.stack(crops), answers=np.array(answers))
            quantiles = np.quantile(measured, QUANTILES).tolist()
            yield [side, share, len(seen.images) / len(scenes), float(seen.right(seen.images).mean()), *quantiles]


def detection_table(faces: TestFaces, detector: NeuralDetector) -> Iterator[list[object]]:
    """Yield accuracy by the yaw and the score that the detector gives to undamaged test faces."""
    right = faces.right(faces.images)
    found = [find_face(detector, stage(image)) for image in faces.images]
    seen = np.array([len(face) > 0 for face in found])
    scores = np.array([face.scores[0] for face in found if len(face)])
    landmarks = np.stack([face.landmarks[0] for face in found if len(face) and face.landmarks is not None])
    sides = face_sizes(np.stack([face.boxes[0] for face in found if len(face)])) / (SCENE_SCALE * 48)
    yield ["face_size_px of a side of 1", "median", len(sides), float(np.median(sides)), None]
    yaws, pitches, _ = head_pose(landmarks).T
    for name, values, edges in (
        ("yaw, degrees", np.abs(yaws), (0, 10, 20, 30, 35, 40, 45, 50, 90)),
        ("pitch, degrees", pitches, (-90, -10, -5, 0, 5, 10, 90)),
        ("score", scores, (0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1)),
    ):
        for low, high in pairwise(edges):
            own = right[seen][(values >= low) & (values < high)]
            error = float(own.std() / np.sqrt(len(own))) if len(own) else None
            yield [name, f"{low} to {high}", len(own), float(own.mean()) if len(own) else None, error]
    yield ["not found", "", int((~seen).sum()), float(right[~seen].mean()), None]


def main(data: str) -> None:
    test = read_faces(Path(data))["test"]
    rows, answers = majority_protocol(test.votes)
    faces = TestFaces(test.images[rows], answers[rows], preset_classifier.build(Settings()))
    detector = neural.build(Settings())
    damages = (line for name in DAMAGES for line in damage_table(faces, name))
    tables: list[Table] = [
        (("damage", "level", "accuracy", "measure", "5 %", "median", "95 %"), damages),
        (("by", "range", "faces", "accuracy", "standard error"), detection_table(faces, detector)),
        (("side", "share", "found", "accuracy", "5 %", "median", "95 %"), cut_off_table(faces, detector)),
    ]
    for header, lines in tables:
        sys.stdout.write(format_table(header, list(lines)) + "\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The alignment stage: cuts faces out of the picture the way the pictures lie that the classifier was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import AlignedFaces, Float32Array, FrameFaces, Part, Picture, TrackedFaces, UInt8Array
from videmo.occlusion import measure_occlusion
from videmo.quality import MEASURES, measure_crops, measure_cut_off

Point = tuple[float, float]

# Interpolation reads the neighbours of a square's outermost pixels.
_READ_BEYOND_PX: Final = 2
_BORDER_PX: Final = 1.0
_WARPED_BELOW_PX: Final = 32_767  # OpenCV takes no picture of a side from here on


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a detector sees the face in a training picture, so that the same cut can be made in a video.

    `sides_per_width`: the picture's side over the width of the box; `sides_per_height` over its height (None: not
    known), for faces that the left or right border cuts off, whose box is no wider than what is seen. `box_centre` and
    `landmarks_centre` (None for a detector without landmarks): where the centre of the box and the mean of the five
    landmarks lie in the picture, as (x, y) in 0..1.
    """

    sides_per_width: float
    box_centre: Point
    landmarks_centre: Point | None = None
    sides_per_height: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Squares:
    """The squares of a picture that become crops: `centres` (n, 2) and upper sides as vectors `x_axes` (n, 2), px."""

    centres: NDArray[np.float64]
    x_axes: NDArray[np.float64]

    @property
    def y_axes(self) -> NDArray[np.float64]:
        """Left sides as vectors (n, 2), downward."""
        return np.stack([-self.x_axes[:, 1], self.x_axes[:, 0]], axis=1)

    @property
    def corners(self) -> NDArray[np.float64]:
        """Corners (n, 4, 2) px: top left, top right, bottom right, bottom left."""
        right, down = self.x_axes / 2, self.y_axes / 2
        return self.centres[:, None] + np.stack([-right - down, right - down, right + down, down - right], axis=1)

    def surroundings(self, width_px: int, height_px: int) -> Part:
        """Return the part of a picture that the crops are made of; a square outside is made of the picture's border."""
        corners, limits = self.corners.reshape(-1, 2), np.array([width_px, height_px])
        first = np.clip(np.floor(corners.min(axis=0)) - _READ_BEYOND_PX, 0, limits - 1).astype(int)
        last = np.clip(np.ceil(corners.max(axis=0)) + _READ_BEYOND_PX, first + 1, limits).astype(int)
        return int(first[0]), int(first[1]), int(last[0]), int(last[1])

    def seen_from(self, x_px: int, y_px: int) -> Squares:
        """Return the squares in px of a part of the picture that begins there."""
        return Squares(self.centres - [x_px, y_px], self.x_axes)


# Measured by `videmo.training.framing.measure_framing` on 3,000 training pictures of FER2013 (the first by name):
# neural saw a face in 2,961 of them, haar in 2,357, yunet in 2,772. Standard deviations: side 12, 10 and 12 % (by the
# height 14 and 15 %), centre 0.04, 0.02 and 0.04 sides.
FRAMINGS: Final = {
    "neural": Framing(1.295, box_centre=(0.497, 0.517), landmarks_centre=(0.502, 0.578), sides_per_height=0.993),
    "haar": Framing(1.032, box_centre=(0.503, 0.495)),
    "yunet": Framing(1.312, box_centre=(0.498, 0.5), landmarks_centre=(0.492, 0.576), sides_per_height=1.017),
}


def align(
    items: Iterator[FrameFaces[TrackedFaces]], crop_side_px: int, framing: Framing, *, keep_picture: bool
) -> Iterator[FrameFaces[AlignedFaces]]:
    """Yield every frame with a gray crop (crop_side_px, crop_side_px, 1) of each face and its quality, in order.

    The frame lets its picture go here, unless `keep_picture` says that a sink needs it.
    """
    for item in items:
        frame, faces = item.frame, item.faces
        crops = np.zeros((0, crop_side_px, crop_side_px, 1), np.uint8)
        measures = np.zeros((0, len(MEASURES)), np.float32)
        if len(faces) and frame.picture is not None:
            size = frame.picture.width_px, frame.picture.height_px
            squares = place_squares(faces.boxes, faces.landmarks, framing, size[0])
            crops = _cut_from(frame.picture, squares, crop_side_px)
            cut_off = measure_cut_off(squares.corners, *size)
            measures = np.column_stack([measure_crops(crops), cut_off, measure_occlusion(crops)])
        known = (faces.boxes, faces.scores, faces.landmarks, faces.track_ids)
        aligned = AlignedFaces(*known, crops, measures=measures)
        yield FrameFaces(frame if keep_picture else frame.without_picture(), aligned)


def _cut_from(picture: Picture, squares: Squares, crop_side_px: int) -> UInt8Array:
    """Return the squares of a picture as `cut_squares` does, made of no more of it than is needed."""
    x1, y1, x2, y2 = part = squares.surroundings(picture.width_px, picture.height_px)
    if max(x2 - x1, y2 - y1) >= _WARPED_BELOW_PX and len(squares.centres) > 1:
        alone = [Squares(squares.centres[i : i + 1], squares.x_axes[i : i + 1]) for i in range(len(squares.centres))]
        return np.concatenate([_cut_from(picture, square, crop_side_px) for square in alone])
    return cut_squares(picture.gray(part), squares.seen_from(x1, y1), crop_side_px)


def cut_squares(gray: UInt8Array, squares: Squares, crop_side_px: int) -> UInt8Array:
    """Return the squares of a gray picture (H, W) as crops (n, crop_side_px, crop_side_px, 1) uint8, upright.

    What lies outside the picture repeats its border. A large face is averaged down, not sampled: no aliasing.
    """
    crops = np.empty((len(squares.centres), crop_side_px, crop_side_px, 1), np.uint8)
    for crop, centre, x_axis in zip(crops, squares.centres, squares.x_axes, strict=True):
        # Warp at about the picture's own resolution, then average whole blocks.
        blocks = max(1, int(np.ceil(np.hypot(*x_axis) / crop_side_px)))
        side_px = blocks * crop_side_px
        warped = cv2.warpAffine(
            gray,
            _crop_to_picture(centre, x_axis, side_px),
            (side_px, side_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        crop[..., 0] = cv2.resize(warped, (crop_side_px, crop_side_px), interpolation=cv2.INTER_AREA)
    return crops


def place_squares(
    boxes: Float32Array, landmarks: Float32Array | None, framing: Framing, width_px: int | None = None
) -> Squares:
    """Return the squares to cut so that faces lie in them as in the training pictures.

    Faces with landmarks are turned upright about the landmarks' mean, which is steadier than the box; others are cut as
    they are.

    Args:
        boxes: (n, 4) xyxy px.
        landmarks: (n, 5, 2) px, in the order of `Detections`, or None.
        framing: How the training pictures lie around the box or the landmarks.
        width_px: Width of the picture; with it a face that its left or right border cuts off gets a square by the
            height of the box, where that is larger.
    """
    corners = boxes.astype(np.float64)
    sides = (corners[:, 2:3] - corners[:, :1]) * framing.sides_per_width
    if width_px is not None and framing.sides_per_height is not None:
        is_cut = (corners[:, :1] < _BORDER_PX) | (corners[:, 2:3] > width_px - _BORDER_PX)
        by_height = (corners[:, 3:] - corners[:, 1:2]) * framing.sides_per_height
        sides = np.where(is_cut, np.maximum(sides, by_height), sides)
    if landmarks is None or framing.landmarks_centre is None:
        anchors, anchor_in_crop = (corners[:, :2] + corners[:, 2:]) / 2, framing.box_centre
        x_axes = np.concatenate([sides, np.zeros_like(sides)], axis=1)
    else:
        anchors, anchor_in_crop = landmarks.mean(axis=1, dtype=np.float64), framing.landmarks_centre
        x_axes = _upright(landmarks) * sides
    around = Squares(anchors, x_axes)
    right, down = 0.5 - anchor_in_crop[0], 0.5 - anchor_in_crop[1]
    return Squares(anchors + right * x_axes + down * around.y_axes, x_axes)


def _upright(landmarks: Float32Array) -> NDArray[np.float64]:
    """Return the direction (n, 2) from the right to the left side of each face, length 1.

    The line of the eyes and the normal of the line from eyes to mouth vote by their lengths: the first vanishes in
    profile, the second in a bowed head.
    """
    eyes, mouths = landmarks[:, :2].astype(np.float64), landmarks[:, 3:].astype(np.float64)
    across, down = eyes[:, 1] - eyes[:, 0], mouths.mean(axis=1) - eyes.mean(axis=1)
    directions = across + np.stack([down[:, 1], -down[:, 0]], axis=1)
    lengths = np.hypot(directions[:, 0], directions[:, 1])[:, None]
    return np.asarray(np.divide(directions, lengths, out=np.tile([1.0, 0.0], (len(lengths), 1)), where=lengths > 0))


def _crop_to_picture(centre: NDArray[np.float64], x_axis: NDArray[np.float64], side_px: int) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from pixels of the crop to pixels of the picture; pixel i covers i to i + 1."""
    right, down = x_axis / side_px
    turn = np.array([[right, -down], [down, right]])
    return np.column_stack([turn, centre - turn @ np.full(2, side_px / 2 - 0.5) - 0.5])

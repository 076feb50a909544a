"""Faces with and without covers, seen through detector and alignment as in an analysis."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from covers import COVERS, cut_face, paint_cover

from videmo.datatypes import Detections, UInt8Array
from videmo.detection import neural
from videmo.emotion.align import FRAMINGS, cut_squares, place_squares
from videmo.geometry import fit_size, iou_matrix
from videmo.occlusion import measure_occlusion
from videmo.pose import head_pose
from videmo.quality import USABLE, find_exclusions, measure_crops, measure_cut_off
from videmo.settings import Settings
from videmo.training.detector.dataset import read_pictures
from videmo.training.emotion.dataset import read_faces
from videmo.video.discover import discover
from videmo.video.stage import open_reader

CROP_PX: Final = 48
LONG_SIDE_PX: Final = 480
SCENE_PX: Final = 288
LEAST_SIDE_PX: Final = 40
SAME_FACE: Final = 0.4
ONE_FACE_CLIPS: Final = (
    *("single_face.mp4", "woman2.mp4", "fer__test.mp4", "again.mkv", "book.mkv", "cap13_edit2.mp4", "d12.mp4"),
    *("d18.mp4", "d19.mp4", "s32.mp4", "s29.mp4", "carphone_pristine.mp4"),
)
"""Clips of one person each whom nothing covers, as seen by eye."""
FRAMES_PER_CLIP: Final = 12


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3) RGB whose surest face counts, and whose it is."""

    data: str
    group: str
    image: UInt8Array


def fer_scenes(data: Path, split: str, count: int) -> Iterator[Scene]:
    """Pictures of 48 px, three times enlarged with their border repeated around."""
    images = read_faces(data)[split].images
    for number in np.random.default_rng(1).permutation(len(images))[:count]:
        large = cv2.resize(images[number], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
        scene = cv2.copyMakeBorder(large, 72, 72, 72, 72, cv2.BORDER_REPLICATE)
        yield Scene(f"fer {split}", str(number), np.asarray(cv2.cvtColor(scene, cv2.COLOR_GRAY2RGB), np.uint8))


def photograph_scenes(data: Path, split: str, count: int) -> Iterator[Scene]:
    """The surroundings of faces of 40 px and more in photographs."""
    found = 0
    for picture in read_pictures(data, split):
        for box in picture.boxes:
            side = float((box[2:] - box[:2]).min())
            if side < LEAST_SIDE_PX:
                continue
            if found == count:
                return
            found += 1
            scale, (x, y) = SCENE_PX / (3 * side), (box[:2] + box[2:]) / 2
            place = np.array([[scale, 0, SCENE_PX / 2 - scale * x], [0, scale, SCENE_PX / 2 - scale * y]])
            image = cv2.warpAffine(picture.image, place, (SCENE_PX, SCENE_PX), borderMode=cv2.BORDER_REPLICATE)
            yield Scene(f"photographs {split}", str(found), np.asarray(image, np.uint8))


def portrait_scenes(folder: Path) -> Iterator[Scene]:
    for path in sorted(folder.glob("*.jpg")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        assert picture is not None
        yield Scene("london", path.stem.split("_")[0], _shrink(np.asarray(picture, np.uint8)))


def clip_scenes(folder: Path) -> Iterator[Scene]:
    for name in ONE_FACE_CLIPS:
        (path,) = folder.glob(f"*{name}")
        with closing(open_reader(discover([path])[0])) as reader:
            step = max(1, (reader.info.frame_count or 300) // FRAMES_PER_CLIP)
            for frame in islice(reader.frames(), 0, step * FRAMES_PER_CLIP, step):
                if frame.picture is not None:
                    yield Scene("clips", name, _shrink(frame.picture.rgb()))


def _shrink(image: UInt8Array) -> UInt8Array:
    size = fit_size(image.shape[1], image.shape[0], LONG_SIDE_PX)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def see_faces(scenes: Iterator[Scene], covers_each: int) -> pd.DataFrame:
    """Return each scene's surest face uncovered (`cover` "none") and then under `covers_each` of the covers.

    Columns: data, group, cover, found (by the detector), usable (under the other limits), crop (48 x 48) and landmarks
    (5, 2) in sides of the crop; the last three only where the face was found.
    """
    detector = neural.build(Settings())
    others: deque[UInt8Array] = deque(maxlen=30)
    rows: list[dict[str, object]] = []
    for number, scene in enumerate(scenes):
        found = detector.detect([scene.image])[0].take(slice(0, 1))
        uncovered = {**_names(scene), "cover": "none", **_see(scene.image, found)}
        if not uncovered["usable"]:
            continue
        rows.append(uncovered)
        corners = place_squares(found.boxes, found.landmarks, FRAMINGS["neural"]).corners[0]
        others.append(cut_face(scene.image, corners))
        rng = np.random.default_rng([number, zlib.crc32(scene.group.encode())])
        for kind in rng.permutation(list(COVERS))[:covers_each]:
            other = others[int(rng.integers(max(1, len(others) - 1)))]
            covered = paint_cover(scene.image, corners, str(kind), other, int(rng.integers(2**31)))
            again = detector.detect([covered])[0]
            same = (iou_matrix(found.boxes, again.boxes)[0] > SAME_FACE).nonzero()[0][:1]
            rows.append({**_names(scene), "cover": str(kind), **_see(covered, again.take(same))})
    return pd.DataFrame(rows)


def _names(scene: Scene) -> dict[str, object]:
    return {"data": scene.data, "group": scene.group}


def _see(image: UInt8Array, faces: Detections) -> dict[str, object]:
    """Return what the analysis has of the only face, if there is one."""
    if not len(faces) or faces.landmarks is None:
        return {"found": False, "usable": False, "crop": None, "landmarks": None}
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    squares = place_squares(faces.boxes, faces.landmarks, FRAMINGS["neural"])
    crops = cut_squares(gray, squares, CROP_PX)
    cut_off = measure_cut_off(squares.corners, *gray.shape[::-1])
    measures = np.column_stack([measure_crops(crops), cut_off, measure_occlusion(crops)])
    usable = find_exclusions(faces.boxes, faces.scores, measures, head_pose(faces.landmarks), Settings()) == USABLE
    origin, axes = squares.corners[0, 0], np.stack([squares.x_axes[0], squares.y_axes[0]])
    landmarks = (faces.landmarks[0] - origin) @ np.linalg.inv(axes)
    return {"found": True, "usable": bool(usable[0]), "crop": crops[0, ..., 0], "landmarks": landmarks}

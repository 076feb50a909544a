"""Reads pictures with boxed faces: COCO JSON folders or zips, and the text format of WIDER FACE.

Sources: COCO (Lin et al., 2014), WIDER FACE (Yang et al., 2016) and its landmark annotation (RetinaFace, 2020).
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from videmo.errors import DataError
from videmo.training.detector.pictures import LANDMARKS, Faces, LabelledPicture, pack_faces
from videmo.training.detector.wider import find_wider, read_wider
from videmo.training.files import Root, open_archive, read_bytes
from videmo.video.decode_picture import decode_picture

SPLITS: Final = ("train", "val")


def read_pictures(data: Path, split: str, *, long_side_px: int = 640) -> list[LabelledPicture]:
    """Reads a split into memory.

    Args:
        data: Folder or zip with `annotations/{split}.json` (COCO), or a folder with `{split}/label.txt` (WIDER FACE
            with landmarks) or `wider_face_split/wider_face_{split}_bbx_gt.txt` (WIDER FACE as published).
        split: One of `SPLITS`.
        long_side_px: Larger pictures are reduced to this, their boxes with them.

    Of several COCO categories the one called "face" is taken.
    Boxes of which nothing lies in the picture, such as those without width or height, become regions to ignore.

    Raises:
        DataError: A file is missing or wrong; the message names it.
    """
    if data.is_dir():
        root: Root = data
    elif data.is_file() and (archive := open_archive(data)):
        root = zipfile.Path(archive)
    else:
        raise DataError(f"{data}: neither a folder nor a zip file; give one with annotations/{split}.json in it")
    wider = find_wider(data, split) if data.is_dir() else None
    rows = read_wider(wider) if wider else _read_coco(root, root / "annotations" / f"{split}.json")
    return [_shrink(_read_image(path), faces, long_side_px) for path, faces in rows]


def _read_coco(root: Root, path: Any) -> list[tuple[Any, Faces]]:
    if not path.is_file():
        raise DataError(f"{path}: missing; give a folder or zip with COCO annotations, or a WIDER FACE folder")
    data = read_bytes(path)
    try:
        content = json.loads(data.decode("utf-8"))
        rows: dict[int, list[Any]] = {image["id"]: [] for image in content["images"]}
        face = _find_face_category(path, content)
        for annotation in content["annotations"]:
            if face is not None and annotation["category_id"] != face:
                continue
            rows[annotation["image_id"]].append(_coco_row(annotation))
        return [(root / image["file_name"], pack_faces(rows[image["id"]])) for image in content["images"]]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not a JSON file ({error}); restore it") from error
    except KeyError as error:
        raise DataError(f"{path}: {error} is missing or unknown; expected COCO with image_id, bbox, iscrowd") from error
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: not COCO annotations ({error}); expected bbox of four, keypoints of 15") from error


def _find_face_category(path: Any, content: dict[str, Any]) -> Any | None:
    """Returns the id of the category "face"; None where there is no other kind of things to tell faces from."""
    categories = content.get("categories") or []
    if len(categories) < 2:
        return None
    for category in categories:
        if category["name"].lower() == "face":
            return category["id"]
    names = ", ".join(category["name"] for category in categories)
    raise DataError(f'{path}: none of the categories {names} is called "face"; rename the one that faces have')


def _coco_row(annotation: dict[str, Any]) -> tuple[list[float], Any, bool]:
    """Returns box, landmarks and whether to ignore them; landmarks that COCO calls not labelled (v = 0) are NaN."""
    points = np.reshape(annotation.get("keypoints") or np.zeros(3 * LANDMARKS), (LANDMARKS, 3))
    known = np.where(points[:, 2:] > 0, points[:, :2], np.nan)
    return annotation["bbox"], known, bool(annotation.get("iscrowd", 0))


def _read_image(path: Any) -> NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(f"{path}: missing, though the annotations name it")
    image = decode_picture(read_bytes(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DataError(f"{path}: not a readable picture; replace it or remove it from the annotations")
    return image


def _shrink(image: NDArray[np.uint8], faces: Faces, long_side_px: int) -> LabelledPicture:
    boxes, landmarks, ignored = faces
    scale = long_side_px / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        boxes, landmarks = boxes * np.float32(scale), landmarks * np.float32(scale)
    seen = np.clip(boxes, 0, [*image.shape[1::-1]] * 2)
    ignored = ignored | ~(seen[:, 2:] > seen[:, :2]).all(axis=1)
    return LabelledPicture(image, boxes, landmarks, ignored)

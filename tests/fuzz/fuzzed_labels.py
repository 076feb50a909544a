"""Targets: what trainings read. Labelled faces in every layout, boxed faces, lists of splits, checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import cv2
import numpy as np
from fuzz.target import Target

from videmo.training.checkpoint import read_checkpoint, write_checkpoint
from videmo.training.detector.dataset import read_pictures
from videmo.training.emotion.dataset import read_faces, read_splits
from videmo.training.emotion.readers.ferplus import FOLDERS
from videmo.training.emotion.splits import apply_split_list

SIDE_PX = 48
PIXELS = " ".join(["7"] * SIDE_PX**2)
FER2013 = f"emotion,pixels,Usage\n0,{PIXELS},Training\n6,{PIXELS},PublicTest\n3,{PIXELS},PrivateTest\n".encode()
VOTES = b'a.png,"(0, 0, 48, 48)",9,0,0,0,0,0,0,1,0,0\nb.png,,0,10,0,0,0,0,0,0,0,0\n'
FERPLUS = {f"{folder}/label.csv": VOTES for folder in FOLDERS.values()} | {
    "fer2013_labels.csv": b"image,usage,label\na.png,unused,6\nb.png,unused,3\n"
}
LABELS = b"file,label,split\na.png,Happy,train\nmore/b.png,contempt,val\n"
LIST = b"name,split,keep,reason\na.png,train,True,\nmore/b.png,valid,false,blank\n"
_BOXES = {
    "images": [{"id": 0, "file_name": "a.png"}, {"id": 1, "file_name": "more/b.png"}],
    "annotations": [
        {"image_id": 0, "bbox": [5, 6, 20, 22.5], "iscrowd": 0, "keypoints": [10, 11, 2] * 5},
        {"image_id": 0, "bbox": [1, 1, 4, 4], "iscrowd": 1, "keypoints": [0] * 15},
    ],
}
_COCO = json.dumps(_BOXES).encode()
WIDER = b"p/a.png\n2\n10 20 30 40 0 0 0 0 0 0\n1 2 3 4 0 0 0 1 0 0\np/b.png\n0\n0 0 0 0 0 0 0 0 0 0\n"
POINTS = "12 30 0 22 30 0 17 40 0 13 50 0 21 50 0"
LANDMARKS = f"# p/a.png\n10 20 30 40 {POINTS} 0.8\n1 2 3 4 {' '.join(['-1'] * 15)} 0.1\n# p/b.png\n".encode()


def picture(seed: int = 0) -> bytes:
    """Return a gray picture as PNG."""
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX), np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def write_pictures(*names: str) -> Callable[[Path], None]:
    """Return what puts pictures under these names into a folder."""

    def write(folder: Path) -> None:
        for seed, name in enumerate(names):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(picture(seed))

    return write


def write_ferplus(folder: Path) -> None:
    write_pictures(*(f"{name}/{file}.png" for name in FOLDERS.values() for file in "ab"))(folder)
    for name, content in FERPLUS.items():
        (folder / name).write_bytes(content)


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """Return a zip file, its members as they are."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def read_kept(path: Path) -> None:
    """Read what an earlier training kept of a zip file."""
    (kept,) = path.parent.glob("*.npz")
    kept.write_bytes(path.read_bytes())
    source = read_splits(path.parent / "faces.zip", work=path.parent)
    source.faces.select(source.splits == "train").label_names()


def _zips() -> list[bytes]:
    faces = {"train/angry/a.png": picture(0), "train/happy/b.png": picture(1), "test/fear/c.png": picture(2)}
    votes = {f"FER/{folder}/{name}.png": picture() for folder in FOLDERS.values() for name in "ab"}
    table = {"labels.csv": LABELS, "a.png": picture(), "more/b.png": picture(1)}
    return [
        zipped(faces), zipped(table), zipped({"fer2013.csv": FER2013}),
        zipped(votes | {f"FER/{name}": content for name, content in FERPLUS.items()}),
    ]  # fmt: skip


def _checkpoints() -> list[bytes]:
    groups = {"average": [np.ones((2, 3), np.float32), np.zeros(4, np.float16)], "optimizer": [np.arange(3)]}
    with TemporaryDirectory() as folder:
        path = Path(folder, "c.npz")
        write_checkpoint(path, groups, {"recipe": {"epochs": 2}, "history": [{"loss": 1.5}], "steps": 3})
        return [path.read_bytes()]


def _keep(folder: Path) -> None:
    (folder / "faces.zip").write_bytes(_zips()[0])
    read_splits(folder / "faces.zip", work=folder)


def _kept() -> list[bytes]:
    with TemporaryDirectory() as folder:
        _keep(Path(folder))
        return [next(Path(folder).glob("*.npz")).read_bytes()]


def _labelled(folder: Path) -> None:
    write_pictures("a.png", "more/b.png")(folder)
    (folder / "labels.csv").write_bytes(LABELS)


_CELLS = (",", '"', "\n", "\r", "\x00", "\xef\xbb\xbf", "-1", "nan", "1e400", "256", "../")
_JSON = ("null", "true", "{}", "[]", '""', "1e999", "-1", "NaN", "\\u0000", "\\ud800", "../", "bbox", "keypoints")
_ZIP = ("PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06", "../", "labels.csv", "fer2013.csv", "FER2013Train")
_NUMPY = (*_ZIP[:4], "\x93NUMPY", "'descr'", "'|O'", "'<f4'", "'fortran_order'", "'shape'", "(99999999999,)", "state")
TARGETS = (
    Target("fer2013", "fer2013.csv", lambda path: read_faces(path), lambda: [FER2013], words=(*_CELLS, "emotion")),
    Target(
        "ferplus-votes",
        "FER2013Valid/label.csv",
        lambda path: read_faces(path.parents[1]),
        lambda: [VOTES],
        write_ferplus,
        _CELLS,
    ),
    Target(
        "ferplus-labels",
        "fer2013_labels.csv",
        lambda path: read_faces(path.parent),
        lambda: [FERPLUS["fer2013_labels.csv"]],
        write_ferplus,
        _CELLS,
    ),
    Target("labelled", "labels.csv", lambda path: read_faces(path.parent), lambda: [LABELS], _labelled, _CELLS),
    Target("face", "a.png", lambda path: read_faces(path.parent), lambda: [picture()], _labelled, ("IHDR", "IDAT")),
    Target("faces-zip", "faces.zip", lambda path: read_faces(path), _zips, words=_ZIP),
    Target(
        "split-list",
        "splits.csv",
        lambda path: apply_split_list(read_splits(path.parent), path),
        lambda: [LIST],
        _labelled,
        _CELLS,
    ),
    Target("kept-faces", "kept", read_kept, _kept, _keep, _NUMPY),
    Target(
        "coco",
        "annotations/train.json",
        lambda path: read_pictures(path.parents[1], "train"),
        lambda: [_COCO],
        write_pictures("a.png", "more/b.png"),
        _JSON,
    ),
    Target(
        "coco-zip",
        "boxes.zip",
        lambda path: read_pictures(path, "train"),
        lambda: [zipped({"annotations/train.json": _COCO, "a.png": picture(), "more/b.png": picture()})],
        words=(*_ZIP[:5], *_JSON),
    ),
    Target(
        "wider",
        "wider_face_split/wider_face_train_bbx_gt.txt",
        lambda path: read_pictures(path.parents[1], "train"),
        lambda: [WIDER],
        write_pictures("WIDER_train/images/p/a.png", "WIDER_train/images/p/b.png"),
        ("\n", "0", "-1", "1e400", "nan", "../"),
    ),
    Target(
        "wider-landmarks",
        "train/label.txt",
        lambda path: read_pictures(path.parents[1], "train"),
        lambda: [LANDMARKS],
        write_pictures("train/images/p/a.png", "train/images/p/b.png"),
        ("\n# ", "-1", "1e400", "nan", "../"),
    ),
    Target("checkpoint", "checkpoint.npz", lambda path: read_checkpoint(path), _checkpoints, words=_NUMPY),
)

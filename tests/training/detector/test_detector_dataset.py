from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
import pytest

from videmo.datatypes import Detections
from videmo.errors import DataError
from videmo.training.detector.batches import Batches, Crops
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.evaluate import evaluate


def test_coco_is_read_from_a_folder_and_a_zip(coco_folder: Path, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "faces.zip", "w") as archive:
        for path in sorted(coco_folder.rglob("*.*")):
            archive.write(path, path.relative_to(coco_folder).as_posix())

    for data in (coco_folder, tmp_path / "faces.zip"):
        pictures = read_pictures(data, "train")
        assert len(pictures) == 6
        assert pictures[0].image.shape == (128, 128, 3)
        assert pictures[0].ignored.tolist() == [False, False, True]
        np.testing.assert_allclose(pictures[0].boxes[0, 2:] - pictures[0].boxes[0, :2], [40, 50])
        assert np.isfinite(pictures[0].landmarks[:2]).all()
        assert np.isnan(pictures[0].landmarks[2]).all()
        # The drawn skin is warm: red above blue says that the order of channels is RGB.
        x, y = pictures[0].landmarks[0, 2].astype(int)
        assert pictures[0].image[y, x, 0] > pictures[0].image[y, x, 2] + 30


def test_large_pictures_are_reduced_with_their_faces(coco_folder: Path) -> None:
    full, half = (read_pictures(coco_folder, "val", long_side_px=side_px)[0] for side_px in (640, 64))

    assert half.image.shape == (64, 64, 3)
    np.testing.assert_allclose(half.boxes, full.boxes / 2)
    np.testing.assert_allclose(half.landmarks, full.landmarks / 2)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not a JSON file"),
        ("{}", "'images' is missing or unknown"),
        ('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 2}]}', "2 is missing or unknown"),
        ('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1}]}', "'bbox' is missing"),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3]}]}',
            "not COCO annotations",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], '
            '"annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4], "keypoints": [1, 2]}]}',
            "not COCO annotations",
        ),
        ("[]", "not COCO annotations"),
        ('{"images": [{"id": 1, "file_name": "images/gone.jpg"}], "annotations": []}', "missing, though"),
    ],
)
def test_bad_coco_is_named_in_one_line(coco_folder: Path, content: str, told: str) -> None:
    (coco_folder / "annotations" / "train.json").write_text(content)

    with pytest.raises(DataError, match=told) as raised:
        read_pictures(coco_folder, "train")

    assert str(coco_folder) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        read_pictures(tmp_path / "nothing", "train")
    with pytest.raises(DataError, match=r"train\.json: missing"):
        read_pictures(tmp_path, "train")


def test_an_unreadable_picture_is_named(coco_folder: Path) -> None:
    (coco_folder / "images" / "val" / "1.jpg").write_bytes(b"no picture")

    with pytest.raises(DataError, match=r"1\.jpg: not a readable picture"):
        read_pictures(coco_folder, "val")


def test_json_values_that_are_null_count_as_absent(coco_folder: Path) -> None:
    path = coco_folder / "annotations" / "val.json"
    content = json.loads(path.read_text())
    for row in content["annotations"]:
        del row["keypoints"], row["iscrowd"]
    path.write_text(json.dumps(content))

    picture = read_pictures(coco_folder, "val")[0]

    assert np.isnan(picture.landmarks).all()
    assert not picture.ignored.any()


def test_boxes_of_nothing_are_ignored_in_training_and_evaluation(coco_folder: Path) -> None:
    path = coco_folder / "annotations" / "val.json"
    content = json.loads(path.read_text())
    empty = ([60, 60, 0, 20], [60, 60, 20, 0], [90, 60, -20, 20], [90, 60, -20, -20], [900, 900, 30, 30])
    content["annotations"] += [{"image_id": number, "bbox": box} for box in empty for number in (0, 1)]
    path.write_text(json.dumps(content))

    pictures = read_pictures(coco_folder, "val")

    assert pictures[0].ignored.tolist() == [False, False, True] + [True] * 5
    batches = Batches(Crops(small=(64, 4), large=(96, 2)), pictures, [], seed=0)
    for number in range(20):
        _, truth = batches.make(number)
        assert (truth[..., 2:4] >= truth[..., :2]).all()
    answers = [Detections(p.boxes[:2], np.ones(2, np.float32), p.landmarks[:2]) for p in pictures]
    assert evaluate(lambda _: answers, pictures, 128)["ap"] == 1


def test_a_landmark_that_is_not_labelled_is_unknown(coco_folder: Path) -> None:
    path = coco_folder / "annotations" / "val.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["keypoints"][3:6] = [0, 0, 0]
    path.write_text(json.dumps(content))

    landmarks = read_pictures(coco_folder, "val")[0].landmarks[0]

    assert np.isnan(landmarks).all(axis=1).tolist() == [False, True, False, False, False]


def test_only_what_is_called_a_face_is_read_as_one(coco_folder: Path) -> None:
    path = coco_folder / "annotations" / "val.json"
    content = json.loads(path.read_text())
    content["categories"] = [{"id": 3, "name": "train"}, {"id": 7, "name": "face"}]
    for number, row in enumerate(content["annotations"]):
        row["category_id"] = 3 if number == 0 else 7
    path.write_text(json.dumps(content))

    assert [len(picture.boxes) for picture in read_pictures(coco_folder, "val")] == [2, 3]

    content["categories"][1]["name"] = "head"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match='none of the categories train, head is called "face"'):
        read_pictures(coco_folder, "val")


def write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((60, 80, 3), np.uint8))


def test_wider_as_published_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "wider_face_split"
    folder.mkdir()
    lines = ["0--Parade/a.jpg", "2", "10 20 30 40 0 0 0 0 0 0", "1 2 3 4 0 0 0 1 0 0"]
    lines += ["0--Parade/b.jpg", "0", "0 0 0 0 0 0 0 0 0 0"]
    (folder / "wider_face_train_bbx_gt.txt").write_text("\n".join(lines) + "\n")
    for name in "ab":
        write_picture(tmp_path / "WIDER_train" / "images" / "0--Parade" / f"{name}.jpg")

    first, second = read_pictures(tmp_path, "train")

    assert first.boxes.tolist() == [[10, 20, 40, 60], [1, 2, 4, 6]]
    assert first.ignored.tolist() == [False, True]
    assert len(second.boxes) == 0


def test_wider_with_landmarks_is_read(tmp_path: Path) -> None:
    points = "12 30 0 22 30 0 17 40 0 13 50 0 21 50 0"
    lines = ["# p/a.jpg", f"10 20 30 40 {points} 0.8", f"1 2 3 4 {' '.join(['-1'] * 15)} 0.1"]
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "label.txt").write_text("\n".join(lines))
    write_picture(tmp_path / "train" / "images" / "p" / "a.jpg")

    (picture,) = read_pictures(tmp_path, "train")

    assert picture.landmarks[0].tolist() == [[12, 30], [22, 30], [17, 40], [13, 50], [21, 50]]
    assert np.isnan(picture.landmarks[1]).all()


@pytest.mark.parametrize(
    ("line", "told"), [("1 2 3", "line 2: 3 numbers; expected 4 or 19 or 20"), ("1 2 three 4", "line 2: could not")]
)
def test_a_bad_line_of_wider_is_named(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "label.txt").write_text(f"# a.jpg\n{line}\n")

    with pytest.raises(DataError, match=told):
        read_pictures(tmp_path, "train")


def test_a_missing_count_in_wider_is_named(tmp_path: Path) -> None:
    (tmp_path / "wider_face_split").mkdir()
    (tmp_path / "wider_face_split" / "wider_face_val_bbx_gt.txt").write_text("a.jpg\n1 2 3 4 0 0 0 0 0 0\n")

    with pytest.raises(DataError, match=r"line 2: expected the number of faces of a\.jpg"):
        read_pictures(tmp_path, "val")

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from videmo.emotion.labels import FER2013_EMOTIONS
from videmo.errors import DataError
from videmo.training.emotion.dataset import find_twins, read_faces, training_faces


def test_reads_pictures_votes_and_labels_of_every_split(ferplus_folder: Path) -> None:
    splits = read_faces(ferplus_folder)

    assert {split: len(faces) for split, faces in splits.items()} == {"train": 21, "valid": 14, "test": 14}
    valid = splits["valid"]
    picture = cv2.imread(str(ferplus_folder / "FER2013Valid" / "fer0000022.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(valid.images[1], picture)
    assert valid.votes[1].tolist() == [0, 9, 0, 0, 0, 0, 0, 1, 0, 0]
    assert [FER2013_EMOTIONS[label] for label in valid.labels[:7]] == list(FER2013_EMOTIONS)


def test_zip_and_cache_give_the_same_faces_as_the_folder(ferplus_folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    archive = Path(shutil.make_archive(str(tmp_path / "zipped" / "ferplus"), "zip", ferplus_folder))
    expected = read_faces(ferplus_folder)

    for _ in range(2):  # the second time from the cache
        for split, faces in read_faces(archive, work=work).items():
            np.testing.assert_array_equal(faces.images, expected[split].images)
            np.testing.assert_array_equal(faces.votes, expected[split].votes)
            np.testing.assert_array_equal(faces.labels, expected[split].labels)
    assert len(list(work.iterdir())) == 1


def test_training_faces_lack_the_twins_of_test_faces(ferplus_folder: Path) -> None:
    splits = read_faces(ferplus_folder)

    assert find_twins(splits["test"], splits["train"]).tolist() == [True] + [False] * 13
    train = training_faces(splits)
    assert len(train) == 20
    assert not find_twins(train, splits["test"]).any()


def _drop(path: Path) -> None:
    path.unlink()


def _write(text: str):
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("file", "spoil", "reason"),
    [
        ("FER2013Valid/label.csv", _drop, "missing"),
        ("FER2013Valid/label.csv", _write("fer0000021.png,box,1,2\n"), "4 columns"),
        ("FER2013Valid/label.csv", _write("fer0000021.png,box,x,0,0,0,0,0,0,0,0,0\n"), "whole numbers"),
        ("FER2013Valid/label.csv", _write(""), "not a CSV table"),
        ("FER2013Valid/label.csv", _write("other.png,box,1,0,0,0,0,0,0,0,0,0\n"), "other.png has no label"),
        ("fer2013_labels.csv", _write("image,usage\na,b\n"), "column 'label' is missing"),
        ("fer2013_labels.csv", _write("image,usage,label\na,b,7\n"), "row 2: label '7' is not one of 0, 1"),
        ("FER2013Train/fer0000003.png", _drop, "missing"),
        ("FER2013Train/fer0000003.png", _write("no picture"), "not a readable picture"),
    ],
)
def test_wrong_data_is_named_in_one_line(ferplus_folder: Path, file: str, spoil, reason: str) -> None:
    spoil(ferplus_folder / file)

    with pytest.raises(DataError, match=reason) as caught:
        read_faces(ferplus_folder)
    assert Path(file).name in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_a_picture_of_another_size_is_named(ferplus_folder: Path) -> None:
    cv2.imwrite(str(ferplus_folder / "FER2013Test" / "fer0000040.png"), np.zeros((49, 50), np.uint8))

    with pytest.raises(DataError, match=r"fer0000040\.png: 50x49 pixels; expected 48x48"):
        read_faces(ferplus_folder)


def test_something_that_is_no_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a folder nor a file"):
        read_faces(tmp_path / "absent.zip")

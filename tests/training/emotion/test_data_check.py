from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from videmo.errors import DataError, UsageError
from videmo.training.emotion.check import check_source
from videmo.training.emotion.dataset import read_faces, read_splits, training_faces


def picture(seed: int) -> np.ndarray:
    """A smooth random picture: one whose perceptual hash is its own and steady."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 9)).astype(np.float32)
    return np.clip(cv2.resize(coarse, (48, 48), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Labelled faces with every fault once; the names say which."""
    blank, changed = np.full((48, 48), 30, np.uint8), picture(2).copy()
    changed[20:24, 20:24] += 9
    rows = [
        ("good.png", picture(1), "anger", "train"),
        ("repeat.png", picture(1), "anger", "train"),
        ("leak.png", picture(3), "fear", "train"),
        ("near_leak.png", changed, "fear", "train"),
        ("blank.png", blank, "sadness", "train"),
        ("other_label.png", picture(4), "fear", "train"),
        ("held_out.png", picture(3), "sadness", "test"),
        ("held_out2.png", picture(2), "fear", "valid"),
        ("blank_test.png", blank, "fear", "test"),
        ("same_picture.png", picture(4), "anger", "train"),
    ]
    for name, image, _, _ in rows:
        cv2.imwrite(str(tmp_path / name), image)
    table = [(name, label, split) for name, _, label, split in rows]
    table.append(("unreadable.png", "fear", "train"))
    (tmp_path / "unreadable.png").write_text("no picture")
    pd.DataFrame(table, columns=["file", "label", "split"]).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def test_every_fault_is_found_and_only_training_is_cleaned(folder: Path) -> None:
    pictures = check_source(read_splits(folder)).pictures.set_index("name")

    assert pictures["reason"].to_dict() == {
        "good.png": "",
        "repeat.png": "repeats good.png",
        "leak.png": "identical to held_out.png; identical picture with another label",
        "near_leak.png": "nearly identical to held_out2.png",
        "blank.png": "blank; identical to blank_test.png; identical picture with another label",
        "other_label.png": "identical picture with another label",
        "held_out.png": "identical to leak.png; identical picture with another label",
        "held_out2.png": "nearly identical to near_leak.png",
        "blank_test.png": "blank; identical to blank.png; identical picture with another label",
        "same_picture.png": "repeats other_label.png; identical picture with another label",
        "unreadable.png": f"{folder / 'unreadable.png'}: not a readable picture; replace or remove it",
    }
    left_out = {"leak.png", "near_leak.png", "blank.png", "unreadable.png"}
    assert set(pictures.index[~pictures["keep"].to_numpy(bool)]) == left_out
    assert pictures["label"]["unreadable.png"] == "fear"


def test_the_summary_counts_them(folder: Path) -> None:
    summary = check_source(read_splits(folder)).summary

    assert summary["readable"] == 10
    assert summary["unreadable"] == 1
    assert summary["blank"] == 2
    assert summary["labels"]["fear"] == {"train": 3, "valid": 1, "test": 1}
    assert summary["identical"] == {"groups": 4, "pictures": 8}
    assert summary["near"] == {"most_bits": 6, "pictures": 2}
    assert summary["leaks"] == {
        "identical": {"train": 2, "valid": 0, "test": 2},
        "near": {"train": 1, "valid": 1, "test": 0},
    }
    assert summary["conflicts"] == {"label_groups": 3, "vote_groups": 0}
    assert summary["absent_from_training"] == ["sadness"]
    assert summary["kept"] == {"train": 4, "valid": 1, "test": 2}


def test_training_follows_the_list_also_where_the_user_changed_it(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "checked"
    found = check_source(read_splits(folder))
    found.write(out)

    splits = read_faces(folder, split_list=out / "splits.csv")

    assert {split: len(faces) for split, faces in splits.items()} == found.summary["kept"]
    assert json.loads((out / "check.json").read_text()) == found.summary
    assert len(training_faces(splits)) == 4  # nothing is left to clean
    text = (out / "splits.csv").read_text()
    (out / "splits.csv").write_text(text.replace("good.png,train,anger,true", "good.png,valid,anger,true"))
    assert "good.png" in read_faces(folder, split_list=out / "splits.csv")["valid"].names


def test_an_unreadable_picture_stops_training_unless_the_list_leaves_it_out(folder: Path) -> None:
    with pytest.raises(DataError, match=r"unreadable\.png: not a readable picture.*; or leave it out with the list"):
        read_faces(folder)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("good.png,", "gone.png,", "only in the list or only in the data"),
        ("good.png,", "leak.png,", r"leak\.png is named twice"),
        ("anger,true", "anger,maybe", "keep 'maybe' is not one of true, false"),
        ("good.png,train", "good.png,holiday", "split 'holiday' is not one of train, valid, test"),
        ("name,", "picture,", "column 'name' is missing"),
    ],
)
def test_a_wrong_list_is_named_in_one_line(folder: Path, tmp_path: Path, old: str, new: str, reason: str) -> None:
    check_source(read_splits(folder)).write(tmp_path / "checked")
    path = tmp_path / "checked" / "splits.csv"
    path.write_text(path.read_text().replace(old, new, 1))

    with pytest.raises(DataError, match=reason) as caught:
        read_faces(folder, split_list=path)
    assert str(caught.value).startswith(str(path))


def test_a_distance_that_cannot_be_searched_is_refused(folder: Path) -> None:
    source = read_splits(folder)

    with pytest.raises(UsageError, match="within 12 bits"):
        check_source(source, 12)


def test_twins_set_aside_by_content_stay_together(tmp_path: Path) -> None:
    for name in ("anger", "fear"):
        (tmp_path / name).mkdir()
        for seed in range(20):
            for copy in "ab":
                cv2.imwrite(str(tmp_path / name / f"{seed}{copy}.png"), picture(seed + 50 * (name == "fear")))

    first, again = read_splits(tmp_path), read_splits(tmp_path)

    assert check_source(first).summary["leaks"]["identical"] == {"train": 0, "valid": 0, "test": 0}
    assert pd.Series(first.splits).value_counts().to_dict() == {"train": 64, "valid": 8, "test": 8}
    np.testing.assert_array_equal(first.splits, again.splits)


@pytest.mark.shared
@pytest.mark.timeout(120)  # decodes 35,706 pictures
def test_the_known_leaks_and_groups_of_fer2013_are_found(shared: Path) -> None:
    source = read_splits(shared / "data" / "ferplus.zip")
    began_s = time.monotonic()

    summary = check_source(source).summary

    assert time.monotonic() - began_s < 60  # 3 s on an idle machine; comparing in Python would take hours
    assert summary["readable"] == 35_706
    assert summary["identical"]["groups"] == 1_513
    assert summary["leaks"]["identical"] == {"train": 692, "valid": 279, "test": 288}
    assert summary["kept"] == {"train": 27_250, "valid": 3_579, "test": 3_572}
    assert {name: sum(row.values()) for name, row in summary["labels"].items()}["disgust"] == 546

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from videmo.emotion.labels import EMOTIONS
from videmo.errors import DataError
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.readers.recognise import read_source

KAGGLE_FOLDERS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def noise(seed: int, width_px: int = 48, height_px: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px), np.uint8)


def write_picture(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def fer2013_csv(tmp_path: Path) -> Path:
    """Seven labels in turn: five rows of each usage."""
    rows = [
        {"emotion": row % 7, "pixels": " ".join(map(str, noise(row).ravel())), "Usage": usage}
        for row, usage in enumerate(["Training"] * 5 + ["PublicTest"] * 5 + ["PrivateTest"] * 5)
    ]
    path = tmp_path / "fer2013.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    """Kaggle's folders: train and test, two pictures of each of seven classes."""
    for split in ("train", "test"):
        for seed, name in enumerate(KAGGLE_FOLDERS * 2):
            write_picture(tmp_path / "faces" / split / name / f"{seed}.png", noise(seed + 100 * (split == "test")))
    return tmp_path / "faces"


@pytest.fixture
def labelled_folder(tmp_path: Path) -> Path:
    """Three pictures of any size and colour, and their table."""
    write_picture(tmp_path / "a.png", noise(1, 96, 96))
    write_picture(tmp_path / "b.jpg", np.dstack([noise(2, 60, 100)] * 3))
    write_picture(tmp_path / "more" / "c.png", noise(3, 30, 30))
    rows = [["a.png", "Happy", "train"], ["b.jpg", "contempt", "val"], ["more/c.png", "fear", "test"]]
    pd.DataFrame(rows, columns=["file", "label", "split"]).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def test_reads_kaggles_table(fer2013_csv: Path) -> None:
    splits = read_faces(fer2013_csv)

    assert {split: len(faces) for split, faces in splits.items()} == {"train": 5, "valid": 5, "test": 5}
    np.testing.assert_array_equal(splits["valid"].images[2], noise(7))
    assert splits["train"].label_names().tolist() == ["anger", "disgust", "fear", "happiness", "sadness"]
    assert splits["test"].names[0] == "row 12"
    assert not splits["test"].votes.any()


def test_faces_come_in_the_side_that_is_asked_for(fer2013_csv: Path, class_folders: Path) -> None:
    expected = cv2.resize(noise(0), (24, 24), interpolation=cv2.INTER_AREA)

    np.testing.assert_array_equal(read_faces(fer2013_csv, side_px=24)["train"].images[0], expected)
    assert read_faces(class_folders, side_px=64)["test"].images.shape == (14, 64, 64)


def test_reads_class_folders_and_sets_validation_faces_aside(class_folders: Path) -> None:
    splits = read_faces(class_folders)

    assert {split: len(faces) for split, faces in splits.items()} == {"train": 7, "valid": 7, "test": 14}
    test = splits["test"]
    assert test.names[:2].tolist() == ["test/angry/0.png", "test/angry/7.png"]
    assert test.label_names()[:4].tolist() == ["anger", "anger", "disgust", "disgust"]
    np.testing.assert_array_equal(test.images[1], noise(107))


def test_reads_class_folders_without_splits_and_with_our_names(tmp_path: Path) -> None:
    for seed in range(30):
        write_picture(tmp_path / "Contempt" / f"{seed}.png", noise(seed))
    splits = read_faces(tmp_path)

    assert {split: len(faces) for split, faces in splits.items()} == {"train": 24, "valid": 3, "test": 3}
    assert set(splits["train"].labels) == {EMOTIONS.index("contempt")}


def test_reads_labelled_faces_of_any_size_by_averaging(labelled_folder: Path) -> None:
    splits = read_faces(labelled_folder)

    assert {split: faces.names.tolist() for split, faces in splits.items()} == {
        "train": ["a.png"],
        "valid": ["b.jpg"],
        "test": ["more/c.png"],
    }
    blocks = noise(1, 96, 96).reshape(48, 2, 48, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(splits["train"].images[0], blocks, atol=1)
    assert [int(faces.labels[0]) for faces in splits.values()] == [1, 7, 6]


def test_labelled_faces_need_no_split_column(labelled_folder: Path) -> None:
    pd.read_csv(labelled_folder / "labels.csv")[["file", "label"]].to_csv(labelled_folder / "labels.csv", index=False)

    assert len(read_faces(labelled_folder)["train"]) == 3


def test_a_wide_picture_is_cut_to_its_middle_square(tmp_path: Path) -> None:
    image = np.zeros((48, 148), np.uint8)
    image[:, 50:98] = noise(5)
    write_picture(tmp_path / "a.png", image)
    (tmp_path / "labels.csv").write_text("file,label\na.png,anger\n")

    np.testing.assert_array_equal(read_faces(tmp_path)["train"].images[0], noise(5))


@pytest.mark.parametrize("layout", ["fer2013_csv", "class_folders", "labelled_folder"])
def test_a_zip_file_gives_the_same_as_the_folder(layout: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(layout)
    folder = path if path.is_dir() else path.parent
    archive = Path(shutil.make_archive(str(tmp_path.parent / f"{tmp_path.name}-zipped"), "zip", folder))
    expected = read_source(path)

    found = read_source(archive)

    assert found.layout == expected.layout
    assert found.faces.names.tolist() == expected.faces.names.tolist()
    np.testing.assert_array_equal(found.faces.images, expected.faces.images)
    np.testing.assert_array_equal(found.splits, expected.splits)


def test_a_folder_around_everything_is_passed_through(class_folders: Path) -> None:
    assert read_source(class_folders.parent).layout == "class-named folders"


def test_ferplus_without_fer2013_labels_has_votes_only(ferplus_folder: Path) -> None:
    (ferplus_folder / "fer2013_labels.csv").unlink()

    faces = read_faces(ferplus_folder)["valid"]

    assert (faces.labels == -1).all()
    assert faces.label_names()[:3].tolist() == ["neutral", "happiness", "surprise"]


@pytest.mark.parametrize(
    ("table", "row"),
    [("FER2013Valid/label.csv", "row 15: fer0000021.png"), ("fer2013_labels.csv", "row 51: fer0000048")],
)
def test_a_picture_that_ferplus_names_twice_is_named(ferplus_folder: Path, table: str, row: str) -> None:
    lines = (ferplus_folder / table).read_text().splitlines()
    again = lines[0] if "Valid" in table else lines[-1]
    (ferplus_folder / table).write_text("\n".join([*lines, again]) + "\n")

    with pytest.raises(DataError, match=f"{table}: {row}.* is named twice"):
        read_faces(ferplus_folder)


Spoil = Callable[[Path], object]


def _change(column: str, value: str, row: int = 3) -> Spoil:
    def spoil(path: Path) -> None:
        table = pd.read_csv(path, dtype=str)
        table.loc[row, column] = value
        table.to_csv(path, index=False)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: pd.read_csv(path).drop(columns="Usage").to_csv(path), "column 'Usage' is missing"),
        (_change("pixels", " ".join(["7"] * 49 * 49)), r"row 5: 2401 pixels \(49x49\); expected 2304"),
        (_change("pixels", " ".join(["7"] * 2303)), "row 5: 2303 pixels; expected 2304"),
        (_change("pixels", " ".join(["7"] * 2303 + ["x"])), "row 5: pixels must be whole numbers from 0 to 255"),
        (_change("pixels", " ".join(["7"] * 2303 + ["256"])), "row 5: pixels must be whole numbers from 0 to 255"),
        (
            _change("pixels", " ".join(["7"] * 2303 + ["4294967301"])),
            "row 5: pixels must be whole numbers from 0 to 255",
        ),
        (_change("emotion", "7"), "row 5: emotion '7' is not one of 0, 1, 2, 3, 4, 5, 6"),
        (_change("emotion", ""), "row 5: emotion '' is not one of"),
        (_change("Usage", "Holiday"), "row 5: Usage 'Holiday' is not one of training, publictest, privatetest"),
        (lambda path: path.write_text(""), "not a CSV table"),
        (lambda path: path.write_text("emotion,pixels,Usage\n"), "no row below the header"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00\x81" * 9), "not a CSV table"),
    ],
)
def test_a_wrong_fer2013_table_is_named_in_one_line(fer2013_csv: Path, spoil: Spoil, reason: str) -> None:
    spoil(fer2013_csv)

    with pytest.raises(DataError, match=reason) as caught:
        read_faces(fer2013_csv)
    assert str(caught.value).startswith(str(fer2013_csv))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("column", ["emotion", "pixels", "Usage"])
def test_the_row_is_right_also_far_down_the_table(
    fer2013_csv: Path, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videmo.training.emotion.readers.fer2013._ROWS_AT_ONCE", 4)
    assert len(read_faces(fer2013_csv)["test"]) == 5
    _change(column, "x", row=9)(fer2013_csv)

    with pytest.raises(DataError, match="row 11: "):
        read_faces(fer2013_csv)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda root: [path.unlink() for path in (root / "test" / "disgust").iterdir()], "disgust: an empty class"),
        (lambda root: (root / "train" / "angry").rename(root / "train" / "furious"), "furious: unknown class; rename"),
        (lambda root: (root / "valid").mkdir(), "valid: no class folder in it"),
        (lambda root: (root / "pictures").mkdir(), "pictures: not a split"),
        (lambda root: (root / "train" / "fear" / "2.png").write_text("no"), "2.png: not a readable picture; replace"),
        (lambda root: (root / "train" / "fear" / "2.png").write_bytes(b""), "2.png: not a readable picture; replace"),
    ],
)
def test_wrong_class_folders_are_named_in_one_line(class_folders: Path, spoil: Spoil, reason: str) -> None:
    spoil(class_folders)

    with pytest.raises(DataError, match=reason) as caught:
        read_faces(class_folders)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_change("label", "bored", 1), "row 3: label 'bored' is not one of neutral, happiness"),
        (_change("label", "", 1), r"row 3: b\.jpg has no label \(1 rows have none\)"),
        (_change("split", "holiday", 1), "row 3: split 'holiday' is not one of train, valid, test"),
        (_change("file", "a.png", 1), r"row 3: a\.png is named twice"),
        (_change("file", "z.png", 1), r"z\.png: missing; restore the picture or remove its row"),
        (lambda path: path.write_text("file,split\n"), "column 'label' is missing; expected file, label, found file"),
        (lambda path: path.write_text("file,label\n"), "no row below the header"),
    ],
)
def test_wrong_labels_are_named_in_one_line(labelled_folder: Path, spoil: Spoil, reason: str) -> None:
    spoil(labelled_folder / "labels.csv")

    with pytest.raises(DataError, match=reason) as caught:
        read_faces(labelled_folder)
    assert "\n" not in str(caught.value)


def test_what_is_no_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"an empty folder; expected fer2013\.csv"):
        read_source(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match="no data set that is known"):
        read_source(tmp_path)
    with pytest.raises(DataError, match=r"notes\.txt: neither a folder nor a zip file nor a CSV file"):
        read_source(tmp_path / "notes.txt")


def test_pictures_that_are_all_unreadable_are_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "anger").mkdir()
    (tmp_path / "anger" / "a.png").write_text("no")

    with pytest.raises(DataError, match=r"a\.png: not a readable picture; replace or remove it; none of 1 can be read"):
        read_source(tmp_path)

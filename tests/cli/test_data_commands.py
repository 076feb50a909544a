"""`videmo data`: faces cut out of a clip, labelled, checked."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from synthetic import counting_pictures, face_at, moving_face_clip, plain, write_clip

from videmo.analysis.crops import COLUMNS, choose_split, write_crops
from videmo.cli.data import check
from videmo.errors import UsageError
from videmo.settings import Settings
from videmo.training.emotion.check import NEAR_BITS

Cli = Callable[..., tuple[int, str, str]]


def draw_portrait() -> np.ndarray:
    """Return a picture (240, 320, 3) RGB of one face."""
    canvas = plain(320, 240)
    face_at(canvas, 60, 20, 200)
    return canvas


def test_faces_of_a_clip_become_data_that_check_reads(run_cli: Cli, tmp_path: Path) -> None:
    clip, out = moving_face_clip(tmp_path / "me.mp4", duration_s=2), tmp_path / "faces"

    code, told, _ = run_cli("data", "crops", clip, "--out", out, "--label", "Happy", "--every", 0.5, "--side", 64)

    assert code == 0
    table = pd.read_csv(out / "labels.csv")
    assert told == f"{len(table)} faces from 1 inputs: {out / 'labels.csv'}\n"
    assert tuple(table.columns) == COLUMNS
    assert table["time_s"].tolist() == pytest.approx([0, 0.52, 1.0, 1.52], abs=1e-3)
    assert table["label"].unique().tolist() == ["happiness"]
    assert table["split"].unique().tolist() == [choose_split("me")]
    assert table["track_id"].nunique() == 1
    assert table["source"].unique().tolist() == [str(clip)]
    assert (table["x2"] - table["x1"] > 24).all()
    for name in table["file"]:
        face = cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)
        assert face.shape == (64, 64)
        assert face.std() > 20
    code, told, _ = run_cli("data", "check", out)
    assert code == 0
    assert told.startswith("labelled faces: 4 faces, 0 unreadable pictures\n")


def test_faces_are_turned_upright_before_they_are_cut_out(tmp_path: Path) -> None:
    portrait = draw_portrait()
    cv2.imwrite(str(tmp_path / "me.png"), portrait[..., ::-1])
    turned = cv2.warpAffine(portrait, cv2.getRotationMatrix2D((160, 120), 20, 1), (320, 240), borderValue=(60, 84, 110))
    cv2.imwrite(str(tmp_path / "turned.png"), turned[..., ::-1])

    write_crops([tmp_path / "me.png", tmp_path / "turned.png"], tmp_path / "out", split="test")

    table = pd.read_csv(tmp_path / "out" / "labels.csv")
    assert table["split"].tolist() == ["test", "test"]
    assert table["label"].isna().all()
    first, second = (cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_GRAYSCALE) for name in table["file"])
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.85


def test_pictures_of_a_folder_are_all_looked_at_and_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(tmp_path / "photos" / name), draw_portrait()[..., ::-1])

    report = write_crops([tmp_path / "photos"], tmp_path / "out", Settings(fps=0.1))

    assert report.faces == 3
    sources = pd.read_csv(tmp_path / "out" / "labels.csv")["source"].tolist()
    assert sources == [str(tmp_path / "photos" / name) for name in ("a.png", "b.png", "c.png")]


def test_a_bad_file_does_not_stop_the_others(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no video")
    write_clip(tmp_path / "nobody.mp4", counting_pictures(10))

    code, told, errors = run_cli("data", "crops", tmp_path / "bad.mp4", tmp_path / "nobody.mp4", "-o", tmp_path / "out")

    assert code == 3
    assert f"failed: {tmp_path / 'bad.mp4'}" in errors
    assert told.startswith("0 faces from 2 inputs")
    assert pd.read_csv(tmp_path / "out" / "labels.csv").empty


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"label": "bored"}, "label 'bored' is unknown: give one of neutral, happiness"),
        ({"split": "holiday"}, "split 'holiday' is unknown: give one of train, valid, test"),
        ({"side_px": 8}, "faces of 8 px show nothing"),
    ],
)
def test_options_that_cannot_be_used_are_named(tmp_path: Path, options: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        write_crops([tmp_path], tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")

    code, _, errors = run_cli("data", "crops", tmp_path / "a.mp4", "--out", tmp_path / "out")

    assert code == 2
    assert "not an empty folder" in errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_splits_follow_the_name_alone_and_reach_all_three() -> None:
    splits = [choose_split(f"video{number}") for number in range(300)]

    assert splits == [choose_split(f"video{number}") for number in range(300)]
    assert 0.7 < splits.count("train") / 300 < 0.9
    assert min(splits.count("valid"), splits.count("test")) > 10


def test_check_tells_what_is_wrong_and_writes_the_list(run_cli: Cli, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 2)):
        for name in ("angry", "happy"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(tmp_path / "data" / split / name / f"{number}.png"), rng.integers(0, 256, (48, 48)))
    leak = (tmp_path / "data" / "test" / "angry" / "0.png").read_bytes()
    (tmp_path / "data" / "train" / "happy" / "3.png").write_bytes(leak)
    (tmp_path / "data" / "train" / "happy" / "2.png").write_text("no picture")

    code, told, errors = run_cli("data", "check", tmp_path / "data", "--out", tmp_path / "out", "--near", 0)

    assert code == 0
    assert errors.startswith("unreadable: ")
    assert "happy/2.png: not a readable picture; replace or remove it\n" in errors.replace("\\", "/")
    assert "class-named folders: 11 faces, 1 unreadable pictures" in told
    assert "leaks: 0 validation and 1 test pictures are identical to a training picture" in told
    assert "1 groups in their label" in told
    listed = pd.read_csv(tmp_path / "out" / "splits.csv").set_index("name")
    assert len(listed) == 12
    assert listed["keep"].to_dict()["train/happy/3.png"] == np.False_
    assert listed["reason"]["train/happy/3.png"].startswith("identical to test/angry/0.png")
    assert json.loads((tmp_path / "out" / "check.json").read_text())["unreadable"] == 1


def test_wrong_data_end_in_one_line_and_exit_code_2(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n7,1 2 3,Training\n")

    code, _, errors = run_cli("data", "check", tmp_path / "fer2013.csv")

    assert code == 2
    assert errors.startswith(f"videmo: {tmp_path / 'fer2013.csv'}: row 2: emotion '7' is not one of 0, 1")
    assert errors.count("\n") == 1


def test_the_default_distance_is_the_measured_one() -> None:
    assert inspect.signature(check).parameters["near"].default == NEAR_BITS


def test_help_says_that_faces_are_written_because_the_user_asks(run_cli: Cli) -> None:
    code, told, _ = run_cli("data", "crops", "--help")

    assert code == 0
    assert "only because you ask for it" in " ".join(told.split())

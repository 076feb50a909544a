"""`videmo predict`: single pictures, with the real models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import skimage.data

from videmo.analysis.pictures import predict
from videmo.emotion.labels import EMOTIONS
from videmo.presets import find_preset
from videmo.settings import Settings

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One face, two faces of which one is half as large, no face, no picture."""
    face = cv2.cvtColor(skimage.data.astronaut()[:256, 80:336], cv2.COLOR_RGB2BGR)
    two = np.pad(face, ((0, 0), (0, 256), (0, 0)))
    two[60:188, 300:428] = cv2.resize(face, (128, 128), interpolation=cv2.INTER_AREA)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, image in (("one", face), ("two", two), ("none", np.full((80, 120, 3), 90, np.uint8))):
        cv2.imwrite(str(pictures / f"{name}.png"), image)
    (pictures / "torn.png").write_bytes(b"no picture")
    return pictures


def test_each_picture_is_answered_for_itself(folder: Path) -> None:
    table = predict([folder])

    assert [Path(name).stem for name in table["file"]] == ["none", "one", "torn", "two", "two"]
    assert table["face"].isna().tolist() == [True, False, True, False, False]
    assert table["face"].dropna().tolist() == [1, 1, 2]
    assert "convert it to PNG or JPEG" in table.set_index("file").loc[str(folder / "torn.png"), "error"]
    assert table["error"].notna().sum() == 1
    found = table.dropna(subset="face")
    assert (found["emotion"] == "happiness").all()
    np.testing.assert_allclose(found[list(EMOTIONS)].sum(axis=1), 1, atol=1e-4)
    alone = predict([folder / "one.png"])
    pd.testing.assert_frame_equal(alone, table.iloc[[1]].reset_index(drop=True), atol=1e-3)


def test_what_concerns_the_frames_of_videos_leaves_no_picture_out(folder: Path) -> None:
    sampled = Settings(stride=2, start_s=1.0, end_s=2.0, detect_every_frames=3)
    pd.testing.assert_frame_equal(predict([folder], sampled), predict([folder]))


def test_faces_that_are_cut_out_already_are_not_looked_for(tmp_path: Path) -> None:
    crop = cv2.cvtColor(skimage.data.astronaut()[60:180, 165:285], cv2.COLOR_RGB2GRAY)
    wide = np.pad(crop, ((0, 0), (40, 40)))
    cv2.imwrite(str(tmp_path / "small.png"), cv2.resize(crop, (20, 20), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(tmp_path / "crop.png"), crop)
    cv2.imwrite(str(tmp_path / "wide.png"), wide)

    table = predict([tmp_path / name for name in ("small.png", "crop.png", "wide.png")], crops=True)

    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == [
        [0, 0, 20, 20],
        [0, 0, 120, 120],
        [40, 0, 160, 120],
    ]
    assert table["detection_score"].isna().all()
    np.testing.assert_allclose(*table.loc[[1, 2], list(EMOTIONS)].to_numpy(), atol=1e-3)


def test_a_crop_of_the_input_size_reaches_the_network_as_it_is(tmp_path: Path) -> None:
    from videmo.emotion.preset_classifier import build
    from videmo.settings import Settings

    crop = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    cv2.imwrite(str(tmp_path / "crop.png"), crop)

    table = predict([tmp_path / "crop.png"], crops=True)

    expected = build(Settings()).classify(crop[None, ..., None])
    np.testing.assert_allclose(table[list(EMOTIONS)].to_numpy(), expected, atol=1e-4)


def test_command_shows_and_writes_a_table(folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"

    code, told, err = run_cli("predict", folder, "--model", "fer2013-resnet-48", "--out", out)

    assert code == 3
    assert "no face found" in told
    assert "cannot be read" in told
    assert "happiness" in told
    assert "contempt" not in told
    assert err.strip() == f"failed: {folder / 'torn.png'}: not a picture that can be read: convert it to PNG or JPEG"
    written = pq.read_table(out)
    sha256 = find_preset("fer2013-resnet-48", "emotion").sha256
    assert written.schema.metadata[b"videmo.preset_sha256"].decode() == sha256
    assert written.to_pandas()["face"].notna().sum() == 3


def test_command_writes_csv(folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    code, _, _ = run_cli("predict", folder / "one.png", "--out", tmp_path / "faces.csv")

    assert code == 0
    assert pd.read_csv(tmp_path / "faces.csv")["emotion"].tolist() == ["happiness"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent.png"], "absent.png: no such file or folder"),
        (["clip.mp4"], "clip.mp4: a video, not a picture: use `videmo analyze`"),
        (["one.png", "--out", "faces.xlsx"], "expected a name that ends in .parquet or .csv"),
        (["one.png", "--model", "nobody"], "unknown preset 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], reason: str, folder: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("clip.mp4").write_bytes(b"anything")

    code, _, err = run_cli("predict", *arguments)

    assert code == 2
    assert reason in err
    assert len(err.strip().splitlines()) == 1

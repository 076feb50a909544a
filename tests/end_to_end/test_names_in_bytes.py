"""Names that are not UTF-8 (Python's surrogates): inputs, output folders and models; tables hold them escaped."""

from __future__ import annotations

import gc
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import pandas as pd
import pytest
import skimage.data
import synthetic

import videmo
from videmo.detection.neural import PRESET as DETECTOR
from videmo.errors import UsageError
from videmo.findings.table_file import TableFile
from videmo.output.parquet import retell
from videmo.presets import find_preset

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names there are UTF-16")

Cli = Callable[..., tuple[int, str, str]]
ODD, SHOWN = os.fsdecode(b"caf\xe9"), r"caf\xe9"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    face = cv2.cvtColor(skimage.data.astronaut()[:256, 80:336], cv2.COLOR_RGB2BGR)
    path = tmp_path / "in" / f"{ODD}.png"
    path.parent.mkdir()
    path.write_bytes(cv2.imencode(".png", face)[1].tobytes())
    return path


def test_faces_are_cut_out_of_files_of_any_name(picture: Path, tmp_path: Path, run_cli: Cli) -> None:
    code, _, err = run_cli("data", "crops", picture.parent, "--detector", "haar", "--out", tmp_path / "cr")
    assert code == 0, err
    sources = pd.read_csv(tmp_path / "cr" / "labels.csv")["source"].tolist()
    assert sources == [str(tmp_path / "in" / f"{SHOWN}.png")]


@pytest.mark.parametrize("out", [f"{ODD}.csv", f"{ODD}.parquet"])
def test_pictures_of_any_name_are_told_of_and_written(picture: Path, tmp_path: Path, run_cli: Cli, out: str) -> None:
    torn = picture.with_name(f"torn-{ODD}.png")
    torn.write_bytes(b"no picture")
    code, told, err = run_cli("predict", picture, torn, "--out", tmp_path / out)
    assert (code, err.count("\n")) == (3, 1), err
    assert SHOWN in told
    with (tmp_path / out).open("rb") as file:
        table = pd.read_csv(file) if out.endswith(".csv") else pd.read_parquet(file)
    assert [Path(name).name for name in table["file"]] == [f"{SHOWN}.png", f"torn-{SHOWN}.png"]


def test_results_go_into_a_folder_of_any_name(tmp_path: Path, run_cli: Cli) -> None:
    clip = synthetic.moving_face_clip(tmp_path / "clip.mp4", duration_s=0.4, fps=10, side_px=140)
    out = tmp_path / ODD
    for option in ("--overwrite", "--resume"):
        code, _, err = run_cli("analyze", clip, "--out", out, "--detector", "haar", option)
        assert code == 0, err
    frames = out / "frames" / "clip.parquet"
    retell(frames, {"videmo.source_path": "elsewhere"})
    with TableFile(frames) as file:
        assert file.footer["videmo.source_path"] == "elsewhere"
        assert file.read(["frame_index"]).num_rows == 4


def test_a_damaged_table_leaves_no_file_open(tmp_path: Path) -> None:
    damaged = tmp_path / "videos.parquet"
    damaged.write_bytes(b"no table")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(UsageError, match="cannot be read"):
            TableFile(damaged)
        gc.collect()
    assert not [warning for warning in told if warning.category is ResourceWarning]


def test_a_model_lies_in_a_folder_of_any_name(tmp_path: Path, run_cli: Cli) -> None:
    clip = synthetic.moving_face_clip(tmp_path / "clip.mp4", duration_s=0.4, fps=10, side_px=140)
    model = tmp_path / ODD
    shutil.copytree(find_preset(videmo.Settings().model, "emotion").folder, model)
    out = tmp_path / "out"
    plain = ("--no-video", "--no-charts", "--detector", "haar")
    code, _, err = run_cli("analyze", clip, "--out", out, "--model", model, *plain)
    assert code == 0, err
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["settings"]["model"] == str(tmp_path / SHOWN)
    assert run_cli("verify", out)[0] == 0


def test_a_detector_lies_in_a_folder_of_any_name(tmp_path: Path, run_cli: Cli) -> None:
    clip = synthetic.moving_face_clip(tmp_path / "clip.mp4", duration_s=0.4, fps=10, side_px=140)
    model = tmp_path / ODD
    shutil.copytree(find_preset(DETECTOR, "detection").folder, model)
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out", "--detector-model", model, "--no-video")
    assert code == 0, err
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert told["settings"]["detector_model"] == str(tmp_path / SHOWN)

"""Make the golden run of a table schema version: a tiny run of the code that had it, and what that code said of it.

    cd tests && python -m golden.make CHECKOUT

CHECKOUT is a clone of videmo, at the last commit that had the version. Its own code runs, with the libraries of this
Python; the run comes to tests/golden/<version>/run, its summaries beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

GOLDEN = Path(__file__).resolve().parent
WIDTH_PX, HEIGHT_PX, FPS, FRAMES = 400, 256, 10, 12

MANIFEST = """file,respondent,stimulus,condition
one-face.y4m,anna,advert,calm
two-faces.y4m,bert,advert,loud
"""
SEGMENTS = "name,start,end\nopening,0,0.5\nclosing,0.5,1.2\n"
IDENTITIES = "video_id,track_id,identity\none-face,1,Anna\n"

SUMMARIES = {"tracks.csv": (), "videos.csv": ("--by", "video"), "epochs.csv": ("--epoch", "400ms")}
"""Options of `videmo summarize` for each file."""


def write_inputs(folder: Path) -> None:
    """Write what golden runs are made from, the same bytes with whatever libraries: two clips, a broken one, a study.

    The clips are uncompressed and gray, of scikit-image's public-domain portrait at sizes that need no interpolation.
    """
    _write_y4m(folder / "one-face.y4m", _film(1))
    _write_y4m(folder / "two-faces.y4m", _film(1, 2))
    (folder / "broken.mp4").write_text("no video\n")
    (folder / "manifest.csv").write_text(MANIFEST)
    (folder / "segments.csv").write_text(SEGMENTS)
    (folder / "identities.csv").write_text(IDENTITIES)


def _film(*strides: int) -> NDArray[np.uint8]:
    """Return pictures (FRAMES, HEIGHT_PX, WIDTH_PX) of portraits side by side, of every n-th pixel, that drift apart.

    In the second half their mouths are turned over, which the models take for another expression.
    """
    smiling = (astronaut()[0:256, 96:352].astype(np.uint32) @ np.array([77, 150, 29], np.uint32)) >> 8
    turned = smiling.copy()
    turned[130:170, 100:156] = smiling[130:170, 100:156][::-1]
    pictures = np.full((FRAMES, HEIGHT_PX, WIDTH_PX), 90, np.uint8)
    for number, stride in enumerate(strides):
        for frame, picture in enumerate(pictures):
            portrait = (smiling if frame < FRAMES // 2 else turned)[::stride, ::stride]
            place = picture[3 * frame * number :, frame + 260 * number :][: len(portrait), : len(portrait)]
            place[:] = portrait
    return pictures


def _write_y4m(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Write gray pictures as YUV4MPEG2."""
    header = f"YUV4MPEG2 W{WIDTH_PX} H{HEIGHT_PX} F{FPS}:1 Ip A1:1 Cmono\n"
    path.write_bytes(header.encode() + b"".join(b"FRAME\n" + picture.tobytes() for picture in pictures))


def make(checkout: Path) -> Path:
    """Run the code of `checkout` and put its golden run beside this file; returns its folder."""
    with tempfile.TemporaryDirectory(prefix="videmo-golden-") as work:
        folder = Path(work)
        write_inputs(folder)
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", "package", checkout]
        subprocess.run(install, cwd=folder, check=True)
        inputs = ("one-face.y4m", "two-faces.y4m", "broken.mp4")
        study = _study_options(folder)
        _run(folder, "analyze", *inputs, "--out", "run", "--no-video", "--no-charts", *study, expects=3)
        if "identities" in _run(folder, "--help"):
            _run(folder, "identities", "run", "--decisions", "identities.csv")
        for name, options in SUMMARIES.items():
            said = _run(folder, "summarize", "run", *options, "--format", "csv")
            (folder / name).write_text(said, encoding="utf-8")
        return _keep(folder)


def _study_options(folder: Path) -> list[str]:
    """Return the options that give the study to `videmo analyze`, of a videmo that knows them."""
    known = _run(folder, "analyze", "--help")
    files = {"--manifest": "manifest.csv", "--segments": "segments.csv"}
    return [part for option, name in files.items() if option in known for part in (option, name)]


def _run(folder: Path, *args: str, expects: int = 0) -> str:
    """Run `videmo ARGS` of the package in `folder`; returns what it wrote to stdout."""
    environment = os.environ | {"PYTHONPATH": str(folder / "package"), "COLUMNS": "200", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "videmo", *args]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode != expects:
        sys.exit(f"{' '.join(command)} ended with {ended.returncode}, not {expects}:\n{ended.stderr}")
    return ended.stdout


def _keep(folder: Path) -> Path:
    """Put tables, provenance and summaries of a finished run into the folder of its version; returns it."""
    version = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))["schema"]
    target = GOLDEN / version
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        folder / "run", target / "run", ignore=shutil.ignore_patterns(".videmo.lock", "charts", "annotated")
    )
    for name in SUMMARIES:
        shutil.copy(folder / name, target / name)
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{make(Path(sys.argv[1]).resolve())}\n")

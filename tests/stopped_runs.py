"""Runs of the command in processes of their own, to be stopped; and what must hold of the folder they leave."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import matplotlib.image
import pandas as pd
import pyarrow.parquet as pq
import synthetic

from videmo.output.checksums import read_checksums

TABLES = ("videos.parquet", "tracks.parquet", "frames", "faces")


def short_clips(folder: Path, number: int) -> Path:
    """Write clips of one face, 0.4 s and longer, and a study of them; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(number):
        synthetic.moving_face_clip(folder / f"clip{index}.mp4", duration_s=0.4 + 0.1 * index, fps=25, side_px=140)
    rows = [f"clip{index}.mp4,r{index}\n" for index in range(number)]
    (folder / "study.csv").write_text("".join(["file,respondent\n", *rows]))
    return folder


def start(inputs: list[Path], out: Path, *options: str) -> subprocess.Popen[str]:
    """Start `videmo analyze INPUTS --out OUT --progress none OPTIONS`."""
    command = [sys.executable, "-m", "videmo", "analyze", *inputs, "--out", out, "--progress", "none", *options]
    return subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Where the suite itself runs in a shell's background, SIGINT is ignored and would be in the child, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(happened: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something has happened while the process runs."""
    while not happened():
        assert process.poll() is None, f"ended before it could be stopped: {process.communicate()[1]}"
        time.sleep(0.002)


def stop(process: subprocess.Popen[str], number: int) -> tuple[int, str, float]:
    """Send a signal and wait; return the exit code as shells give it, stderr, and the seconds it took."""
    begun_s = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    code = process.returncode
    return (code if code >= 0 else 128 - code), told, time.monotonic() - begun_s


def check_every_file_opens(out: Path) -> None:
    """Read each file that has its final name to the end."""
    for path in (path for path in out.rglob("*") if path.is_file() and path.suffix != ".partial"):
        match path.suffix:
            case ".parquet":
                assert pq.read_table(path).schema.metadata
            case ".mp4":
                with av.open(str(path)) as video:
                    assert sum(1 for _ in video.decode(video=0)) >= 5
            case ".png":
                assert matplotlib.image.imread(path).size
            case ".json":
                assert json.loads(path.read_text())["schema"]
            case ".sha256":
                assert read_checksums(out)
            case _:
                assert path.name == ".videmo.lock", path


def read_tables(out: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(out / name) for name in TABLES}


def assert_same_tables(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    """Compare row for row; probabilities and pixels to 1e-4."""
    for name in TABLES:
        pd.testing.assert_frame_equal(found[name], expected[name], rtol=0, atol=1e-4, obj=name)

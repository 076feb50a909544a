"""Runs made once and looked at by many tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

import videmo
from videmo.datatypes import RunReport


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short clip with sound: one face that moves, at a variable frame rate."""
    path = tmp_path_factory.mktemp("clips") / "face.mp4"
    pictures = (picture for picture, _ in synthetic.moving_face(40))
    times_s = [0.04 * index + 0.01 * (index % 3) for index in range(40)]
    return synthetic.write_clip(path, pictures, times_s=times_s, audio=True)


@pytest.fixture(scope="session")
def run(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport]:
    """The clip analysed with the defaults: (folder, report)."""
    out = tmp_path_factory.mktemp("run") / "out"
    return out, videmo.analyze([clip], out)

"""What is timed: videmo, the `fer` package in an environment of its own, and decoding alone; each a process."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FER_PACKAGES: Final = ("fer==25.10.3", "opencv-contrib-python<5", "setuptools<80")
"""OpenCV 5 has no Haar cascades, and `fer` imports pkg_resources, which later setuptools do not have."""

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to process clips: `command` gets a folder to write into and the clips."""

    name: str
    python: Path
    arguments: tuple[str, ...]
    writes_video: bool = False

    def command(self, out: Path, clips: Sequence[Path]) -> list[str]:
        """Return the command line that processes all clips in one process."""
        paths = [str(clip) for clip in clips]
        if "videmo" in self.arguments:
            return [str(self.python), *self.arguments, *paths, "--out", str(out), "--overwrite", "--progress", "none"]
        return [str(self.python), *self.arguments, str(out), *paths]


def contestants(fer_python: Path | None) -> list[Contestant]:
    """Return all that can be timed here, the ones with `fer` only where it has an environment."""
    ours = Path(sys.executable)
    analyze, decode = ("-m", "videmo", "analyze"), str(_HERE / "decode_alone.py")
    found = [
        Contestant("decode alone", ours, (decode,)),
        Contestant("videmo, tables and chart", ours, (*analyze, "--no-video")),
        Contestant("videmo, annotated video too", ours, analyze, writes_video=True),
    ]
    if fer_python is not None:
        script = str(_HERE / "fer_alone.py")
        found.append(Contestant("fer, table", fer_python, (script, "--no-video")))
        found.append(Contestant("fer, annotated video too", fer_python, (script,), writes_video=True))
    return found


def make_fer_environment(folder: Path) -> Path:
    """Install `fer` into `folder`, unless it is there, and return its Python; needs the package index."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *FER_PACKAGES], check=True)
        (folder / "installed").touch()
    return python

"""An hour takes no more memory than five minutes."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

CODE = """
import resource, sys, videmo
videmo.analyze([sys.argv[1]], sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_kib(clip: Path, out: Path) -> int:
    """Analyse a clip with the defaults in a process of its own and return its peak resident set."""
    done = subprocess.run([sys.executable, "-c", CODE, str(clip), str(out)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def test_an_hour_takes_no_more_memory_than_five_minutes(tmp_path: Path) -> None:
    clips = [tmp_path / "short.mp4", tmp_path / "long.mp4"]
    for clip, minutes in zip(clips, (5, 60), strict=True):
        synthetic.moving_face_clip(clip, duration_s=60 * minutes, fps=5, audio=True)
    short, long = (peak_kib(clip, clip.with_suffix("")) for clip in clips)
    logging.getLogger(__name__).warning("peak RSS: 5 min %.0f MiB, 60 min %.0f MiB", short / 1024, long / 1024)
    assert long <= 1.10 * short, f"{long} KiB against {short} KiB"

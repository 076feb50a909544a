"""Two hours of film, and five hundred films: no more memory, files, threads or time for each frame at the end."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import synthetic
import watched_runs
from numpy.typing import NDArray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3 * 3600),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="what a process holds is read from Linux' /proc"),
]
FPS = 10


def appearances(minutes: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of a film in which a face crosses every minute and is away for 6 s: an identity each."""
    for _ in range(minutes):
        for picture, _ in synthetic.moving_face(54 * FPS):
            yield picture
        for _ in range(6 * FPS):
            yield synthetic.plain(320, 240)


def assert_nothing_grew(samples: pd.DataFrame) -> None:
    """Compare the last quarter of a run with its second one, when everything is warm."""
    quarters = np.array_split(np.arange(len(samples)), 4)
    second, last = samples.iloc[quarters[1]], samples.iloc[quarters[3]]
    costs_ms = [1e3 * np.ptp(part["cpu_s"]) / np.ptp(part["frames"]) for part in (second, last)]
    logging.getLogger(__name__).warning(
        "%d frames, %d samples; second against last quarter: RSS %.0f and %.0f MiB (peak %.0f), CPU %.2f and %.2f ms a "
        "frame, at most %d and %d files, %d and %d threads",
        *(samples["frames"].iloc[-1], len(samples), second["rss_mib"].mean(), last["rss_mib"].mean()),
        *(samples["rss_mib"].max(), *costs_ms, second["files"].max(), last["files"].max()),
        *(second["threads"].max(), last["threads"].max()),
    )
    assert last["rss_mib"].mean() <= 1.05 * second["rss_mib"].mean()
    assert last["files"].max() <= second["files"].max()
    assert last["threads"].max() <= second["threads"].max()
    assert costs_ms[1] <= 1.10 * costs_ms[0]


def test_two_hours_take_no_more_at_the_end_than_in_the_middle(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    synthetic.write_clip(clips / "long.mp4", appearances(120), fps=FPS, audio=True)
    samples = watched_runs.watched_run(clips, tmp_path / "out", every=500)
    assert samples["frames"].iloc[-1] == 120 * 60 * FPS
    assert_nothing_grew(samples)


def test_five_hundred_films_take_no_more_at_the_end_than_in_the_middle(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    first = synthetic.moving_face_clip(clips / "000.mp4", duration_s=1, audio=True)
    for number in range(1, 500):
        shutil.copy(first, clips / f"{number:03}.mp4")
    samples = watched_runs.watched_run(clips, tmp_path / "out", every=250)
    assert samples["videos"].iloc[-1] >= 490
    assert_nothing_grew(samples)

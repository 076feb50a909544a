"""The same answer whatever the number of lanes and the size of batches, whole, resumed or run again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_clips import CUTS, ONE_FACE, ONE_SHOT
from numpy.typing import NDArray
from stopped_runs import assert_same_tables, read_tables
from synthetic import face_at, plain, write_clip

import videmo
from videmo.emotion.labels import EMOTIONS

pytestmark = pytest.mark.timeout(120)  # models are loaded several times

PLAIN = videmo.Settings(annotated_video=False, charts=False)
MOST_DIFFERENT = 1e-4

Tables = dict[str, pd.DataFrame]


def crowd(frames: int, faces: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of faces of several sizes that drift, and of noise, so that no two frames are alike."""
    rng = np.random.default_rng(seed)
    sides_px = rng.integers(60, 110, faces)
    places_px = np.stack([np.arange(faces) * 110, rng.integers(0, 120, faces)], axis=1).astype(float)
    for _ in range(frames):
        canvas = plain(110 * faces + 20, 240)
        canvas += rng.integers(0, 8, canvas.shape, np.uint8)
        for side_px, (x_px, y_px) in zip(sides_px, places_px, strict=True):
            face_at(canvas, int(x_px), int(y_px), int(side_px))
        places_px = np.clip(places_px + rng.uniform(-2, 2, places_px.shape), 0, (110 * faces - 100, 120))
        yield canvas


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips with one, two and three faces, of different lengths, so that batches mix them."""
    folder = tmp_path_factory.mktemp("clips")
    for faces in (1, 2, 3):
        write_clip(folder / f"faces{faces}.mp4", crowd(16 + 7 * faces, faces, seed=faces), fps=12)
    return folder


@pytest.fixture(scope="module")
def expected(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    out = tmp_path_factory.mktemp("reference") / "out"
    videmo.analyze([clips], out, PLAIN.merged({"jobs": 1, "batch_size": 64}))
    tables = read_tables(out)
    assert tables["faces"].groupby("video_id")["track_id"].nunique().tolist() == [1, 2, 3]
    return tables


def check(inputs: list[Path], out: Path, settings: videmo.Settings, expected: Tables) -> float:
    """Analyse and compare; return the largest difference of a probability."""
    videmo.analyze(inputs, out, settings)
    found = read_tables(out)
    assert_same_tables(found, expected)
    labels = list(EMOTIONS)
    return float(np.abs(found["faces"][labels].to_numpy() - expected["faces"][labels].to_numpy()).max())


@pytest.mark.parametrize(("jobs", "batch_size"), [(1, 64), (2, 1), (4, 7)])
def test_lanes_and_batches_do_not_change_the_answer(
    jobs: int, batch_size: int, clips: Path, expected: Tables, tmp_path: Path
) -> None:
    settings = PLAIN.merged({"jobs": jobs, "batch_size": batch_size})
    assert check([clips], tmp_path / "out", settings, expected) <= MOST_DIFFERENT


def test_resumed_is_as_whole(clips: Path, expected: Tables, tmp_path: Path) -> None:
    out = tmp_path / "out"
    videmo.analyze([clips / "faces2.mp4"], out, PLAIN.merged({"jobs": 1, "batch_size": 1}))
    settings = PLAIN.merged({"jobs": 2, "existing": "resume"})
    assert check([clips], out, settings, expected) <= MOST_DIFFERENT


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(3600)
def test_real_recordings_in_every_way(shared: Path, tmp_path: Path) -> None:
    """Crowds, cuts, variable frame rates: each number of lanes with each size of batches, and both runtimes twice."""
    inputs = [shared / "videos" / name for name in {**dict.fromkeys(CUTS), **dict.fromkeys((*ONE_FACE, *ONE_SHOT))}]
    settings = PLAIN.merged({"end_s": 1.5})
    differences = {}
    for runtime in ("openvino", "keras"):
        first = tmp_path / runtime
        videmo.analyze(inputs, first, settings.merged({"runtime": runtime, "jobs": 1, "batch_size": 64}))
        expected = read_tables(first)
        ways = product((1, 2, 4), (1, 7, 64)) if runtime == "openvino" else [(1, 64), (4, 7)]
        for jobs, batch_size in ways:
            way = f"{runtime}-{jobs}-{batch_size}"
            chosen = settings.merged({"runtime": runtime, "jobs": jobs, "batch_size": batch_size})
            differences[way] = check(inputs, tmp_path / way, chosen, expected)
    logging.info("%d rows; largest difference of a probability: %s", len(expected["faces"]), differences)
    assert max(differences.values()) <= MOST_DIFFERENT

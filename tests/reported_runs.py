"""Runs to report on: written tables, and what `videmo analyze` says of a run as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from written_runs import write_video

from videmo.emotion.labels import EMOTIONS
from videmo.findings.tables import Run
from videmo.output.parquet import write_table
from videmo.output.schema import videos_schema
from videmo.settings import Settings


def wander(frames: int, seed: int = 0, labels: Sequence[str] = EMOTIONS) -> pd.DataFrame:
    """Return a face in each frame whose probabilities walk slowly at random; they add up to 1."""
    walks = np.cumsum(np.random.default_rng(seed).normal(0, 0.2, (frames, len(labels))), axis=0)
    odds = np.exp(walks - walks.max(axis=1, keepdims=True))
    faces = pd.DataFrame(odds / odds.sum(axis=1, keepdims=True), columns=list(labels))
    return faces.assign(frame_index=np.arange(frames, dtype=np.int32))


def write_face(out: Path, video_id: str, duration_s: float, *, fps: float = 25, seed: int = 0) -> None:
    """Write one video with one face throughout."""
    frames = round(duration_s * fps)
    write_video(out, video_id, (np.arange(frames) / fps).tolist(), wander(frames, seed))


def finish(out: Path, *failed: dict[str, Any], **warnings: Sequence[str]) -> Run:
    """Write videos.parquet and run.json about the videos that were written; returns the run.

    Args:
        out: the folder of the run.
        failed: rows of inputs that failed: `video_id`, `path`, `error`.
        warnings: of a video, by its id.
    """
    run = Run(out)
    done = [_row(run, video_id, warnings.get(video_id, ())) for video_id in run.video_ids]
    ends = [{**dict.fromkeys(_COUNTS, 0), "status": "failed", "warnings": [], **row} for row in failed]
    write_table(out / "videos.parquet", pa.Table.from_pylist([*done, *ends], videos_schema()), {})
    record = {
        "schema": "1.2",
        "status": "done",
        "started": "2026-11-20T12:00:00+00:00",
        "seconds": 1.5,
        "settings": Settings().describe(),
        "preset": {"name": "made-up", "sha256": "0" * 64},
        "versions": {"videmo": "0.1.0", "numpy": np.__version__},
        "machine": {"python": "3.11", "system": "a test", "cores": 2},
    }
    (out / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return run


_COUNTS = ("frames_decoded", "frames_analysed", "frames_undecodable", "faces", "tracks")


def _row(run: Run, video_id: str, warnings: Sequence[str]) -> dict[str, Any]:
    frames, faces = run.frames(video_id), run.faces(video_id)
    return {
        **{"video_id": video_id, "path": f"/films/{video_id}.mp4", "sha256": "a" * 64, "status": "done"},
        **{"width_px": 320, "height_px": 240, "frame_rate": 25.0, "duration_s": float(frames["time_s"].max()) + 0.04},
        **{"frames_decoded": len(frames), "frames_analysed": len(frames), "frames_undecodable": 0},
        **{"faces": len(faces), "tracks": int(faces["track_id"].nunique()), "warnings": list(warnings)},
    }

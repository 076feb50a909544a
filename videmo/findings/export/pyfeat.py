"""The CSV of py-feat's Fex tables, as far as videmo measures the same.

Names: `FEAT_FACEBOX_COLUMNS`, `FEAT_EMOTION_COLUMNS` and `FEAT_FACEPOSE_COLUMNS` of https://github.com/cosanlab/py-feat
(feat/utils); order: its test file test_detect.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from videmo.findings.export.csv_files import INJECTION_NOTE, write_csv
from videmo.findings.export.format import Format, for_each_video
from videmo.findings.tables import Run

_EMOTIONS: Final = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def tabulate(frames: pd.DataFrame, faces: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the rows of a Fex table for a piece of the tables: one for each face, an empty one for a frame without.

    Args:
        frames: a piece of the frames table.
        faces: its faces.
        source: path of the video.
    """
    poses = faces.reindex(columns=["pitch_deg", "roll_deg", "yaw_deg"])
    who = "Person_" + faces["track_id"].astype(str)
    known = pd.DataFrame(
        {
            "frame_index": faces["frame_index"],
            "FaceRectX": faces["x1"],
            "FaceRectY": faces["y1"],
            "FaceRectWidth": faces["x2"] - faces["x1"],
            "FaceRectHeight": faces["y2"] - faces["y1"],
            "FaceScore": faces["detection_score"],
            # py-feat: pitch > 0 looks up, roll > 0 tilts to the person's right, yaw > 0 turns there.
            "Pitch": -poses["pitch_deg"],
            "Roll": -poses["roll_deg"],
            "Yaw": poses["yaw_deg"],
            **{name: faces[name] for name in _EMOTIONS if name in faces},
            "Identity": faces["identity"].astype(object).fillna(who) if "identity" in faces else who,
        }
    )
    rows = frames[["frame_index", "time_s"]].merge(known, on="frame_index", how="left")
    clock = pd.to_timedelta(rows["time_s"], unit="s").dt.components
    minutes = 60 * (24 * clock["days"] + clock["hours"]) + clock["minutes"]
    rows["approx_time"] = minutes.astype(str).str.zfill(2) + ":" + clock["seconds"].astype(str).str.zfill(2)
    rows = rows.rename(columns={"frame_index": "frame"}).assign(input=source)
    own = [name for name in known.columns if name != "frame_index"]
    return rows[["frame", *own, "input", "approx_time", "time_s"]]


def _write(run: Run, video_id: str, path: Path) -> None:
    source = run.footer(video_id).get("videmo.source_path", video_id)

    def pieces() -> Iterator[pd.DataFrame]:
        for frames, faces in run.row_groups(video_id):
            yield tabulate(frames, faces, source)

    write_csv(path, pieces())


PYFEAT = Format(
    for_each_video(".csv", _write),
    (
        "py-feat columns that videmo does not measure are left out: landmarks, action units, gaze, embeddings, X, Y, "
        "Z; py-feat has no contempt, so that its seven expressions may sum to less than 1",
        "Pitch, Roll and Yaw are in degrees with py-feat's signs; approx_time is mm:ss as py-feat writes it, and "
        "time_s, which is ours, is exact; Identity is the name decided on, else Person_<track_id>",
        INJECTION_NOTE,
    ),
)

"""The CSV of OpenFace 2 (FaceLandmarkVidMulti), as far as videmo measures the same.

Names, order and units: https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videmo.findings.export.csv_files import write_csv
from videmo.findings.export.format import Format, for_each_video
from videmo.findings.tables import Run
from videmo.output.schema import POSE_COLUMNS

_LANDMARKS: Final = {"nose": 30, "right_mouth": 48, "left_mouth": 54}
"""Our landmarks among the 68 of the iBUG scheme, which has no centres of eyes."""

_POSE: Final = ("pose_Rx", "pose_Ry", "pose_Rz")


def tabulate(frames: pd.DataFrame, faces: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of OpenFace for a piece of the tables: one for each face, and one for a frame without.

    `success` is 1 where the face is usable; a frame without a face has face_id, confidence and success 0 and no
    further values.
    """
    points = {f"{axis}_{number}": f"{name}_{axis}" for axis in "xy" for name, number in _LANDMARKS.items()}
    known = pd.DataFrame(
        {
            "frame_index": faces["frame_index"],
            "face_id": faces["track_id"],
            "confidence": faces["detection_score"],
            "success": faces.get("usable", True),
        }
    ).astype({"success": int})
    known[list(_POSE)] = openface_angles(faces.reindex(columns=list(POSE_COLUMNS)).to_numpy(np.float64))
    known = known.assign(**{name: faces[column] for name, column in points.items()})
    rows = frames[["frame_index", "time_s"]].merge(known, on="frame_index", how="left")
    rows[["face_id", "confidence", "success"]] = rows[["face_id", "confidence", "success"]].fillna(0)
    rows = rows.assign(frame=rows["frame_index"] + 1, timestamp=rows["time_s"])
    rows = rows.astype({"face_id": int, "success": int})
    return rows[["frame", "face_id", "timestamp", "confidence", "success", *_POSE, *points]]


def openface_angles(poses_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotations (n, 3) round x, y and z in radians, R = Rx Ry Rz, of our yaw, pitch, roll (n, 3) in degrees.

    Ours are R = Rz Ry Rx (`videmo.pose`) in the same axes and signs, so that only the order differs. NaN stays NaN.

    Example:
        >>> openface_angles(np.array([[45.0, 0.0, 30.0]])).round(2)
        array([[-0.46,  0.66,  0.68]])
    """
    angles = np.full(poses_deg.shape, np.nan)
    known = np.isfinite(poses_deg).all(axis=1)
    if known.any():
        turned = Rotation.from_euler("ZYX", poses_deg[known][:, [2, 0, 1]], degrees=True).as_matrix()
        angles[known, 0] = np.arctan2(-turned[:, 1, 2], turned[:, 2, 2])
        angles[known, 1] = np.arcsin(np.clip(turned[:, 0, 2], -1, 1))
        angles[known, 2] = np.arctan2(-turned[:, 0, 1], turned[:, 0, 0])
    return angles


def _write(run: Run, video_id: str, path: Path) -> None:
    def pieces() -> Iterator[pd.DataFrame]:
        for frames, faces in run.row_groups(video_id):
            yield tabulate(frames, faces)

    write_csv(path, pieces())


OPENFACE = Format(
    for_each_video(".csv", _write),
    (
        "OpenFace columns that videmo does not measure are left out: gaze, pose_T, the 68 landmarks but 30, 48 and 54 "
        "(nose, corners of the mouth; there is no number for the centre of an eye), 3D landmarks, shape, action units",
        "frame counts from 1 as in OpenFace; face_id is the track_id; success is 1 where the face is usable; "
        "confidence is the detector's; pose angles come from five landmarks (see videmo/pose.py for their error)",
    ),
)

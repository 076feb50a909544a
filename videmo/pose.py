"""Head pose from five landmarks: yaw, pitch and roll of a face, vectorised over faces.

A generic face is fitted to the landmarks by scaled orthography: rotation, scale and shift with the least squared
distance. The start is POS (DeMenthon and Davis 1995, Model-based object pose in 25 lines of code); then, in turn, the
unseen depths of the landmarks are filled in from the fit and the 3D similarity is solved anew (Umeyama 1991). The
distance of the camera is not needed; angles are relative to the line of sight to the face, not to the camera's axis.

Measured by `tests/test_pose_error.py`, in degrees of yaw, pitch, roll:

- Made faces of different people at 0.5 to 2.5 m, yaw within 60, pitch and roll within 30, mean absolute error:
  1.7, 3.2, 0.8 with exact landmarks; 3.4, 4.8, 2.3 with a landmark error of 0.02 (of the square root of the box's
  area); 7.7, 9.9, 5.4 with 0.05, about that of our detector. SQPNP (`cv2.solvePnP`) is no better. Where people vary
  around the face of MediaPipe instead of ours: 9.0, 9.0, 5.5 with 0.05, and pitch is 2.2 too low in the mean.
- 40 portraits that look into the lens, through our detector: mean -1.0, 0.6, -0.1; standard deviation 3.2, 1.4, 1.5.
- 201 faces of photographs and their mirror images, through our detector: 2.7, 0.8, 1.8 apart in the mean.
- Our detector draws the landmarks of tilted heads towards upright: pictures turned by 20 degrees change roll by 18 to
  19 in the portraits but by 11 in the photographs, and yaw by 1 to 3. Given true landmarks, roll follows exactly. How
  far the detector shortens yaw and pitch is not known: there are no pictures with known poses beside the project.

Faces differ between people and five points cannot tell that from pitch: a person's pitch is off by some 3 degrees in
all frames alike, so differences over time say more than the value.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array

GENERIC_FACE: Final = np.array(
    [
        [-0.5, 0.0, 0.0],  # right eye
        [0.5, 0.0, 0.0],  # left eye
        [0.0, 0.574, -0.574],  # nose
        [-0.438, 0.987, -0.072],  # right corner of the mouth
        [0.438, 0.987, -0.072],  # left corner of the mouth
    ]
)
"""The face (5, 3) that looks into the camera, in distances of the eyes: x to the picture's right, y down, z away.

x and y: median of the 1,392 frontal faces among the labels that our detector learned from, so that "nose" is what the
detector calls nose. z: the canonical face of MediaPipe (Apache 2.0; middle of the lids, tip of the nose, corners of the
mouth; vertices 159 and 145, 1, 61).
"""

_STEPS: Final = 8
"""More steps change the mean error by less than 0.05 degrees."""

_CENTRED: Final = GENERIC_FACE - GENERIC_FACE.mean(axis=0)
_SPREAD: Final = (_CENTRED**2).sum()
_LEAST_SQUARES: Final = np.linalg.pinv(_CENTRED).T  # points times it: the affine map that brings the face nearest


def head_pose(landmarks: Float32Array) -> Float32Array:
    """Return yaw, pitch and roll (n, 3) in degrees of faces with landmarks (n, 5, 2) px, ordered as in `Detections`.

    The signs are those of OpenFace 2.0 (Baltrušaitis et al. 2018; x to the right, y down, z away from the camera):
    yaw > 0 turns the face to the picture's left (the person's right), pitch > 0 looks down, roll > 0 tilts the head
    clockwise in the picture. Roll is applied last (R = Rz Ry Rx), so that turning the picture changes roll alone;
    OpenFace applies pitch last, which differs where several angles are large. Yaw is -90..90, pitch and roll are
    -180..180; 0, 0, 0 is an upright face that looks into the lens. A face with a landmark that is not finite, or with
    all in one place, gets NaN.

    Example:
        >>> face = np.array([[[10, 20], [30, 20], [20, 31], [11, 40], [29, 40]]], np.float32)
        >>> bool(np.abs(head_pose(face)).max() < 5)
        True
    """
    centred = landmarks - landmarks.mean(axis=1, keepdims=True, dtype=np.float64)
    known = np.isfinite(centred).all(axis=(1, 2)) & centred.any(axis=(1, 2))
    angles = np.full((len(landmarks), 3), np.nan, np.float32)
    angles[known] = _angles(_fit(centred[known]))
    return angles


def _fit(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotations (n, 3, 3) that bring the generic face nearest to centred points (n, 5, 2)."""
    affine = np.swapaxes(points, 1, 2) @ _LEAST_SQUARES
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    rotations = np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], axis=1)
    scales = sizes.mean(axis=1)
    for _ in range(_STEPS):
        depths = scales[:, None] * (rotations[:, 2] @ _CENTRED.T)
        lifted = np.concatenate([points, depths[..., None]], axis=2)
        rotations, scales = _similarity(lifted)
    return rotations


def _similarity(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations (n, 3, 3) and scales (n,) that bring the generic face nearest to centred points (n, 5, 3)."""
    left, sizes, right = np.linalg.svd(np.swapaxes(points, 1, 2) @ _CENTRED)
    rotations = left @ right
    mirrored = np.linalg.det(rotations) < 0
    if mirrored.any():  # rare
        left[mirrored, :, 2] *= -1
        sizes[mirrored, 2] *= -1
        rotations = left @ right
    return rotations, sizes.sum(axis=1) / _SPREAD


def _angles(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return yaw, pitch and roll (n, 3) in degrees of R = Rz(roll) Ry(yaw) Rx(pitch)."""
    yaw = -np.arcsin(np.clip(rotations[:, 2, 0], -1, 1))
    pitch = np.arctan2(rotations[:, 2, 1], rotations[:, 2, 2])
    roll = np.arctan2(rotations[:, 1, 0], rotations[:, 0, 0])
    return np.asarray(np.degrees(np.stack([yaw, pitch, roll], axis=1)))

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from videmo.datatypes import Float32Array
from videmo.pose import GENERIC_FACE, head_pose

MIRRORED = [1, 0, 2, 4, 3]

angles_deg = st.tuples(st.floats(-50, 50), st.floats(-30, 30), st.floats(-60, 60))
jitters = arrays(np.float64, (5, 2), elements=st.floats(-0.05, 0.05))


def project(yaw_pitch_roll: Sequence[float], jitter: NDArray[np.float64] | float = 0.0) -> Float32Array:
    """Return landmarks (1, 5, 2) of the generic face under scaled orthography, eyes 80 px apart, moved by jitter."""
    yaw, pitch, roll = yaw_pitch_roll
    turned = Rotation.from_euler("xyz", (pitch, yaw, roll), degrees=True).apply(GENERIC_FACE)
    return (80 * (turned[None, :, :2] + jitter) + 300).astype(np.float32)


def differences(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    return (np.asarray(first, np.float64) - second + 180) % 360 - 180


@given(angles_deg)
def test_the_generic_face_is_read_as_it_was_turned(angles: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(head_pose(project(angles))[0], angles, atol=0.05)


@pytest.mark.parametrize(
    ("point", "step", "angle", "sign"),
    [
        (2, (-0.2, 0), 0, 1),  # the nose goes to the picture's left: the face turns there
        (2, (0, 0.2), 1, 1),  # the nose goes down: the face looks down
        (0, (0, -0.2), 2, 1),  # the person's right eye, at the picture's left, goes up: clockwise
        (1, (0, -0.2), 2, -1),
    ],
)
def test_signs_are_as_documented(point: int, step: tuple[float, float], angle: int, sign: int) -> None:
    landmarks = project((0, 0, 0))
    landmarks[0, point] += 80 * np.array(step, np.float32)
    assert sign * head_pose(landmarks)[0, angle] > 2


@given(angles_deg, jitters)
def test_a_mirrored_face_turns_and_tilts_the_other_way(
    angles: tuple[float, float, float], jitter: NDArray[np.float64]
) -> None:
    landmarks = project(angles, jitter)
    mirrored = (landmarks * np.float32([-1, 1]) + np.float32([640, 0]))[:, MIRRORED]
    np.testing.assert_allclose(differences(head_pose(mirrored), head_pose(landmarks) * [-1, 1, -1]), 0, atol=0.02)


@given(angles_deg, jitters, st.floats(-179, 179))
def test_turning_the_picture_changes_roll_alone(
    angles: tuple[float, float, float], jitter: NDArray[np.float64], turn_deg: float
) -> None:
    landmarks = project(angles, jitter)
    turn = Rotation.from_euler("z", turn_deg, degrees=True).as_matrix()[:2, :2]
    turned = (landmarks @ turn.T).astype(np.float32)
    np.testing.assert_allclose(differences(head_pose(turned) - head_pose(landmarks), [0, 0, turn_deg]), 0, atol=0.02)


@given(angles_deg, jitters, st.floats(0.2, 20), st.floats(-500, 500))
def test_size_and_place_do_not_matter(
    angles: tuple[float, float, float], jitter: NDArray[np.float64], scale: float, shift: float
) -> None:
    landmarks = project(angles, jitter)
    moved = (landmarks * scale + [shift, -shift]).astype(np.float32)
    np.testing.assert_allclose(head_pose(moved), head_pose(landmarks), atol=0.05)


def test_each_face_is_read_alone_and_unknown_ones_are_nan() -> None:
    landmarks = np.concatenate([project((yaw, 5, -10)) for yaw in (-40, 0, 25)])
    alone = [head_pose(landmarks[i : i + 1])[0] for i in range(3)]
    landmarks = np.insert(landmarks, 1, np.nan, axis=0)
    landmarks = np.insert(landmarks, 3, 7, axis=0)  # all five in one place: no face
    landmarks[1, 1:] = 3  # one unknown landmark is enough
    poses = head_pose(landmarks)
    assert poses.dtype == np.float32
    np.testing.assert_allclose(poses[[0, 2, 4]], alone, rtol=1e-5)
    assert np.isnan(poses[[1, 3]]).all()


def test_no_face_no_pose() -> None:
    assert head_pose(np.zeros((0, 5, 2), np.float32)).shape == (0, 3)

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from videmo.tracking.kalman import BoxFilter, Motion

BOX = np.array([[100.0, 200.0, 110.0, 210.0]])
SIMPLE = Motion(speed_std=1, growth_std=1, memory_s=1, position_noise=1, size_noise=1)


def test_agrees_with_the_case_worked_by_hand() -> None:
    """In ln 2 s velocity is halved: gains are v / (v + 1) for place and 0.5 / (v + 1) for velocity, v = 2 ln 2."""
    boxes = BoxFilter(SIMPLE)
    boxes.add(BOX)
    boxes.predict(np.log(2))
    boxes.update(np.array([0]), BOX + [10, 0, 10, 0])
    variance = 2 * np.log(2)
    shift = 10 * variance / (variance + 1)
    np.testing.assert_allclose(boxes.boxes, BOX + [shift, 0, shift, 0])
    boxes.predict(np.log(2))
    shift += 0.5 * 10 * 0.5 / (variance + 1)
    np.testing.assert_allclose(boxes.boxes, BOX + [shift, 0, shift, 0])


def test_likelihood_is_the_normal_density() -> None:
    boxes = BoxFilter(SIMPLE)
    boxes.add(BOX)
    # Innovation 1 size along x; variance 1 (prior) + 1 (noise) in each of the four.
    expected = -0.5 * (1 / 2) - 2 * np.log(2 * np.pi * 2)
    np.testing.assert_allclose(boxes.log_likelihoods(BOX + [10, 0, 10, 0]), [[expected]])


def test_a_face_is_as_likely_whatever_its_size_in_pixels() -> None:
    small, large = BoxFilter(), BoxFilter()
    small.add(BOX)
    large.add(8 * BOX)
    moved = BOX + [2, -1, 3, 0]
    np.testing.assert_allclose(small.log_likelihoods(moved), large.log_likelihoods(8 * moved))


def test_learns_a_steady_motion_and_carries_it_on() -> None:
    boxes = BoxFilter()
    boxes.add(BOX)
    for step in range(1, 20):
        boxes.predict(0.04)
        boxes.update(np.array([0]), BOX + [step, 0, step, 0])
    before = boxes.boxes
    boxes.predict(0.04)
    assert 0.7 < (boxes.boxes - before)[0, 0] < 1


def test_a_face_out_of_sight_comes_to_a_halt() -> None:
    boxes = BoxFilter(Motion(memory_s=0.3))
    boxes.add(BOX)
    boxes.predict(0.04)
    boxes.update(np.array([0]), BOX + [2, 0, 2, 0])
    boxes.predict(3)
    halted = boxes.boxes
    boxes.predict(3)
    np.testing.assert_allclose(boxes.boxes, halted, atol=0.01)


@settings(deadline=None)
@given(st.floats(0, 3), st.floats(0, 3))
def test_two_steps_are_one_step_of_their_sum(first_s: float, second_s: float) -> None:
    twice, once = BoxFilter(), BoxFilter()
    for boxes in (twice, once):
        boxes.add(BOX)
        boxes.predict(0.1)
        boxes.update(np.array([0]), BOX + [1, 2, 4, 5])
    twice.predict(first_s)
    twice.predict(second_s)
    once.predict(first_s + second_s)
    np.testing.assert_allclose(twice.boxes, once.boxes, atol=1e-9)
    np.testing.assert_allclose(twice.log_likelihoods(BOX), once.log_likelihoods(BOX), rtol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 99))
def test_many_boxes_behave_as_each_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 500, (5, 2))
    many = np.hstack([corners, corners + rng.uniform(20, 80, (5, 2))])
    seen = many + rng.normal(0, 3, many.shape)
    together = BoxFilter()
    together.add(many[:3])
    together.add(many[3:])
    together.predict(0.05)
    together.update(np.array([4, 1]), seen[[4, 1]])
    together.keep(np.array([True, True, False, True, True]))
    for row, index in enumerate([0, 1, 3, 4]):
        alone = BoxFilter()
        alone.add(many[index : index + 1])
        alone.predict(0.05)
        if index in (1, 4):
            alone.update(np.array([0]), seen[index : index + 1])
        np.testing.assert_allclose(together.boxes[row : row + 1], alone.boxes)


def test_no_boxes_are_fine() -> None:
    boxes = BoxFilter()
    boxes.predict(1)
    assert boxes.boxes.shape == (0, 4)
    assert boxes.log_likelihoods(BOX).shape == (0, 1)

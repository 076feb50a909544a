"""A bank of Kalman filters for boxes, all tracks at once, in seconds: any frame rate, also a varying one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Motion:
    """How faces move and how exactly detectors see them; lengths in face sizes (the root of the box's area).

    `speed_std` (sizes/s) and `growth_std` (ln size/s) say how fast a face moves and grows; `memory_s` after how long it
    has forgotten its velocity. `position_noise` (sizes) and `size_noise` (ln size) are the detector's standard errors.
    """

    speed_std: float = 2.0
    growth_std: float = 0.5
    memory_s: float = 0.3
    position_noise: float = 0.06
    size_noise: float = 0.08


class BoxFilter:
    """n boxes as (centre x, centre y, ln width, ln height), each of the four with its rate, independent of each other.

    Velocity is an Ornstein-Uhlenbeck process (as acceleration is in Singer 1970), solved exactly for any time step: it
    starts at its stationary spread and decays, so that a face out of sight coasts to a halt while its place gets
    uncertain. Two steps of `predict` are one step of their sum.

    Values are px, covariances are in face sizes: gains have no length in them, so one noise level fits every face.
    """

    def __init__(self, motion: Motion | None = None) -> None:
        self._motion = motion or Motion()
        position, size = self._motion.position_noise, self._motion.size_noise
        self._noise = np.square([position, position, size, size])
        speed, growth = self._motion.speed_std, self._motion.growth_std
        self._rate_variance = np.square([speed, speed, growth, growth])
        self._states = np.zeros((0, 4, 2))
        self._covariances = np.zeros((0, 4, 2, 2))

    def __len__(self) -> int:
        return len(self._states)

    @property
    def boxes(self) -> FloatArray:
        """The estimated boxes (n, 4), xyxy px."""
        return self.boxes_after(0)

    def boxes_after(self, seconds: float) -> FloatArray:
        """Return the boxes (n, 4), xyxy px, as expected `seconds` from now: those that `predict` would lead to."""
        _, reach_s = self._decay(seconds)
        places = self._states @ np.array([1, reach_s])
        centres, halves = places[:, :2], np.exp(places[:, 2:]) / 2
        return np.concatenate([centres - halves, centres + halves], axis=1)

    def add(self, boxes: NDArray[np.floating]) -> None:
        """Append boxes (m, 4) px seen for the first time: place as measured, velocity unknown."""
        states = np.zeros((len(boxes), 4, 2))
        states[..., 0] = _measure(boxes)
        covariances = np.zeros((len(boxes), 4, 2, 2))
        covariances[..., 0, 0] = self._noise
        covariances[..., 1, 1] = self._rate_variance
        self._states = np.concatenate([self._states, states])
        self._covariances = np.concatenate([self._covariances, covariances])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drop the boxes where `rows` (n,) is False."""
        self._states, self._covariances = self._states[rows], self._covariances[rows]

    def predict(self, seconds: float) -> None:
        """Move every box `seconds` ahead."""
        memory_s = self._motion.memory_s
        decay, reach_s = self._decay(seconds)
        step = np.array([[1, reach_s], [0, decay]])
        # The integrals of the process over the step, for a stationary velocity of variance 1.
        place = 2 * memory_s * (seconds - reach_s) - reach_s**2
        added = np.array([[place, reach_s * (1 - decay)], [reach_s * (1 - decay), 1 - decay**2]])
        self._states = self._states @ step.T
        self._covariances = step @ self._covariances @ step.T + self._rate_variance[:, None, None] * added

    def _decay(self, seconds: float) -> tuple[float, float]:
        """Return what is left of a velocity after a time, 0..1, and how far it leads by then, in s of its beginning."""
        decay = float(np.exp(-seconds / self._motion.memory_s))
        return decay, self._motion.memory_s * (1 - decay)

    def log_likelihoods(self, boxes: NDArray[np.floating]) -> FloatArray:
        """Return ln p (n, m) of seeing boxes (m, 4) px where the n tracks are; densities per size² and (ln size)²."""
        innovations = _measure(boxes)[None] - self._states[:, None, :, 0]
        innovations[..., :2] /= np.exp(self._states[:, 2:, 0].mean(axis=1))[:, None, None]
        spreads = self._covariances[:, None, :, 0, 0] + self._noise
        return np.asarray(-0.5 * np.sum(innovations**2 / spreads + np.log(2 * np.pi * spreads), axis=2))

    def update(self, rows: NDArray[np.integer], boxes: NDArray[np.floating]) -> None:
        """Correct the boxes at `rows` (m,) by what was seen, boxes (m, 4) px."""
        covariances = self._covariances[rows]
        innovations = _measure(boxes) - self._states[rows, :, 0]
        gains = covariances[..., 0] / (covariances[..., 0, 0] + self._noise)[..., None]
        self._states[rows] += gains * innovations[..., None]
        self._covariances[rows] = covariances - gains[..., :, None] * covariances[..., 0, None, :]


def _measure(boxes: NDArray[np.floating]) -> FloatArray:
    """Return boxes (m, 4) xyxy px as (m, 4) centre x, centre y, ln width, ln height; sides below 1 px count as 1 px."""
    corners = boxes.astype(np.float64)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 1.0)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, np.log(sides)], axis=1)

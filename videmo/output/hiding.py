"""Where faces are to be hidden at any moment: also where nobody looked, and where the detector lost a face for a while.

A face is hidden where it was seen. Between two sightings of a track that are at most `GAP_S` apart, or that are its
sightings in two frames analysed one after the other, it is hidden on the straight line between them; before the first
and after the last sighting, in the same shot, it stays hidden for a while at its place. What was never found is not
hidden, nor is a face that leaves that line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np

from videmo.datatypes import Float32Array, FrameFaces, Int32Array, ScoredFaces

GAP_S: Final = 1.0
LEAD_S: Final = 0.3
_MOST_DELAYED: Final = 16
"""Pictures held back at most: 50 MB of Full HD. Above 53 frames/s the lead gets shorter than `LEAD_S`."""

_TICK_S: Final = 1e-6
"""Below the tick of any container."""

Hidden = tuple[FrameFaces[ScoredFaces], Float32Array]
"""A frame, and the boxes (n, 4) px to hide in it."""


class Sighting(NamedTuple):
    """The faces to hide in one analysed frame: track_ids (n,), boxes (n, 4) px; n = 0 is worth telling, too."""

    time_s: float
    shot: int
    track_ids: Int32Array
    boxes: Float32Array


class _Place(NamedTuple):
    time_s: float
    shot: int
    box: Float32Array


class HiddenFaces:
    """Tells where faces are to be hidden, from what was seen before and, as far as it is known, after.

    Args:
        hold_s: how long a face stays hidden after it was lost. `LEAD_S` will do where all that follows is known;
            otherwise `GAP_S`, for it may come back until then.
    """

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._ahead: deque[Sighting] = deque()
        self._past: dict[int, _Place] = {}
        self._last: Sighting | None = None

    @property
    def known_until_s(self) -> float:
        """The time of the latest sighting that is still ahead, -inf without one."""
        return self._ahead[-1].time_s if self._ahead else -np.inf

    def see(self, sighting: Sighting) -> None:
        """Add what was seen in an analysed frame, in the order of time."""
        self._ahead.append(sighting)

    def boxes_at(self, time_s: float, shot: int | None) -> Float32Array:
        """Return the boxes (n, 4) px to hide at a time, which must not go back.

        `shot` is that of the frame; None where it lies between analysed frames and nobody knows whether after a cut.
        """
        self._advance(time_s)
        shots = {seen.shot for seen in (self._last, *list(self._ahead)[:1]) if seen} if shot is None else {shot}
        following = self._following()
        boxes: list[Float32Array] = []
        for track_id, place in self._past.items():
            boxes += self._near(place, following.get(track_id), time_s, shots)
        boxes += [
            place.box
            for track_id, place in following.items()
            if place.shot in shots and self._leads(place, time_s) and not self._joins(self._past.get(track_id), place)
        ]
        return np.stack(boxes) if boxes else np.zeros((0, 4), np.float32)

    def _advance(self, time_s: float) -> None:
        """Take what has been seen by now to the past, and forget what is too long ago to matter."""
        while self._ahead and self._ahead[0].time_s <= time_s:
            self._last = seen = self._ahead.popleft()
            for track_id, box in zip(seen.track_ids.tolist(), seen.boxes, strict=True):
                self._past[track_id] = _Place(seen.time_s, seen.shot, box)
        since_s = min(time_s - max(self._hold_s, GAP_S) - _TICK_S, self._last.time_s if self._last else time_s)
        self._past = {track_id: place for track_id, place in self._past.items() if place.time_s >= since_s}

    def _following(self) -> dict[int, _Place]:
        """Return where each track is seen next."""
        following: dict[int, _Place] = {}
        for seen in self._ahead:
            for track_id, box in zip(seen.track_ids.tolist(), seen.boxes, strict=True):
                following.setdefault(track_id, _Place(seen.time_s, seen.shot, box))
        return following

    def _near(self, place: _Place, after: _Place | None, time_s: float, shots: set[int]) -> Iterator[Float32Array]:
        """Yield the boxes of a track after a sighting: where it was, and on its way to where it is next."""
        if place.shot not in shots:
            return
        if time_s - place.time_s <= self._hold_s + _TICK_S or self._is_latest(place):
            yield place.box
        if after is not None and place.time_s < time_s and self._joins(place, after):
            share = (time_s - place.time_s) / (after.time_s - place.time_s)
            yield ((1 - share) * place.box + share * after.box).astype(np.float32)

    def _joins(self, place: _Place | None, after: _Place) -> bool:
        """Return whether a track goes on from one sighting to the other, so that it is hidden all the way."""
        if place is None or place.shot != after.shot:
            return False
        neighbours = self._is_latest(place) and after.time_s == self._ahead[0].time_s
        return neighbours or after.time_s - place.time_s <= GAP_S + _TICK_S

    def _is_latest(self, place: _Place) -> bool:
        return self._last is not None and place.time_s == self._last.time_s

    def _leads(self, place: _Place, time_s: float) -> bool:
        return place.time_s - time_s <= LEAD_S + _TICK_S or place.time_s == self._ahead[0].time_s


class Veil(Protocol):
    """Adds to frames what is to be hidden in them."""

    def feed(self, item: FrameFaces[ScoredFaces]) -> Iterator[Hidden]:
        """Take the next frame; yields those that can be shown now, in order."""
        ...

    def finish(self) -> Iterator[Hidden]:
        """Yield the frames that are left; no more come."""
        ...


class LookAhead:
    """Holds frames back by `LEAD_S` (`_MOST_DELAYED` at most), to hide a face before it was first found.

    For a run that goes on: how long a face stays away is not known yet, so it is hidden at its last place for `GAP_S`,
    and on the way to the next one only as far as the frames that are held back show it. Between analysed frames that
    are further apart than `LEAD_S`, a new face is hidden for that time before it is found, and no longer.
    """

    def __init__(self) -> None:
        self._hidden = HiddenFaces(GAP_S)
        self._waiting: deque[FrameFaces[ScoredFaces]] = deque()

    def feed(self, item: FrameFaces[ScoredFaces]) -> Iterator[Hidden]:
        """Take the next frame; yields those that have waited long enough."""
        frame = item.frame
        if frame.analysed:
            self._hidden.see(Sighting(frame.time_s, frame.shot, item.faces.track_ids, item.faces.boxes))
        self._waiting.append(item)
        while len(self._waiting) > _MOST_DELAYED or frame.time_s - self._waiting[0].frame.time_s > LEAD_S + _TICK_S:
            yield self._let_go()

    def finish(self) -> Iterator[Hidden]:
        """Yield the frames that still wait."""
        while self._waiting:
            yield self._let_go()

    def _let_go(self) -> Hidden:
        item = self._waiting.popleft()
        return item, self._hidden.boxes_at(item.frame.time_s, item.frame.shot)


class Foreknowledge:
    """Hides faces by what a finished run saw: all of it is known, no frame waits.

    Args:
        sightings: of every analysed frame, in the order of time; faces that are to stay visible left out. Read as far
            ahead as needed.
    """

    def __init__(self, sightings: Iterator[Sighting]) -> None:
        self._hidden = HiddenFaces(LEAD_S)
        self._sightings = sightings

    def feed(self, item: FrameFaces[ScoredFaces]) -> Iterator[Hidden]:
        """Yield the frame."""
        frame = item.frame
        while self._hidden.known_until_s <= frame.time_s + GAP_S + _TICK_S:
            sighting = next(self._sightings, None)
            if sighting is None:
                break
            self._hidden.see(sighting)
        yield item, self._hidden.boxes_at(frame.time_s, frame.shot if frame.analysed else None)

    def finish(self) -> Iterator[Hidden]:
        """Yield nothing: no frame waits."""
        yield from ()

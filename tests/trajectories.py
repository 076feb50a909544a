"""Faces with known identities that move along known paths, and what an imperfect detector would see of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import motmetrics
import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Detections, TrackedFaces
from videmo.geometry import iou_matrix

# Where a face is at a time: centre x, centre y and width in px, or None while it is away or hidden; 1.3 times as high.
Path = Callable[[float], tuple[float, float, float] | None]


@dataclass(frozen=True)
class Moment:
    """The truth at one time: boxes (n, 4) px and who they are."""

    time_s: float
    boxes: NDArray[np.float32]
    names: tuple[str, ...]


def film(paths: dict[str, Path], times_s: Iterable[float]) -> list[Moment]:
    """Return where every face is at each time."""
    moments = []
    for time_s in times_s:
        places = {name: place for name, path in paths.items() if (place := path(time_s)) is not None}
        boxes = [(x - w / 2, y - 0.65 * w, x + w / 2, y + 0.65 * w) for x, y, w in places.values()]
        moments.append(Moment(float(time_s), np.array(boxes, np.float32).reshape(-1, 4), tuple(places)))
    return moments


def crossing(time_s: float, name: str) -> tuple[float, float, float] | None:
    """Two people pass each other within 4 s; the far one, "back", is hidden where the near one covers it."""
    front = (60 + 130 * time_s, 240.0, 100.0)
    back = (580 - 130 * time_s, 225.0, 80.0)
    hidden = abs(front[0] - back[0]) < 45
    return front if name == "front" else None if hidden else back


def leaving(time_s: float, name: str) -> tuple[float, float, float] | None:
    """One person stays, one walks out after 2 s, a third comes in on the other side a second later."""
    if name == "stays":
        return 320 + 10 * np.sin(2 * time_s), 240, 90
    if name == "leaves":
        return (450 + 90 * time_s, 200, 80) if time_s < 2 else None
    return (40 + 60 * (time_s - 3), 210, 85) if time_s > 3 else None


def returning(time_s: float, name: str) -> tuple[float, float, float] | None:
    """One person stays; another turns away twice, for 0.6 and 1.2 s, and shifts a little meanwhile."""
    if name == "stays":
        return 180 + 15 * np.sin(1.5 * time_s), 230, 95
    return None if 1 <= time_s < 1.6 or 3 <= time_s < 4.2 else (430 + 20 * np.sin(time_s), 220, 85)


SCENES: dict[str, dict[str, Path]] = {
    scene.__name__: {name: lambda t, scene=scene, name=name: scene(t, name) for name in names}
    for scene, names in (
        (crossing, ("front", "back")),
        (leaving, ("stays", "leaves", "comes")),
        (returning, ("stays", "returns")),
    )
}


def observe(
    moments: Sequence[Moment], *, seed: int = 0, noise: float = 0.03, dropout: float = 0.08, faint: float = 0.1
) -> list[Detections]:
    """Return what a detector sees: boxes off by `noise` widths, some missing or faint, now and then a false alarm."""
    rng = np.random.default_rng(seed)
    return [_observe(moment, rng, noise, dropout, faint) for moment in moments]


def _observe(moment: Moment, rng: np.random.Generator, noise: float, dropout: float, faint: float) -> Detections:
    boxes = moment.boxes + rng.normal(0, noise, moment.boxes.shape) * (moment.boxes[:, 2:3] - moment.boxes[:, :1])
    scores = np.where(
        rng.random(len(boxes)) < faint, rng.uniform(0.5, 0.65, len(boxes)), rng.uniform(0.8, 1, len(boxes))
    )
    seen = rng.random(len(boxes)) >= dropout
    boxes, scores = boxes[seen], scores[seen]
    if rng.random() < 0.05:
        corner = rng.uniform(0, 400, 2)
        boxes, scores = np.vstack([boxes, [*corner, *(corner + 60)]]), np.append(scores, rng.uniform(0.5, 0.65))
    return Detections(boxes.astype(np.float32), scores.astype(np.float32))


def idf1(moments: Sequence[Moment], tracked: Sequence[TrackedFaces]) -> float:
    """Return IDF1 (Ristani et al. 2016) as py-motmetrics computes it; a face counts as found from IoU 0.4 on."""
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    number = {name: index for index, name in enumerate(sorted({name for moment in moments for name in moment.names}))}
    for moment, faces in zip(moments, tracked, strict=True):
        distances = 1 - iou_matrix(moment.boxes, faces.boxes).astype(float)
        distances[distances > 0.6] = np.nan
        accumulator.update([number[name] for name in moment.names], faces.track_ids.tolist(), distances)
    summary = motmetrics.metrics.create().compute(accumulator, metrics=["idf1"])
    return float(summary["idf1"].iloc[0])

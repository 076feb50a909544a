"""What flows between the stages: immutable records whose arrays are read-only and shape-checked.

Letters used in shapes: n = faces in the frame (0 is normal), E = number of labels, S = side of a crop in px.
Boxes are (x1, y1, x2, y2) in px of the picture as displayed: upright, with square pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Int32Array = NDArray[np.int32]
Float32Array = NDArray[np.float32]

Part = tuple[int, int, int, int]
"""A part of a picture, x1 y1 x2 y2: the columns from x1 to before x2, the rows from y1 to before y2."""


class Picture(Protocol):
    """One decoded picture as displayed (upright, square pixels), kept in the decoder's format until someone asks."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    def rgb(self, width_px: int | None = None, height_px: int | None = None) -> UInt8Array:
        """Return the picture as (height_px, width_px, 3) RGB, scaled in the same pass when a size is given."""
        ...

    def gray(self, part: Part | None = None) -> UInt8Array:
        """Return the luma as (height_px, width_px), stretched to the full range 0..255, or only a part of it."""
        ...

    def i420(self) -> UInt8Array:
        """Return a writable planar YUV 4:2:0 copy in limited range, (H * 3 / 2, W), H and W rounded up to even."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class VideoInfo:
    """What is known of a video before its first frame is decoded.

    `width_px`, `height_px` are as displayed (after rotation and pixel aspect). `time_base` is the unit of `Frame.pts`
    in seconds, and `start_pts` says where `Frame.pts` 0 lies on the container's own clock. `duration_s` and
    `frame_count` are the container's claim, None where it makes none.
    """

    id: str
    path: Path
    width_px: int
    height_px: int
    frame_rate: Fraction
    time_base: Fraction
    duration_s: float | None = None
    frame_count: int | None = None
    has_audio: bool = False
    start_pts: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame.

    `index` counts decoded frames from 0, also when sampling. `pts` is in units of `video.time_base` since the start of
    the stream and `time_s` the same in seconds. `analysed` is False for a frame that sampling skips but a sink shows,
    `detected` also for an analysed one that the detector passes over: its faces are carried on from frames before.
    `shot` counts the shots from 0. `file_name` is set for pictures of an image sequence, whose sizes may differ: boxes
    are px of their own picture. `picture` is None once nobody needs the pixels any more. `clock_shifts` has an
    entry for each time that the container's clock began anew up to this frame: what is added to it from there on.
    """

    video: VideoInfo
    index: int
    pts: int
    time_s: float
    picture: Picture | None = field(repr=False)
    analysed: bool = True
    file_name: str | None = None
    detected: bool = True
    shot: int = 0
    clock_shifts: tuple[int, ...] = ()

    def without_picture(self) -> Frame:
        """Return this frame with its pixels let go."""
        return replace(self, picture=None)


def _checked(name: str, array: Any, dtype: type[np.generic], shape: tuple[int | None, ...]) -> NDArray[Any]:
    """Return a read-only view of `array`, or raise ValueError that names expected and actual shape."""
    result: NDArray[Any] = np.asarray(array, dtype=dtype)
    have = result.shape
    if have != shape and (len(have) != len(shape) or any(w not in (None, h) for w, h in zip(shape, have, strict=True))):
        expected = tuple("any" if size is None else size for size in shape)
        raise ValueError(f"{name}: expected shape {expected}, got {have}")
    if not result.flags.writeable:  # checked before: every stage hands on what the ones before it found
        return result
    view = result.view()
    view.flags.writeable = False
    return view


def _describe(record: Any) -> str:
    """Return `Name(field=dtype[shape], ...)`: shapes, never pixels."""
    parts = []
    for item in fields(record):
        value = getattr(record, item.name)
        shown = f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)
        parts.append(f"{item.name}={shown}")
    return f"{type(record).__name__}({', '.join(parts)})"


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """The faces found in one frame: boxes (n, 4) px, scores (n,) 0..1, landmarks (n, 5, 2) px or None.

    Landmarks are right eye, left eye, nose, right and left corner of the mouth (the person's right).
    Raises ValueError when shapes disagree.
    """

    boxes: Float32Array
    scores: Float32Array
    landmarks: Float32Array | None = None

    __repr__ = _describe

    def __post_init__(self) -> None:
        self._check("boxes", np.float32, 4)
        self._check("scores", np.float32)
        if self.landmarks is not None:
            self._check("landmarks", np.float32, 5, 2)

    def __len__(self) -> int:
        return len(self.boxes)

    def _check(self, name: str, dtype: type[np.generic], *tail: int | None) -> None:
        array = getattr(self, name)
        object.__setattr__(self, name, _checked(name, array, dtype, (len(self.boxes), *tail)))

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Return the faces at `rows` (indices, a boolean mask or a slice) with all that is known of them."""
        columns = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(self, **{name: column[rows] for name, column in columns.items() if column is not None})

    @staticmethod
    def none() -> Detections:
        """Return a table of no faces."""
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, eq=False, repr=False)
class TrackedFaces(Detections):
    """Faces with identities: + track_ids (n,) int32 >= 1, unique per video."""

    track_ids: Int32Array = field(default_factory=lambda: np.zeros(0, np.int32))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("track_ids", np.int32)


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredFaces(TrackedFaces):
    """Faces with their quality: + measures (n, 5) float32, columns `videmo.quality.MEASURES`, NaN if not measured."""

    measures: Float32Array = field(default_factory=lambda: np.zeros((0, 5), np.float32), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.measures):
            object.__setattr__(self, "measures", np.full((len(self), 5), np.nan, np.float32))
        self._check("measures", np.float32, 5)


@dataclass(frozen=True, eq=False, repr=False)
class AlignedFaces(MeasuredFaces):
    """Faces ready for the classifier: + crops (n, S, S, C) uint8."""

    crops: UInt8Array = field(default_factory=lambda: np.zeros((0, 1, 1, 1), np.uint8))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("crops", np.uint8, None, None, None)


@dataclass(frozen=True, eq=False, repr=False)
class ScoredFaces(MeasuredFaces):
    """Faces with expressions: + emotions (n, E) float32, probabilities in the order of the preset's labels."""

    emotions: Float32Array = field(default_factory=lambda: np.zeros((0, 1), np.float32))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("emotions", np.float32, None)


Faces_co = TypeVar("Faces_co", bound=Detections, covariant=True)


@dataclass(frozen=True, eq=False)
class FrameFaces(Generic[Faces_co]):
    """The envelope that flows: a frame and its faces."""

    frame: Frame
    faces: Faces_co


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """What one hop of one lane did: items passed, seconds busy, waiting for input and waiting for room."""

    name: str
    items: int
    busy_s: float
    waiting_for_input_s: float
    waiting_for_room_s: float


Status = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class VideoReport:
    """How one input fared: its row of videos.parquet, in the order of the columns.

    `sha256` is that of the source file; what is None was not known when the input failed. `resumed` says that the
    result was there already and `outputs` names its files; neither is a column.
    """

    video_id: str
    path: str
    sha256: str | None = None
    status: Status = "done"
    error: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    frame_rate: float | None = None
    duration_s: float | None = None
    frames_decoded: int = 0
    frames_analysed: int = 0
    frames_undecodable: int = 0
    faces: int = 0
    tracks: int = 0
    warnings: tuple[str, ...] = ()
    resumed: bool = False
    outputs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run went: one report per input, in input order, and the statistics of its stages."""

    videos: tuple[VideoReport, ...]
    seconds: float
    stages: tuple[StageStatistics, ...] = ()

    @property
    def failed(self) -> tuple[VideoReport, ...]:
        """The inputs that could not be analysed."""
        return tuple(video for video in self.videos if video.status == "failed")

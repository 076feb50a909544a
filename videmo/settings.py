"""Every knob of an analysis in one frozen record: the command line, TOML files and Python use the same names."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from videmo.errors import UsageError

Device = Literal["auto", "cpu", "gpu"]
Runtime = Literal["auto", "keras", "openvino"]
Progress = Literal["bar", "json", "none"]
Existing = Literal["refuse", "overwrite", "resume"]
Anonymize = Literal["blur", "pixelate", "box"]


STALL_LIMIT_S: Final = 60.0
_PATHS: Final = {"detector_model"}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to analyse.

    Sampling: `fps` analyses that many frames per second of media time, `stride` every n-th decoded frame (not both);
    `start_s` and `end_s` bound the media time; `image_fps` is the rate of picture sequences.
    Faces: `detector` by name, `detector_model` what it looks with: the model file that `yunet` needs, or another preset
    for `neural`, by name or folder; `detect_size_px` the long side of the picture it gets and `min_score` 0..1 (None =
    the detector's own), `min_face_px` the smallest width or height in the frame, `model` the expression preset.
    `detect_every_frames` looks for faces in every n-th analysed frame only, `detect_every_s` after that many seconds of
    media time (not both); in between they go from one to the next.
    Quality: a face counts as usable from `quality_min_face_px` (geometric mean of the box's sides), with at most
    `quality_max_cut_off` (0..1) of its square outside the picture, a brightness (0..1) between
    `quality_min_brightness` and `quality_max_brightness`, from `quality_min_contrast` (0..1) and
    `quality_min_sharpness`, up to `quality_max_yaw_deg` to either side, up to `quality_max_occlusion` (0..1; 1, the
    default, excludes nothing, see `videmo.occlusion`) and from the detection score `quality_min_score` (0..1); see
    `videmo.quality`. At the defaults the default model has lost about 5 points of
    accuracy (`tests/benchmarks/quality_thresholds.py`).
    Machine: `jobs` videos at once and `batch_size` faces per model call (None = chosen for the machine), `device`, and
    `runtime`, the library that runs the networks. A video that gives no new frame in `stall_limit_s` of reading and
    decoding fails, so that a damaged file or a dead disk does not hold up the others.
    Outputs: `annotated_video`, `anonymize` how to hide the faces in it (None: not at all), `charts`, `existing` says
    what to do about results that are already there.

    Raises UsageError naming the setting, the value and what is allowed.

    Example:
        >>> Settings(fps=5, charts=False).fps
        5
    """

    fps: float | None = None
    stride: int = 1
    start_s: float = 0.0
    end_s: float | None = None
    image_fps: float = 1.0
    detector: str = "neural"
    detector_model: Path | None = None
    detect_size_px: int | None = None
    min_score: float | None = None
    min_face_px: int = 24
    detect_every_frames: int = 1
    detect_every_s: float | None = None
    quality_min_face_px: float = 21.0
    quality_max_cut_off: float = 0.2
    quality_min_brightness: float = 0.12
    quality_max_brightness: float = 0.89
    quality_min_contrast: float = 0.09
    quality_min_sharpness: float = 0.065
    quality_max_yaw_deg: float = 40.0
    quality_max_occlusion: float = 1.0
    quality_min_score: float = 0.6
    model: str = "ferplus-resnet-48"
    jobs: int | None = None
    batch_size: int | None = None
    device: Device = "auto"
    runtime: Runtime = "auto"
    stall_limit_s: float = STALL_LIMIT_S
    annotated_video: bool = True
    anonymize: Anonymize | None = None
    charts: bool = True
    existing: Existing = "refuse"

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(Settings).items():
            _require(_fits(getattr(self, name), hint), name, getattr(self, name), _spell(hint))
        _require(self.fps is None or 0 < self.fps < math.inf, "fps", self.fps, "a number above 0")
        _require(self.fps is None or self.stride == 1, "fps", self.fps, "either fps or stride, not both")
        _require(self.stride >= 1, "stride", self.stride, "a whole number from 1")
        _require(self.start_s >= 0, "start_s", self.start_s, "seconds from 0")
        _require(self.end_s is None or self.end_s > self.start_s, "end_s", self.end_s, "seconds after start_s")
        # Times of pictures are counted in fractions of whole numbers up to a million.
        _require(1e-6 <= self.image_fps <= 1e6, "image_fps", self.image_fps, "0.000001 to 1000000")
        _require(
            self.detect_size_px is None or self.detect_size_px >= 32, "detect_size_px", self.detect_size_px, "from 32"
        )
        _require(self.min_score is None or 0 <= self.min_score <= 1, "min_score", self.min_score, "0 to 1")
        _require(self.min_face_px >= 1, "min_face_px", self.min_face_px, "a whole number from 1")
        frames, seconds = self.detect_every_frames, self.detect_every_s
        _require(frames >= 1, "detect_every_frames", frames, "a whole number from 1")
        _require(seconds is None or 0 < seconds < math.inf, "detect_every_s", seconds, "seconds above 0")
        either = "either detect_every_s or detect_every_frames, not both"
        _require(seconds is None or frames == 1, "detect_every_s", seconds, either)
        self._require_quality()
        _require(self.jobs is None or self.jobs >= 1, "jobs", self.jobs, "a whole number from 1")
        _require(self.batch_size is None or self.batch_size >= 1, "batch_size", self.batch_size, "a number from 1")
        _require(0 < self.stall_limit_s < math.inf, "stall_limit_s", self.stall_limit_s, "seconds above 0")

    def _require_quality(self) -> None:
        """Raise UsageError where a limit could not be met or could not exclude anything."""
        for name in (item.name for item in fields(self) if item.name.startswith("quality_")):
            value, most = getattr(self, name), {"quality_max_yaw_deg": 90.0}.get(name, 1.0)
            if name in ("quality_min_face_px", "quality_min_sharpness"):
                _require(value >= 0, name, value, "a number from 0")
            else:
                _require(0 <= value <= most, name, value, f"0 to {most:g}")

    def merged(self, values: Mapping[str, Any]) -> Settings:
        """Return a copy with `values` on top, of which a path may be text, as files and `describe` have it.

        Raises UsageError on an unknown name or a value that cannot be used.
        """
        known = {item.name for item in fields(self)}
        for name in values:
            if name not in known:
                raise UsageError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
        paths = {name: Path(value) for name, value in values.items() if name in _PATHS and isinstance(value, str)}
        return replace(self, **{**values, **paths})

    def describe(self) -> dict[str, Any]:
        """Return the settings as plain values for run.json."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    def result_settings(self) -> dict[str, Any]:
        """Return the part that decides the numbers in the tables: two runs that agree here may be resumed into one."""
        machine = {"jobs", "batch_size", "device", "runtime", "stall_limit_s"}
        outputs = {"annotated_video", "anonymize", "charts", "existing"}
        return {name: value for name, value in self.describe().items() if name not in machine | outputs}


def _fits(value: object, hint: Any) -> bool:
    """Return whether a value is of the type that a setting is declared with; a whole number may stand for a float."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _spell(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " | ".join(get_args(hint))
    return " or ".join(map(_spell, get_args(hint))) or str(hint.__name__)


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise UsageError(f"setting {name} = {value!r} cannot be used: expected {allowed}")


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Return the values of a TOML file that holds `what`; raises UsageError naming the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows put a mark before the text
    except OSError as error:
        raise UsageError(f"{path}: cannot read the {what}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # also a number of too many digits
        raise UsageError(f"{path}: not a TOML file: {error}") from error

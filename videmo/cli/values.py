"""Option values with a meaning of their own: choices, times with their unit, when to detect, filters, baselines."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from videmo.errors import UsageError

if TYPE_CHECKING:
    from videmo.findings.smoothing import Smoother


class Hide(StrEnum):
    """How faces are hidden in annotated videos."""

    BLUR = "blur"
    PIXELATE = "pixelate"
    BOX = "box"


class Progress(StrEnum):
    """How progress is shown."""

    BAR = "bar"
    JSON = "json"
    NONE = "none"


_SECONDS: Final = {"ms": 0.001, "s": 1, "min": 60, "": 1}
_TIME: Final = r"(-?\d+(?:\.\d+)?)\s*(ms|s|min|)"


def parse_seconds(text: str, option: str) -> float:
    """Return the seconds of "1s", "500ms", "2min" or "0.5"; raises UsageError naming the option."""
    amount, unit = _split(text)
    if amount <= 0:
        raise UsageError(f"{option} {text!r}: expected a time such as 1s, 500ms or 2min")
    return amount * _SECONDS[unit]


def parse_detect_every(text: str) -> dict[str, Any]:
    """Return the settings that a number of frames ("3") or a time with its unit ("0.5s") stands for.

    Raises UsageError naming the option. Both settings are returned, so that one given later replaces the other.
    """
    amount, unit = _split(text)
    if amount <= 0 or (not unit and not amount.is_integer()):
        raise UsageError(f"--detect-every {text!r}: expected a number of frames such as 3, or a time such as 0.5s")
    if unit:
        return {"detect_every_frames": 1, "detect_every_s": amount * _SECONDS[unit]}
    return {"detect_every_frames": int(amount), "detect_every_s": None}


def parse_bridge(text: str) -> float:
    """Return the seconds of a gap to bridge: a time, or 0 for none; raises UsageError naming the option."""
    return 0.0 if re.fullmatch(r"\s*0+(\.0+)?\s*(ms|s|min|)\s*", text) else parse_seconds(text, "--bridge")


def parse_smoother(text: str) -> Smoother | None:
    """Return the filter of "median:0.5s", "ema:0.5s" (half-life) or "savgol:1s", None for "none".

    Raises UsageError naming the forms.
    """
    from videmo.findings.smoothing import ExponentialAverage, MedianFilter, SavitzkyGolay

    if text.strip() == "none":
        return None
    name, _, time = text.partition(":")
    filters: dict[str, Callable[[float], Smoother]] = {
        "median": MedianFilter,
        "ema": ExponentialAverage,
        "savgol": SavitzkyGolay,
    }
    (amount, unit), make = _split(time), filters.get(name.strip())
    if make is None or amount <= 0:
        raise UsageError(f"--smooth {text!r}: expected median:0.5s, ema:0.5s (its half-life), savgol:1s or none")
    return make(amount * _SECONDS[unit])


def parse_baseline(text: str) -> tuple[float, float] | str:
    """Return the window of "0-5s" or "-5-0s" in s, or the name of a segment: what looks like no window.

    A start without a unit has that of the end: "500-1500ms". Raises UsageError where the window has no length.
    """
    found = re.fullmatch(rf"\s*{_TIME}\s*-\s*{_TIME}\s*", text)
    if not found:
        return text
    start_s = float(found[1]) * _SECONDS[found[2] or found[4]]
    end_s = float(found[3]) * _SECONDS[found[4]]
    if end_s <= start_s:
        raise UsageError(f"--baseline {text!r}: expected a window such as 0-5s or -5-0s, or the name of a segment")
    return start_s, end_s


def parse_names(texts: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names in ["a,b", "c"], without the space around them, each once."""
    return tuple(dict.fromkeys(name for part in ",".join(texts or ()).split(",") if (name := part.strip())))


def require_folder(path: Path | None, option: str = "--out") -> None:
    """Raise UsageError naming the option where `path` can be no folder to write to: checked before long work."""
    if path is None:
        return
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise UsageError(f"{option} {nearest}: a file; name a folder")
    if not os.access(nearest, os.W_OK):
        raise UsageError(f"{option} {path}: {nearest} cannot be written to; name another folder")


def _split(text: str) -> tuple[float, str]:
    """Return a number and its unit, "" where it has none; 0 where the text is neither."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|)\s*", text)
    return (float(found[1]), found[2]) if found else (0.0, "")

"""Option values with a meaning of their own: times with their unit, how often to detect."""

from __future__ import annotations

import re
from typing import Any, Final

from videmo.errors import UsageError

_SECONDS: Final = {"ms": 0.001, "s": 1, "min": 60, "": 1}


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


def _split(text: str) -> tuple[float, str]:
    """Return a number and its unit, "" where it has none; 0 where the text is neither."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|)\s*", text)
    return (float(found[1]), found[2]) if found else (0.0, "")

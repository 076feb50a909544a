"""Times as people write them."""

from __future__ import annotations

import pandas as pd

_CLOCK = r"^(?P<minus>-?)(?:(?:(?P<h>\d+):)?(?P<m>\d+):)?(?P<s>\d+(?:[.,]\d+)?)$"


def parse_clock(text: pd.Series[str]) -> pd.Series[float]:
    """Return seconds of "12.5", "1:05", "00:01:05.250" or "00:01:05,250"; NaN where a text is none of them.

    Example:
        >>> parse_clock(pd.Series(["12.5", "00:01:05,250", "soon"])).tolist()
        [12.5, 65.25, nan]
    """
    parts = text.str.strip().str.extract(_CLOCK)
    seconds = parts["s"].str.replace(",", ".").astype(float)
    for unit, size_s in (("m", 60), ("h", 3600)):
        seconds = seconds + size_s * parts[unit].fillna("0").astype(float)
    return seconds.where(parts["minus"] != "-", -seconds)

"""Quantities derived from the probabilities: expressiveness, and experimental valence and arousal.

Valence and arousal are means of coordinates of the labels, weighted by their probabilities. The coordinates are the
mean ratings, scaled to -1..1, of the terms happy, surprised, sad, angry, disgusted and fearful in J. A. Russell and
A. Mehrabian, "Evidence for a three-factor theory of emotions", Journal of Research in Personality 11 (1977) 273-294:
pleasure is taken for valence, dominance is left out; neutral is the origin of their scales. People rated English words
there, not faces, and the sum was not validated against ratings of faces: hence "experimental". For contempt we could
verify no coordinates, so its probability is left out and the others are scaled up for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from videmo.errors import UsageError

VALENCE_AROUSAL: Final[Mapping[str, tuple[float, float]]] = {
    "neutral": (0.0, 0.0),
    "happiness": (0.81, 0.51),
    "surprise": (0.40, 0.67),
    "sadness": (-0.63, -0.27),
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
}
"""Valence and arousal of each label, -1..1 (Russell and Mehrabian 1977)."""

AFFECT: Final = ("expressiveness", "valence_experimental", "arousal_experimental")
"""The columns of `derive_affect`."""

_LEAST_PROBABILITY = 0.5


def derive_affect(rows: pd.DataFrame, labels: Sequence[str], *, suffix: str = "") -> pd.DataFrame:
    """Return what the probabilities of each row add up to.

    Args:
        rows: a table with a column per label: faces, series, or epochs.
        labels: the labels of the preset.
        suffix: what follows each label in the names of the columns, for instance "_smoothed".

    Returns:
        With the index of `rows`: `expressiveness` (1 - neutral, 0..1), `valence_experimental` and
        `arousal_experimental` (-1..1; NaN where more than half of the probability is on labels without coordinates).

    Raises:
        UsageError: a column is missing, or the labels have no neutral.

    Example:
        >>> derive_affect(pd.DataFrame({"neutral": [0.5], "happiness": [0.5]}), ["neutral", "happiness"]).round(3)
           expressiveness  valence_experimental  arousal_experimental
        0             0.5                 0.405                 0.255
    """
    placed = [label for label in labels if label in VALENCE_AROUSAL]
    missing = [f"{label}{suffix}" for label in (*placed, "neutral") if f"{label}{suffix}" not in rows]
    if missing:
        raise UsageError(
            f"no column {', '.join(dict.fromkeys(missing))} in the table: valence and arousal need all labels"
        )
    probabilities = rows[[f"{label}{suffix}" for label in placed]].to_numpy(np.float64)
    total = probabilities.sum(axis=1)
    weights = probabilities / np.where(total >= _LEAST_PROBABILITY, total, np.nan)[:, None]
    valence, arousal = (weights @ np.array([VALENCE_AROUSAL[label] for label in placed])).T
    expressiveness = 1 - rows[f"neutral{suffix}"].astype(float)
    return pd.DataFrame(dict(zip(AFFECT, (expressiveness, valence, arousal), strict=True)), rows.index)


def signals_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the signals there are for the labels of a preset: they themselves and, with a neutral, what is derived."""
    return (*labels, *(AFFECT if "neutral" in labels else ()))


def choose_signals(labels: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the signals named, all where none is; raises UsageError for a name that is none of them."""
    there = signals_of(labels)
    unknown = [name for name in names if name not in there]
    if unknown:
        raise UsageError(f"signal {', '.join(unknown)}: this run has {', '.join(there)}")
    return tuple(dict.fromkeys(names)) or there

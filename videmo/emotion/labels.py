"""The expression labels of the two public label sets, in the order that every column, head and preset uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EMOTIONS: Final = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
"""The eight labels of FER+ (Barsoum et al., 2016), in the order of its vote columns."""

FER2013_EMOTIONS: Final = EMOTIONS[:7]
"""The seven labels of FER2013 (Goodfellow et al., 2013): the same without contempt."""

LABEL_NAMES: Final[Mapping[str, str]] = {name: name for name in EMOTIONS} | {
    "happy": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
}
"""Labels by the names they go by, in lower case: ours, and those of the folders that Kaggle gives out."""

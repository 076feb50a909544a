"""The colours of the expressions: one set for the annotated video, the charts and whatever comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from videmo.datatypes import UInt8Array

# Okabe and Ito, "Color Universal Design" (2008): distinct for every common kind of colour vision.
_OKABE_ITO: Final = {
    "neutral": (187, 187, 187),
    "happiness": (230, 159, 0),
    "surprise": (86, 180, 233),
    "sadness": (0, 114, 178),
    "anger": (213, 94, 0),
    "disgust": (0, 158, 115),
    "fear": (204, 121, 167),
    "contempt": (240, 228, 66),
}
# Paul Tol, "Colour Schemes" (2021), the muted scheme: for labels that are not among the eight.
_TOL_MUTED: Final = (
    (51, 34, 136),
    (136, 204, 238),
    (68, 170, 153),
    (17, 119, 51),
    (153, 153, 51),
    (221, 204, 119),
    (204, 102, 119),
    (136, 34, 85),
    (170, 68, 153),
)


def expression_colours(labels: Sequence[str]) -> UInt8Array:
    """Return a colour for each label: (E, 3) RGB uint8, the same for a label wherever it appears among the eight.

    Example:
        >>> expression_colours(["happiness", "boredom"]).tolist()
        [[230, 159, 0], [51, 34, 136]]
    """
    strangers = [label for label in labels if label not in _OKABE_ITO]
    extra = {label: _TOL_MUTED[i % len(_TOL_MUTED)] for i, label in enumerate(strangers)}
    return np.array([_OKABE_ITO.get(label) or extra[label] for label in labels], np.uint8).reshape(-1, 3)

from __future__ import annotations

import numpy as np

from videmo.emotion.labels import EMOTIONS
from videmo.palette import expression_colours

# Viénot, Brettel and Mollon (1999): linear RGB as seen without the long-wave (protan) or medium-wave (deutan) cones.
PROTAN = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTAN = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])


def test_every_label_has_its_own_colour_for_common_kinds_of_colour_vision() -> None:
    linear = (expression_colours(EMOTIONS) / 255) ** 2.2
    for seen in (np.eye(3), PROTAN, DEUTAN):
        colours = (linear @ seen.T).clip(0, 1) ** (1 / 2.2) * 255
        distances = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
        assert distances[~np.eye(len(EMOTIONS), dtype=bool)].min() > 20


def test_colours_do_not_depend_on_the_other_labels() -> None:
    assert (expression_colours(["fear"])[0] == expression_colours(EMOTIONS)[6]).all()
    unknown = expression_colours(["boredom", "anger", "interest"])
    assert len(np.unique(unknown, axis=0)) == 3

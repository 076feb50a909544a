"""A hint whether something covers part of a face: a mask, a cup, a microphone, dark glasses, hair.

It sees what faces lack and what they have too much of, in cells of 8 px, and does not know what it looks at. Measured
by `tests/benchmarks/occlusion_hint.py` with painted covers on 15 to 50 % of the face: they are told from uncovered
faces with an AUC of 0.98 in portraits, 0.95 in clips, 0.93 on FER2013 test faces and 0.91 in photographs. Masks, cups
and microphones are easy (0.98 and more), then bars over the eyes and hair (0.96 and more); hands (0.81 to 0.98) and
fingers or arms (0.73 to 0.92) are not.

Real hands are harder than painted ones: in two clips where a hand is before the face (25 frames that are usable
otherwise, by eye), 2 frames exceed 0.8 and none 0.95. Real sunglasses are among the highest values in photographs, but
so are uncovered faces with beards in poor light, babies and blurred faces. Values stay with a person for a whole clip.
So there is no limit by default: it would miss hands and could exclude somebody altogether. With 0.95, 0 to 2.7 % of the
uncovered faces are excluded (2.7 % in photographs, three in eight of them with something before the face), and 73 to 82
% of the masks, 80 to 92 % of the cups and microphones, 55 to 72 % of the bars over the eyes, 32 to 52 % of hair over an
eye, 5 to 14 % of the hands, 0 to 7 % of fingers or arms.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from videmo.datatypes import Float32Array, UInt8Array
from videmo.quality import SIDE_PX, stack_crops

_CELL_PX: Final = 8
_CELLS: Final = 4
_START: Final = (SIDE_PX - _CELLS * _CELL_PX) // 2
_END: Final = SIDE_PX - _START
_COLUMN_OF_PIXEL: Final = np.repeat(np.eye(_CELLS, dtype=np.float32), _CELL_PX, axis=0)

WEIGHTS: Final = np.array(
    [
        *(-0.33, -0.01, 0.02, 0.46, -1.16, -1.27, 0.42, 0.41),  # luma: rows from brows to mouth, outer and inner cells
        *(0.23, 0.17, 0.14, 0.37, 0.3, -0.45, 0.21, -0.6),  # level edges
        *(0.06, 0.48, 0.57, 2.2, 1.28, 1.28, -0.02, 1.02),  # luma, squared
        *(0.15, -0.07, 0.3, 0.09, -0.11, -0.19, -0.06, 0.35),  # level edges, squared
        *(0.07, 0.46, -0.17, 0.44, -0.1, -0.58, -0.02, -0.4),  # luma, difference of left and right
        *(0.5, 0.17, 0.55, 0.57, 0.31, 0.46, -0.14, 0.85),  # level edges, difference of left and right
    ]
)
"""Of `occlusion_features`, fitted by `tests/benchmarks/occlusion_hint.py`."""
BIAS: Final = -2.01


def measure_occlusion(crops: UInt8Array) -> Float32Array:
    """Return for each gray crop (n, S, S, 1) how likely something covers part of the face (n,), 0..1.

    A logistic regression; 0.5 is where covered and uncovered faces are equally likely if there are as many of both,
    which no video has. A row does not depend on the others.

    Example:
        >>> measure_occlusion(np.zeros((0, 48, 48, 1), np.uint8)).shape
        (0,)
    """
    logits = np.einsum("nk,k->n", occlusion_features(crops), WEIGHTS) + BIAS
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def occlusion_features(crops: UInt8Array) -> NDArray[np.float64]:
    """Return 48 features (n, 48) of gray crops (n, S, S, 1): where the face is bright, and where it has level edges.

    The middle two thirds at 48 px are 4 x 4 cells. Of each cell count the mean luma, about the face's mean and in its
    standard deviations, and the logarithm of the energy of vertical differences (brows, lids, nostrils and lips are
    level edges) over the face's variance. Of both the mean over a cell and its mirror image, its square, and how far
    the two are apart: 3 x 2 x 4 x 2 numbers.
    """
    count = len(crops)
    if not count:
        return np.zeros((0, WEIGHTS.size))
    squares = stack_crops(crops).reshape(count, SIDE_PX, SIDE_PX)
    pixels: Float32Array = squares[:, _START - 1 : _END + 1, _START:_END].astype(np.float32)
    middles, rises = pixels[:, 1:-1], pixels[:, 2:] - pixels[:, :-2]
    luma, power, energy = (_cell_means(values) for values in (middles, middles * middles, rises * rises))
    means = luma.mean(axis=(1, 2), keepdims=True)
    variances = (power.mean(axis=(1, 2), keepdims=True) - means**2).clip(0) + 1
    maps = np.stack([(luma - means) / np.sqrt(variances), np.log(energy / variances + 0.02)], axis=1)
    left, right = maps[..., : _CELLS // 2], maps[..., : _CELLS // 2 - 1 : -1]
    both = (left + right) / 2
    return np.stack([both, both * both, np.abs(left - right)], axis=1).reshape(count, -1)


def _cell_means(values: Float32Array) -> NDArray[np.float64]:
    """Return the means (n, 4, 4) of the cells of squares (n, 32, 32)."""
    # Whole numbers whose sums float32 holds exactly: the order, and so the size of the batch, does not matter.
    side_px = _CELLS * _CELL_PX
    rows = np.einsum("nrpx->nrx", values.reshape(-1, _CELLS, _CELL_PX, side_px))
    return np.asarray((rows @ _COLUMN_OF_PIXEL) / _CELL_PX**2, np.float64)

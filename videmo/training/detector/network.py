"""A single-stage, anchor-free face network: a plain 3x3 trunk, a feature pyramid, one head shared by its levels.

Written with backend-neutral Keras layers and operations only. Sources: feature pyramid (Lin et al., 2017), shared head
over strides and boxes relative to cells without anchors (FCOS, Tian et al., 2019; YOLOX, Ge et al., 2021).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import keras
from keras import layers, ops

from videmo.errors import UsageError

STRIDES: Final = (8, 16, 32, 64)
"""Side in px of the cells of each level; every cell proposes one face."""

SIDE_MULTIPLE_PX: Final = 32
"""Both sides of the input are multiples of this."""

BLANK: Final = 128
"""The value of padding: zero inside the network, as the padding of its convolutions."""

COLUMNS: Final = 15
"""Of each cell: score logit, box x1 y1 x2 y2 px, five landmarks x y px."""


class Size(NamedTuple):
    """Channels in each stage of a network's trunk, residual blocks in each, channels of its pyramid and its head."""

    stages: tuple[int, ...]
    blocks: tuple[int, ...]
    pyramid: int
    head: int


SIZES: Final[dict[str, Size]] = {
    "full": Size((16, 32, 64, 64, 64), (0, 1, 2, 3, 3), 64, 64),
    "slim": Size((16, 24, 48, 64, 64), (0, 1, 2, 3, 3), 64, 48),
}
"""Slim saves channels where the pictures are still large: three quarters of the cost, eight tenths of the weights."""

HEAD_DEPTH: Final = 2
_RARE_FACE_LOGIT: Final = -4.6
"""Start of the score, log(0.01 / 0.99), so that the many empty cells do not flood the first steps (RetinaNet, 2017)."""
_TYPICAL_LOG_SIDE: Final = 1.0
"""Start of the log of a box's side in strides."""
_LARGEST_LOG_SIDE: Final = 4.0


def build_network(size: str = "full", *, dtype: str = "float32") -> keras.Model:
    """Builds the network that training fits.

    Args:
        size: A name in `SIZES`.
        dtype: Keras dtype policy of the trunk, e.g. "float32" or "mixed_bfloat16"; outputs are always float32.

    Returns:
        A model from RGB pictures (n, height, width, 3), values 0..255, both sides multiples of 32 px, to float32
        (n, cells, 18): the 15 `COLUMNS` of each cell, then its centre x, y and its stride in px. Cells go by level,
        finest first, then by row.

    Raises:
        UsageError: No size is called `size`.

    Example:
        >>> tuple(build_network()(np.zeros((1, 64, 96, 3), np.float32)).shape[1:])
        (128, 18)
    """
    if size not in SIZES:
        raise UsageError(f"unknown size {size!r}: known are {', '.join(SIZES)}")
    widths = SIZES[size]
    pictures = keras.Input((None, None, 3), name="pictures")
    # Values of `BLANK` become zero.
    x = layers.Rescaling(1 / 64, offset=-BLANK / 64, dtype=dtype, name="rescale")(pictures)
    stages = []
    for stage, (width, blocks) in enumerate(zip(widths.stages, widths.blocks, strict=True)):
        x = _convolve(x, width, stride=2, name=f"stage{stage}_down", dtype=dtype)
        for block in range(blocks):
            x = _residual(x, width, name=f"stage{stage}_block{block}", dtype=dtype)
        stages.append(x)
    levels = _pyramid(stages[2:], widths.pyramid, dtype)
    return keras.Model(pictures, _head(levels, widths.head, dtype), name="faces_fpn")


def export_network(trained: keras.Model, size: str = "full") -> keras.Model:
    """Returns a float32 model with the weights of `trained`, from pictures to (n, cells, 15) as in `COLUMNS`."""
    network = build_network(size)
    network.set_weights(trained.get_weights())
    return keras.Model(network.inputs, network.outputs[0][:, :, :COLUMNS], name=network.name)


def _convolve(x: keras.KerasTensor, width: int, *, name: str, dtype: str, stride: int = 1) -> keras.KerasTensor:
    return layers.Activation("relu", name=f"{name}_relu", dtype=dtype)(_normalised(x, width, stride, 3, name, dtype))


def _normalised(x: keras.KerasTensor, width: int, stride: int, kernel: int, name: str, dtype: str) -> keras.KerasTensor:
    convolution = layers.Conv2D(
        width, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name,
        dtype=dtype,
    )  # fmt: skip
    return layers.BatchNormalization(momentum=0.97, epsilon=1e-4, name=f"{name}_norm", dtype=dtype)(convolution(x))


def _residual(x: keras.KerasTensor, width: int, *, name: str, dtype: str) -> keras.KerasTensor:
    """One 3x3 convolution beside a shortcut (He et al., 2016)."""
    return layers.Add(name=f"{name}_add", dtype=dtype)([x, _convolve(x, width, name=name, dtype=dtype)])


def _pyramid(stages: list[keras.KerasTensor], width: int, dtype: str) -> list[keras.KerasTensor]:
    """Returns one map for each of `STRIDES`, coarse context added to fine detail."""
    coarse = layers.MaxPooling2D(2, padding="same", name="pyramid64_pool", dtype=dtype)(stages[-1])
    levels = [_convolve(coarse, width, name="pyramid64", dtype=dtype)]
    above = None
    for stride, stage in zip(reversed(STRIDES[:-1]), reversed(stages), strict=True):
        lateral = _normalised(stage, width, 1, 1, f"pyramid{stride}", dtype)
        if above is not None:
            raised = layers.UpSampling2D(2, name=f"pyramid{stride}_raise", dtype=dtype)(above)
            lateral = layers.Add(name=f"pyramid{stride}_add", dtype=dtype)([lateral, raised])
        above = layers.Activation("relu", name=f"pyramid{stride}_relu", dtype=dtype)(lateral)
        levels.insert(0, above)
    # The coarsest level was put first and has been pushed to the end.
    return levels


def _head(levels: list[keras.KerasTensor], width: int, dtype: str) -> keras.KerasTensor:
    """Applies one head to every level and returns what its cells say, in px."""
    convolutions = [
        layers.Conv2D(
            width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"head{depth}",
            dtype=dtype,
        )
        for depth in range(HEAD_DEPTH)
    ]  # fmt: skip
    score = layers.Conv2D(
        1, 1, bias_initializer=keras.initializers.Constant(_RARE_FACE_LOGIT), name="score", dtype="float32"
    )
    centre = layers.Conv2D(2, 1, name="centre", dtype="float32")
    side = layers.Conv2D(
        2, 1, bias_initializer=keras.initializers.Constant(_TYPICAL_LOG_SIDE), name="side", dtype="float32"
    )
    landmarks = layers.Conv2D(10, 1, name="landmarks", dtype="float32")
    rows = []
    for stride, x in zip(STRIDES, levels, strict=True):
        for depth, convolution in enumerate(convolutions):
            # Statistics differ from level to level, so each has its own normalisation (RTMDet, Lyu et al., 2022).
            norm = layers.BatchNormalization(momentum=0.97, epsilon=1e-4, name=f"head{depth}_norm{stride}", dtype=dtype)
            x = layers.Activation("relu", name=f"head{depth}_relu{stride}", dtype=dtype)(norm(convolution(x)))
        rows.append(_in_px(score(x), centre(x), side(x), landmarks(x), stride))
    return ops.concatenate(rows, axis=1)


def _in_px(
    score: keras.KerasTensor,
    centre: keras.KerasTensor,
    side: keras.KerasTensor,
    landmarks: keras.KerasTensor,
    stride: int,
) -> keras.KerasTensor:
    """Returns (n, cells, 18) of one level: everything is relative to the centre of the cell, in strides."""
    ones = ops.ones_like(score)
    cells = stride * (ops.concatenate([ops.cumsum(ones, axis=2), ops.cumsum(ones, axis=1)], axis=-1) - 0.5)
    middle = cells + stride * centre
    half = 0.5 * stride * ops.exp(ops.minimum(side, _LARGEST_LOG_SIDE))
    points = ops.concatenate([cells] * 5, axis=-1) + stride * landmarks
    row = ops.concatenate([score, middle - half, middle + half, points, cells, stride * ones], axis=-1)
    return layers.Reshape((-1, COLUMNS + 3), name=f"cells{stride}")(row)

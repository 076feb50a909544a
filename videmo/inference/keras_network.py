"""Keras, on TensorFlow by default: the reference that every other runtime must agree with, the one that uses GPUs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from videmo.inference.archive import unreadable
from videmo.inference.base import padded_batches
from videmo.inference.keras_archive import check_archive


class KerasNetwork:
    """Weights loaded in Keras' safe mode (no code is run from the file) and called in few batch sizes.

    Implements `videmo.inference.base.Network`.
    """

    def __init__(self, weights: Path, *, batch_size: int) -> None:
        self._batch_size = batch_size
        self._model = load_model(weights)
        self._predict = _one_graph(self._model)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input row."""
        return tuple(self._model.input_shape[1:])

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of one output row."""
        return tuple(self._model.output_shape[1:])

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the model's float32 output (n, ...) for rows (n, ...)."""
        parts = [
            np.asarray(self._predict(batch.astype(np.float32, copy=False)), np.float32)[:count]
            for batch, count in padded_batches(rows, self._batch_size)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _one_graph(model: Any) -> Callable[[NDArray[np.float32]], Any]:
    """Return the model as a function on batches; on TensorFlow, of one graph for all sizes.

    `predict_on_batch` makes a graph for the size that comes first and another for all later ones, and the two round
    differently: boxes moved by some 1e-4 px with the order in which the videos of a run happened to start.
    """
    import keras

    if keras.config.backend() != "tensorflow":
        return cast(Callable[[NDArray[np.float32]], Any], model.predict_on_batch)
    import tensorflow as tf

    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
    return cast(
        Callable[[NDArray[np.float32]], Any],
        # AutoGraph would write its Python into a temporary file, and there is nothing for it to rewrite.
        tf.function(lambda rows: model(rows, training=False), input_signature=[signature], autograph=False),
    )


def load_model(weights: Path) -> Any:
    """Return the Keras model in a .keras file; no code in it is run, see `keras_archive`.

    Raises:
        PresetError: it cannot be loaded, or holds more than layers and arrays.
    """
    check_archive(weights)
    import keras

    try:
        return keras.saving.load_model(weights, compile=False, safe_mode=True)
    except Exception as error:  # of any kind: damage shows wherever Keras or its backend first stumbles over it
        raise unreadable(weights, error) from error

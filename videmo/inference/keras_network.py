"""Keras on TensorFlow: the reference that every other runtime must agree with, and the one that uses GPUs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from videmo.errors import UsageError
from videmo.inference.archive import unreadable
from videmo.inference.base import padded_batches
from videmo.inference.keras_archive import check_archive
from videmo.settings import Device


def set_up_device(device: Device) -> Literal["cpu", "gpu"]:
    """Set TensorFlow up for `device` and return "cpu" or "gpu"; memory grows with need, never the whole card.

    Raises UsageError when a GPU is demanded and none is visible, or the devices were already taken otherwise.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _quiet_stderr():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")  # it warns of every new picture size that a function is traced for
    if device == "gpu" and not gpus:
        raise UsageError("--device gpu: TensorFlow sees no GPU: use --device cpu, or see `videmo doctor`")
    try:
        if device == "cpu" and gpus:
            tf.config.set_visible_devices([], "GPU")
        for gpu in gpus if device != "cpu" else []:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise UsageError(f"--device {device}: TensorFlow is already running otherwise: {error}") from error
    return "gpu" if gpus and device != "cpu" else "cpu"


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what native code writes to stderr; shown only if the block fails.

    TensorFlow tells of oneDNN and missing CUDA drivers before any of its log levels holds.
    """
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(shown, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


class KerasNetwork:
    """Weights loaded in Keras' safe mode (no code is run from the file) and called in few batch sizes.

    Implements `videmo.inference.base.Network`.
    """

    def __init__(self, weights: Path, *, batch_size: int) -> None:
        self._batch_size = batch_size
        self._model = load_model(weights)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input row."""
        return tuple(self._model.input_shape[1:])

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the model's float32 output (n, ...) for rows (n, ...)."""
        # TensorFlow would trace each type of input anew.
        parts = [
            np.asarray(self._model.predict_on_batch(batch.astype(np.float32, copy=False)), np.float32)[:count]
            for batch, count in padded_batches(rows, self._batch_size)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


def load_model(weights: Path) -> Any:
    """Return the Keras model in a .keras file; no code in it is run, see `keras_archive`.

    Raises:
        PresetError: it cannot be loaded, or holds more than layers and arrays.
    """
    check_archive(weights)
    import keras

    try:
        return keras.saving.load_model(weights, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise unreadable(weights, error) from error

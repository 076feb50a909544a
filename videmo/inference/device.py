"""The device that Keras computes on, whichever of its backends is chosen: TensorFlow, JAX or PyTorch."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from videmo.errors import UsageError
from videmo.settings import Device


def set_up_device(device: Device) -> Literal["cpu", "gpu"]:
    """Set Keras' backend up for `device` and return "cpu" or "gpu"; memory grows with need, never the whole card.

    The backend is TensorFlow unless the variable KERAS_BACKEND says jax or torch.

    Raises:
        UsageError: A GPU is demanded and none is visible, or the devices were already taken otherwise.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    with _quiet_stderr():
        import keras

        backend = keras.config.backend()
        has_gpu = _set_up_tensorflow(device) if backend == "tensorflow" else _sees_gpu(backend)
    if device == "gpu" and not has_gpu:
        raise UsageError(f"--device gpu: {backend} sees no GPU: use --device cpu, or see `videmo doctor`")
    if device == "cpu" and has_gpu and backend != "tensorflow":
        raise UsageError(f"--device cpu: {backend} has taken the GPU: set CUDA_VISIBLE_DEVICES to nothing before")
    return "gpu" if has_gpu and device != "cpu" else "cpu"


def _set_up_tensorflow(device: Device) -> bool:
    """Return whether there is a GPU; it is hidden from TensorFlow where the CPU shall compute."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")  # it warns of every new picture size that a function is traced for
    try:
        if device == "cpu" and gpus:
            tf.config.set_visible_devices([], "GPU")
        for gpu in gpus if device != "cpu" else []:
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise UsageError(f"--device {device}: TensorFlow is already running otherwise: {error}") from error
    return bool(gpus)


def _sees_gpu(backend: str) -> bool:
    if backend == "jax":
        import jax

        return any(device.platform != "cpu" for device in jax.devices())
    import torch

    return bool(torch.cuda.is_available())


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

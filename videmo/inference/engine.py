"""Which library runs the networks of a run, and on what: the fastest that is there, unless the user names one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Literal

from videmo.errors import UsageError
from videmo.inference.base import Network
from videmo.presets import Preset
from videmo.settings import Device, Runtime


@dataclass(frozen=True, slots=True)
class Engine:
    """A runtime on a device. `strict`: the user asked for this runtime, so no other may stand in for it."""

    runtime: Literal["keras", "openvino"]
    device: Literal["cpu", "gpu"]
    strict: bool = False

    def load(self, preset: Preset, *, batch_size: int) -> Network:
        """Return the network of a preset, called with at most `batch_size` rows at a time.

        Presets without an OpenVINO model (see `videmo models export`) run on Keras, unless OpenVINO was asked for.

        Raises:
            PresetError: The preset's files are missing, damaged or not what this runtime needs.
        """
        if self.runtime == "openvino" and (self.strict or preset.has_openvino):
            from videmo.inference.openvino_network import OpenVinoNetwork

            return OpenVinoNetwork(preset.check_openvino(), batch_size=batch_size)
        weights = preset.check_weights()  # a damaged file is told before TensorFlow has taken its seconds
        from videmo.inference.device import set_up_device
        from videmo.inference.keras_network import KerasNetwork

        set_up_device(self.device)
        return KerasNetwork(weights, batch_size=batch_size)


def choose_engine(device: Device, runtime: Runtime = "auto") -> Engine:
    """Return what to run networks with.

    `auto` takes Keras on a GPU that TensorFlow sees, else OpenVINO on the CPU, which is about twice as fast there as
    TensorFlow and starts without it. TensorFlow is not imported unless there is a sign of a GPU.

    Raises:
        UsageError: A GPU is demanded and none is visible, or of a runtime that has none.
    """
    if runtime == "openvino" and device == "gpu":
        raise UsageError("--runtime openvino runs on the CPU: leave --device gpu out, or use --runtime keras")
    if runtime == "openvino" or (runtime == "auto" and not _wants_gpu(device)):
        return Engine("openvino", "cpu", strict=runtime == "openvino")
    from videmo.inference.device import set_up_device

    found = set_up_device(device)
    return Engine("openvino" if runtime == "auto" and found == "cpu" else "keras", found)


def computes_bfloat16(device: Device = "auto") -> bool:
    """Returns whether half as many bits are faster here: on a GPU, and on processors with instructions for bfloat16.

    On the others every product is converted there and back: a training took ten times as long as in float32.
    """
    if _wants_gpu(device):
        return True
    from videmo.inference.openvino_network import import_openvino

    return "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _wants_gpu(device: Device) -> bool:
    return device == "gpu" or (device == "auto" and shutil.which("nvidia-smi") is not None)

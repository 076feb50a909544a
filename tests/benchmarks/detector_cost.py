"""What finding faces costs: milliseconds a picture of our network by runtime, and of YuNet, alternating in one run.

    python tests/benchmarks/detector_cost.py ../shared/reference/face_detection_yunet_2023mar.onnx

Pictures are noise, which costs what any picture does; each figure is the median of the rounds. Wants an idle machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from videmo.detection.neural import PRESET
from videmo.detection.yunet import YuNetDetector
from videmo.inference import Engine
from videmo.presets import find_preset
from videmo.training.tables import format_table

BATCH = 8
SIZES = ((192, 320), (288, 480), (384, 640))
ROUNDS, REPEATS = 15, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("yunet", type=Path, help="face_detection_yunet_2023mar.onnx")
    cv2.setNumThreads(2)
    yunet = YuNetDetector(parser.parse_args().yunet)
    preset = find_preset(PRESET, "detection")
    networks = {
        f"{PRESET} on Keras": Engine("keras", "cpu").load(preset, batch_size=BATCH),
        f"{PRESET} on OpenVINO": Engine("openvino", "cpu").load(preset, batch_size=BATCH),
    }
    rows: dict[str, list[float]] = {name: [] for name in [*networks, "YuNet on OpenCV"]}
    for height_px, width_px in SIZES:
        pictures = np.random.default_rng(0).integers(0, 256, (BATCH, height_px, width_px, 3), np.uint8)
        calls = {name: partial(network, pictures) for name, network in networks.items()}
        calls["YuNet on OpenCV"] = partial(yunet.detect, list(pictures))
        for name, ms in _measure(calls).items():
            rows[name].append(ms)
    header = ["ms a picture, batches of 8", *(f"{width_px}x{height_px}" for height_px, width_px in SIZES)]
    print(format_table(header, [[name, *figures] for name, figures in rows.items()]))


def _measure(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    for call in calls.values():
        call()
    times_s: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started_s = time.perf_counter()
            for _ in range(REPEATS):
                call()
            times_s[name].append((time.perf_counter() - started_s) / (REPEATS * BATCH))
    return {name: 1e3 * float(np.median(times)) for name, times in times_s.items()}


if __name__ == "__main__":
    main()

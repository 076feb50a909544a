"""What the architectures cost and what they learn: one table.

    python tests/benchmarks/architectures.py                                   # parameters, MACs, time
    python tests/benchmarks/architectures.py --minutes 20 ../shared/data/ferplus.zip   # and the same short training

Time is the median of rounds that alternate between the networks, with untrained weights, which cost the same. Wants an
idle machine. With --minutes each one is trained for as long, with its standard recipe.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from videmo.emotion.labels import EMOTIONS
from videmo.inference import Engine, Network
from videmo.inference.device import set_up_device
from videmo.training.card import write_model
from videmo.training.emotion.architectures import ARCHITECTURES
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.fit import Training
from videmo.training.emotion.network import HEADS, build_network, export_head
from videmo.training.emotion.recipe import Recipe, standard_recipe
from videmo.training.tables import format_table

BATCHES = (1, 32)
RUNTIMES = ("keras", "openvino")
ROUNDS, FACES_PER_ROUND = 15, 64
SCORES = ("ferplus_accuracy", "ferplus_balanced_accuracy", "fer2013_accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="labelled faces, for --minutes")
    parser.add_argument("--minutes", type=float, help="train each one for as long")
    parser.add_argument("--side", type=int, default=48, help="side of the faces in pixels")
    parser.add_argument("--width", type=float, default=1.0, help="multiplier of the channels")
    parser.add_argument("--work", type=Path, default=Path(".work"), help="folder for decoded pictures and checkpoints")
    options = parser.parse_args()
    if options.minutes and not options.data:
        parser.error("--minutes needs labelled faces")
    set_up_device("cpu")
    size = {"width": options.width, "minutes": options.minutes}
    recipes = {arch: replace(standard_recipe(arch), **size) for arch in ARCHITECTURES}
    with tempfile.TemporaryDirectory() as scratch:
        models = {arch: build(recipe, options.side) for arch, recipe in recipes.items()}
        times = measure_times({arch: load(model, Path(scratch, arch)) for arch, model in models.items()}, options.side)
    scores = learn(recipes, options.data, options.work) if options.minutes else {}
    columns = [f"{runtime}, batch {batch}" for runtime in RUNTIMES for batch in BATCHES]
    rows = [
        [arch, f"{model.count_params():,}", f"{count_macs(model) / 1e6:.1f}", *times[arch], *scores.get(arch, [])]
        for arch, model in models.items()
    ]
    header = ["network", "parameters", "million MACs", *(f"ms a face, {name}" for name in columns)]
    print(f"{options.side} px, width {options.width}\n")
    print(format_table([*header, *(SCORES if scores else ())], rows))


def build(recipe: Recipe, side_px: int) -> keras.Model:
    network = build_network(recipe.arch, {head: len(labels) for head, labels in HEADS.items()}, recipe.design())
    return export_head(network, recipe.arch, "ferplus", recipe.design(), side_px=side_px)


def count_macs(model: keras.Model) -> int:
    """Multiplications of one face: each kernel counts once for every position it is put to."""
    kernels = {layer: sum(int(np.prod(w.shape)) for w in layer.weights if len(w.shape) > 1) for layer in model.layers}
    return sum(size * int(np.prod(layer.output.shape[1:-1])) for layer, size in kernels.items() if size)


def load(model: keras.Model, folder: Path) -> dict[tuple[str, int], Network]:
    preset = write_model(model, folder, labels=EMOTIONS, temperature=1.0)
    return {
        (runtime, batch): Engine(runtime, "cpu", strict=True).load(preset, batch_size=batch)
        for runtime in RUNTIMES
        for batch in BATCHES
    }


def measure_times(networks: Mapping[str, dict[tuple[str, int], Network]], side_px: int) -> dict[str, list[float]]:
    """Returns milliseconds a face for each network, in the order of runtimes and batches."""
    faces = np.random.default_rng(0).integers(0, 256, (FACES_PER_ROUND, side_px, side_px, 1), np.uint8)
    seconds: dict[str, list[list[float]]] = {arch: [] for arch in networks}
    for _ in range(ROUNDS + 1):  # the first one traces and compiles
        for arch, calls in networks.items():
            seconds[arch].append([_time(call, faces) for call in calls.values()])
    return {arch: (np.median(rounds[1:], axis=0) / len(faces) * 1e3).tolist() for arch, rounds in seconds.items()}


def _time(network: Network, faces: Any) -> float:
    started_s = time.perf_counter()
    network(faces)
    return time.perf_counter() - started_s


def learn(recipes: Mapping[str, Recipe], data: Path, work: Path) -> dict[str, list[float]]:
    """Trains each network anew and returns the validation scores of its best epoch."""
    scores = {}
    for arch, recipe in recipes.items():
        splits = read_faces(data, work=work, side_px=recipe.side_px)
        training = Training(recipe, training_faces(splits), splits["valid"], work / "architectures" / arch)
        training.run(lambda row, arch=arch: print(arch, row, flush=True))
        best = max(training.history, key=lambda row: row["score"])
        scores[arch] = [best[name] for name in SCORES]
    return scores


if __name__ == "__main__":
    main()

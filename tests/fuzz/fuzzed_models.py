"""Targets: what lies in the folder of a model. Its config, and damaged weights whose hash is right all the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
from fuzz.target import Target

from videmo.detection import neural
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.inference.engine import Engine
from videmo.inference.openvino_export import ARCHIVE, write_archive
from videmo.inference.openvino_network import GRAPH, VALUES
from videmo.presets import find_preset, read_preset

SIDE_PX = 8
LABELS = ["neutral", "happiness"]
WEIGHTS = "model.keras"
CONFIG: dict[str, Any] = {
    "schema": 1,
    "name": "mine",
    "task": "emotion",
    "labels": LABELS,
    "input": {"height_px": SIDE_PX, "width_px": SIDE_PX, "channels": 1, "dtype": "uint8", "range": [0, 255]},
    "output": "logits",
    "temperature": 1.25,
    "weights": {"file": WEIGHTS, "sha256": "0" * 64, "bytes": 7},
    "openvino": {"file": ARCHIVE, "sha256": "0" * 64, "bytes": 7},
}
DETECTOR = CONFIG | {"task": "detection", "labels": ["face"], "min_score": 0.5, "nms_iou": 0.5}
DETECTOR["input"] = {"long_side_px": 480, "multiple_px": 32, "padding": 128}


class Answers:
    """Stands in for the network of a preset, so that its config alone is judged; it answers with zeros."""

    runtime = "openvino"

    def __init__(self, input_shape: tuple[int | None, ...], output_shape: tuple[int | None, ...]) -> None:
        self.input_shape, self.output_shape = input_shape, output_shape

    def __call__(self, rows: Any) -> Any:
        return np.zeros((len(rows), *self.output_shape), np.float32)

    def load(self, preset: object, *, batch_size: int) -> Answers:
        return self


def read_config(path: Path) -> None:
    """Read a preset, check its files and build what runs it."""
    preset = read_preset(path.parent)
    if preset.task == "detection":
        neural.load(preset, Answers((None, None, 3), (None, 15)), batch_size=2)  # type: ignore[arg-type]
    else:
        PresetClassifier(preset, Answers((preset.side_px, preset.side_px, 1), (len(preset.labels),)), 2)
    find_preset(path.parent, preset.task)
    preset.check_weights()
    if preset.has_openvino:
        preset.check_openvino()


def read_weights(path: Path, runtime: str) -> None:
    """Load the weights of a preset whose config names the hash that they have, and run them."""
    entry = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    config = CONFIG | {"openvino" if runtime == "openvino" else "weights": entry}
    (path.parent / "config.json").write_text(json.dumps(config), encoding="utf-8")
    preset = read_preset(path.parent)
    network = Engine(runtime, "cpu", strict=True).load(preset, batch_size=2)  # type: ignore[arg-type]
    PresetClassifier(preset, network, 2).classify(np.zeros((1, SIDE_PX, SIDE_PX, 1), np.uint8))


def read_keras(path: Path) -> None:
    import keras

    read_weights(path, "keras")
    keras.backend.clear_session()


def _inside(member: str, whole: Callable[[], bytes], file: str, read: Callable[[Path], None]) -> dict[str, Any]:
    """Return what a target needs to damage one member of an archive, whose checksum is then right again."""

    def pack(path: Path) -> None:
        with ZipFile(BytesIO(whole())) as good:
            members = {name: good.read(name) for name in good.namelist()}
        write_archive(path.parent / file, members | {member: path.read_bytes()})
        read(path.parent / file)

    def seeds() -> list[bytes]:
        with ZipFile(BytesIO(whole())) as good:
            return [good.read(member)]

    return {"file": f"{member}.part", "read": pack, "seeds": seeds}


@cache
def openvino_archive() -> bytes:
    """Return an archive with a small network: the mean of a face's pixels, twice."""
    import openvino
    from openvino import opset13 as ops

    faces = ops.parameter([-1, SIDE_PX, SIDE_PX, 1], np.float32, "faces")
    means = ops.reduce_mean(faces, ops.constant([1, 2]))
    model = openvino.Model([ops.matmul(means, ops.constant(np.ones((1, 2), np.float32)), False, False)], [faces], "m")
    with TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder, GRAPH), compress_to_fp16=False)
        write_archive(Path(folder, ARCHIVE), {name: Path(folder, name).read_bytes() for name in (GRAPH, VALUES)})
        return Path(folder, ARCHIVE).read_bytes()


@cache
def keras_archive() -> bytes:
    """Return the file of a small network as Keras writes it."""
    import keras

    faces = keras.Input((SIDE_PX, SIDE_PX, 1))
    logits = keras.layers.Dense(2)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(faces)))
    with TemporaryDirectory() as folder:
        keras.Model(faces, logits).save(Path(folder, WEIGHTS))
        return Path(folder, WEIGHTS).read_bytes()


def _configs() -> list[bytes]:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    files = {part: CONFIG[part] | {"sha256": sha256} for part in ("weights", "openvino")}
    return [json.dumps(config | files).encode() for config in (CONFIG, DETECTOR)]


def _prepare(folder: Path) -> None:
    for name in (WEIGHTS, ARCHIVE):
        (folder / name).write_bytes(b"weights")


def _openvino(path: Path) -> None:
    read_weights(path, "openvino")


_JSON = ("null", "true", "{}", "[]", '""', "1e999", "-1", "NaN", "\\u0000", "\\ud800", "../", "0")
_ZIP = ("PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06")
_KERAS = (*_JSON, "class_name", "Lambda", "config", "module", "registered_name", "keras.layers", "builtins")
_XML = ("<layer", "<port", "<dim>", "</dim>", "offset=", "size=", "-1", "99999999999", "element_type=", "i4", "<edge")
TARGETS = (
    Target("preset", "config.json", read_config, _configs, _prepare, _JSON, says="preset"),
    Target("openvino-archive", ARCHIVE, _openvino, lambda: [openvino_archive()], words=_ZIP),
    Target("openvino-graph", words=_XML, **_inside(GRAPH, openvino_archive, ARCHIVE, _openvino)),
    Target("keras-archive", WEIGHTS, read_keras, lambda: [keras_archive()], words=_ZIP),
    Target("keras-config", words=_KERAS, **_inside("config.json", keras_archive, WEIGHTS, read_keras)),
    Target("keras-values", words=("HDF",), **_inside("model.weights.h5", keras_archive, WEIGHTS, read_keras)),
)

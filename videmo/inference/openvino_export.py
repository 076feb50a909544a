"""Puts a copy of a preset's Keras network beside it in the form that OpenVINO reads."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videmo.inference.openvino_int8 import quantize
from videmo.inference.openvino_network import GRAPH, VALUES, import_openvino
from videmo.presets import hash_file

ARCHIVE: Final = "openvino.zip"


def write_openvino(model: Any, folder: Path, samples: Sequence[NDArray[np.float32]] | None = None) -> dict[str, Any]:
    """Writes `ARCHIVE` with a Keras model in OpenVINO's intermediate representation.

    The values are compressed, so a model whose weights were rounded to half precision takes half the room.

    Args:
        model: A Keras model with one input and one output, on the TensorFlow backend.
        folder: The preset's folder.
        samples: Inputs to find the ranges of values on, if it shall compute in integers, see `openvino_int8.quantize`.

    Returns:
        What config.json says of it: file, sha256, bytes and precision, "int8" or "float32".

    Raises:
        ImportError: `samples` are given and NNCF is not installed.
    """
    openvino = import_openvino()
    path = folder / ARCHIVE
    with tempfile.TemporaryDirectory() as scratch:
        saved, graph = Path(scratch, "saved"), Path(scratch, GRAPH)
        model.export(saved, format="tf_saved_model", verbose=False)
        # Read as it is: `convert_model` would melt normalisation into several copies of the weights that levels share.
        network = openvino.Core().read_model(saved)
        if samples is not None:
            network = quantize(network, samples)
        openvino.save_model(network, graph, compress_to_fp16=False)
        write_archive(path, {name: Path(scratch, name).read_bytes() for name in (GRAPH, VALUES)})
    entry = {"file": path.name, "sha256": hash_file(path), "bytes": path.stat().st_size}
    return entry | {"precision": "float32" if samples is None else "int8"}


def write_archive(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Writes a zip file whose bytes depend on its members alone, not on the time.

    Args:
        path: The file.
        members: What goes in, by name.
        method: How to compress. `zipfile.ZIP_BZIP2` leaves 78 % of what deflate leaves of weights in half precision,
            but takes ten times as long to read: 0.25 s for our expression model.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method, 9)

"""Puts a copy of a preset's Keras network beside it in the form that OpenVINO reads."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from videmo.inference.openvino_network import GRAPH, VALUES
from videmo.presets import hash_file

ARCHIVE: Final = "openvino.zip"


def write_openvino(model: Any, folder: Path) -> dict[str, Any]:
    """Writes `ARCHIVE` with a Keras model in OpenVINO's intermediate representation.

    The values stay float32. They are compressed, so a model whose weights were rounded to half precision takes half the
    room.

    Args:
        model: A Keras model with one input and one output, on the TensorFlow backend.
        folder: The preset's folder.

    Returns:
        What config.json says of it: file, sha256 and bytes.
    """
    import openvino

    path = folder / ARCHIVE
    with tempfile.TemporaryDirectory() as scratch:
        saved, graph = Path(scratch, "saved"), Path(scratch, GRAPH)
        model.export(saved, format="tf_saved_model", verbose=False)
        # Read as it is: `convert_model` would melt normalisation into several copies of the weights that levels share.
        openvino.save_model(openvino.Core().read_model(saved), graph, compress_to_fp16=False)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in (GRAPH, VALUES):
                # Without the time of writing: the same network gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name), Path(scratch, name).read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return {"file": path.name, "sha256": hash_file(path), "bytes": path.stat().st_size}

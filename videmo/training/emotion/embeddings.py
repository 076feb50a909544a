"""What a network sees in a face before it names an expression: the features that its last layer is fed with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from videmo.errors import PresetError
from videmo.inference.base import padded_batches
from videmo.inference.device import set_up_device
from videmo.inference.keras_network import load_model
from videmo.output.files import replacing
from videmo.output.schema import footer
from videmo.presets import Preset
from videmo.training.emotion.faces import LabelledFaces

_BATCH: Final = 256


def write_embeddings(preset: Preset, splits: Mapping[str, LabelledFaces], path: Path) -> tuple[int, int]:
    """Writes a Parquet table with a row for each face: name, split, label and embedding, a list of d float32.

    `label` is the one label of the face, else the column with most votes. `np.stack(table["embedding"])` gives (n, d).

    Args:
        preset: An expression preset whose network ends in a Dense layer.
        splits: Faces by split, of the preset's input size.
        path: The file; its folder is made.

    Returns:
        Numbers of faces and of features, (n, d).

    Raises:
        PresetError: The weights are damaged, or the network has no Dense layer.
        OutputError: The file cannot be written.
    """
    network = build_embedder(preset)
    width = int(network.output_shape[-1])
    text = pa.string()
    schema = pa.schema(
        [("name", text), ("split", text), ("label", text), ("embedding", pa.list_(pa.float32(), width))],
        metadata=footer("embeddings", {"videmo.preset": preset.name, "videmo.preset_sha256": preset.sha256}),
    )
    with replacing(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for split, faces in splits.items():
            for piece in _embed(network, faces, split, schema):
                writer.write_batch(piece, row_group_size=1 << 16)
    return sum(map(len, splits.values())), width


def build_embedder(preset: Preset) -> keras.Model:
    """Returns the preset's network up to the input of its last Dense layer: faces (n, S, S, 1) to features (n, d).

    Raises:
        PresetError: The weights are damaged, or the network has no Dense layer.
    """
    set_up_device("auto")
    model = load_model(preset.check_weights())
    last = next((layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense)), None)
    if last is None:
        raise PresetError(f"preset {preset.name}: no Dense layer to take the features before: choose another preset")
    return keras.Model(model.inputs, last.input)


def _embed(network: keras.Model, faces: LabelledFaces, split: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    labels, width = faces.label_names(), schema.field("embedding").type.list_size
    at = 0
    for batch, count in padded_batches(faces.images[..., None], _BATCH):
        features = np.asarray(network.predict_on_batch(batch.astype(np.float32)), np.float32)[:count]
        rows = slice(at, at + count)
        columns = [
            pa.array(faces.names[rows].tolist()),
            pa.array([split] * count),
            pa.array(labels[rows].tolist()),
            pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), width),
        ]
        yield pa.record_batch(columns, schema=schema)
        at += count

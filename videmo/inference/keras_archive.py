"""What a preset's .keras file may hold: layers that only compute, and plain arrays. Checked before Keras reads it.

Keras builds whatever class config.json names. Its safe mode refuses code in Lambda layers, and was got round again and
again (CVE-2025-1550, -8747, -9906, -49655, CVE-2026-1462: functions called by name; CVE-2025-9905: old formats;
CVE-2025-12058: layers that read files; CVE-2026-1669: arrays that lie in other files). So here is named what may be.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from videmo.errors import PresetError
from videmo.inference.archive import MOST_BYTES, read_members, unreadable

_CONFIG, _ARRAYS = "config.json", "model.weights.h5"
_MEMBERS: Final = (_CONFIG, _ARRAYS, "metadata.json")


def _classes(names: str) -> frozenset[str]:
    return frozenset(names.split())


ALLOWED: Final = {
    "keras": _classes("DTypePolicy Functional Sequential"),
    "keras.initializers": _classes(
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Ones Orthogonal RandomNormal "
        "RandomUniform TruncatedNormal VarianceScaling Zeros"
    ),
    "keras.layers": _classes(
        "Activation Add Attention Average AveragePooling1D AveragePooling2D BatchNormalization Concatenate Conv1D "
        "Conv2D Conv2DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Flatten GaussianNoise "
        "GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling2D GroupNormalization InputLayer "
        "LayerNormalization LeakyReLU MaxPooling1D MaxPooling2D Maximum Minimum MultiHeadAttention Multiply "
        "Normalization PReLU Permute ReLU RepeatVector Rescaling Reshape Resizing SeparableConv2D Softmax "
        "SpatialDropout2D Subtract UnitNormalization UpSampling2D ZeroPadding2D"
    ),
    "keras.regularizers": _classes("L1 L1L2 L2"),
    "keras.src.models.functional": _classes("Functional"),
    "keras.src.ops.numpy": _classes(
        "Absolute Add Concatenate Cumsum Divide Exp GetItem Log Maximum Mean Minimum Multiply OnesLike Reshape Sqrt "
        "Square Subtract Sum Transpose ZerosLike"
    ),
}
"""Classes by module. None of them opens a file, calls a function by its name or holds code."""

_VALUES: Final = _classes("__keras_tensor__ __slice__ __tuple__")


def check_archive(path: Path) -> None:
    """Let a .keras file pass that holds nothing but layers of `ALLOWED` and arrays of its own.

    Raises:
        PresetError: it holds something else, or is damaged; nothing in it was run.
    """
    if path.suffix != ".keras":
        raise PresetError(f"{path}: weights of another format than .keras may hold code: save the model as .keras")
    config, arrays, _ = read_members(path, _MEMBERS)
    try:
        found = next((name for name in _named_classes(json.loads(config)) if name), None)
        beyond = _find_foreign(arrays)
    except (ValueError, OSError, KeyError, RuntimeError) as error:  # too deep for json: RecursionError
        raise unreadable(path, error) from error
    if found:
        raise PresetError(f"{path}: holds {found}, which is none of the layers a preset may have: build it without")
    if beyond:
        raise PresetError(f"{path}: the array {beyond} is not in the file itself: save the model again")


def _named_classes(value: Any) -> Iterator[str]:
    """Yield the classes in a config that are not allowed, wherever they stand."""
    if isinstance(value, dict):
        if "class_name" in value and not _is_allowed(value):
            yield f"{value.get('module')}.{value['class_name']}"
        for part in value.values():
            yield from _named_classes(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named_classes(part)


def _is_allowed(value: dict[str, Any]) -> bool:
    module, name = value.get("module"), value["class_name"]
    if not isinstance(name, str) or value.get("registered_name") not in (None, name):
        return False
    return name in (_VALUES if module is None else ALLOWED.get(str(module), ()))


def _find_foreign(arrays: bytes) -> str | None:
    """Return the name of what is no array, lies elsewhere or claims to be huge; None where there is none."""
    import h5py

    with h5py.File(io.BytesIO(arrays), "r") as file:
        groups, seen = [file], set()
        while groups:
            group = groups.pop()
            place = h5py.h5o.get_info(group.id).addr
            for name in () if place in seen else group:  # a group may hold itself
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    return f"{group.name}/{name}"
                item = group[name]
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif not isinstance(item, h5py.Dataset) or item.external or item.is_virtual or item.nbytes > MOST_BYTES:
                    return f"{group.name}/{name}"
            seen.add(place)
    return None

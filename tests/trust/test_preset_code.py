"""A preset from anywhere: no code in it is run, no file beyond it read, and a byte that changed is found."""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from videmo.errors import DataError, PresetError
from videmo.inference import choose_engine
from videmo.inference.archive import MOST_BYTES
from videmo.inference.keras_archive import check_archive
from videmo.inference.keras_network import load_model
from videmo.presets import Preset, find_preset, hash_file, list_presets, read_preset

pytestmark = pytest.mark.timeout(120)  # Keras is imported, networks are built

EMOTION = "ferplus-resnet-48"
ARRAYS = "model.weights.h5"


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def enter_hash(folder: Path, key: str, file: str) -> Preset:
    """Enter a file's hash in config.json, as whoever made the preset could."""
    config = json.loads((folder / "config.json").read_text())
    config[key] |= {"file": file, "sha256": hash_file(folder / file)}
    (folder / "config.json").write_text(json.dumps(config))
    return read_preset(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_preset(EMOTION, "emotion").folder, tmp_path / "mine"))


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that exists once the code of a payload was run."""
    return tmp_path / "was-run"


def code_that_makes(marker: Path) -> str:
    """Return a function as Keras keeps those of Lambda layers: it makes a file and returns its input."""
    source = f"(lambda x: (open({str(marker)!r}, 'w').close(), x)[1])"
    code = compile(source, "payload", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


def layer(module: str, name: str, /, **config: Any) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": name,
        "config": {"name": "payload", **config},
        "registered_name": None,
        "name": "payload",
        "inbound_nodes": [],
    }


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def lambda_layer(marker: Path) -> dict[str, Any]:
    held = {"class_name": "__lambda__", "config": {"code": code_that_makes(marker), "defaults": None, "closure": None}}
    return layer("keras.layers", "Lambda", function=held, arguments={})


PAYLOADS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "code in a Lambda layer": lambda_layer,
    "a function of Python called by name": lambda marker: layer(
        "keras.layers", "Lambda", function=function("os", "mkdir"), arguments={"path": str(marker)}
    ),
    "safe mode switched off": lambda _: layer(
        "keras.layers", "Lambda", function=function("keras.config", "enable_unsafe_deserialization"), arguments={}
    ),
    "a class of another module": lambda marker: layer("os", "mkdir", path=str(marker)),
    "a program": lambda marker: layer("subprocess", "Popen", args=["touch", str(marker)]),
    "a download": lambda marker: layer("keras.utils", "get_file", fname=str(marker), origin="file:///etc/hostname"),
    "another model": lambda marker: layer("keras.models", "load_model", filepath=str(marker)),
    "a saved model of TensorFlow": lambda marker: layer("keras.layers", "TFSMLayer", filepath=str(marker)),
    "a pickled module of Torch": lambda _: layer("keras.layers", "TorchModuleWrapper", module="gASVAAAA"),
    "a vocabulary in a file": lambda _: layer("keras.layers", "StringLookup", vocabulary="/etc/hostname"),
    "a class registered by somebody": lambda _: (
        layer("keras.layers", "Dense", units=1) | {"registered_name": "other>Dense"}
    ),
    "a class without a module": lambda marker: layer("", "Lambda", function=str(marker)) | {"module": None},
    "a function as an activation": lambda _: layer(
        "keras.layers", "Dense", units=1, activation=function("os", "mkdir")
    ),
    "an initializer of another module": lambda _: layer(
        "keras.layers", "Dense", units=1, kernel_initializer=layer("builtins", "exec", source="")
    ),
    "a class whose name is no text": lambda _: layer("keras.layers", "Dense") | {"class_name": ["Dense"]},
}


def put_in(folder: Path, payload: dict[str, Any]) -> Preset:
    """Put a layer into the network of a preset and enter the hash of what came of it."""
    weights = folder / "model.keras"
    members = members_of(weights)
    config = json.loads(members["config.json"])
    config["config"]["layers"].insert(1, payload)
    write_zip(weights, members | {"config.json": json.dumps(config).encode()})
    return enter_hash(folder, "weights", "model.keras")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_network_of_more_than_layers_is_refused_and_nothing_in_it_run(
    folder: Path, marker: Path, payload: str
) -> None:
    preset = put_in(folder, PAYLOADS[payload](marker))
    with pytest.raises(PresetError, match=r"model\.keras: holds .*, which is none of the layers a preset may have"):
        choose_engine("cpu", "keras").load(preset, batch_size=1)
    assert not marker.exists()


def test_the_code_would_have_been_run_without_the_check(folder: Path, marker: Path) -> None:
    import keras

    weights = put_in(folder, lambda_layer(marker)).weights
    config = json.loads(members_of(weights)["config.json"])
    held = next(part for part in config["config"]["layers"] if part["name"] == "payload")
    made = keras.saving.deserialize_keras_object(held, safe_mode=False)
    made(np.zeros((1, 2), np.float32))
    assert marker.exists()


@pytest.mark.parametrize("key", ["weights", "openvino"])
@pytest.mark.parametrize(
    "name", ["../mine/model.keras", "/etc/hostname", "..", "", "C:model.keras", "sub\\model.keras", "a\0b"]
)
def test_weights_lie_in_the_folder_of_the_preset(folder: Path, key: str, name: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    config[key]["file"] = name
    (folder / "config.json").write_text(json.dumps(config))
    preset = read_preset(folder)
    with pytest.raises(PresetError, match=r"is no file beside config\.json"):
        (preset.check_weights if key == "weights" else preset.check_openvino)()


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model.pkl", "model.npz", "saved_model"])
def test_formats_that_know_no_safe_mode_are_refused(folder: Path, name: str) -> None:
    (folder / "model.keras").rename(folder / name)
    preset = enter_hash(folder, "weights", name)
    with pytest.raises(PresetError, match=r"of another format than \.keras may hold code"):
        load_model(preset.check_weights())


@pytest.mark.parametrize("extra", ["../../escaped", "/tmp/escaped", "assets/payload.py", "variables.pkl"])
@pytest.mark.parametrize("file", ["model.keras", "openvino.zip"])
def test_archives_with_further_members_are_refused_and_never_unpacked(folder: Path, file: str, extra: str) -> None:
    before = set(folder.parent.rglob("*"))
    write_zip(folder / file, members_of(folder / file) | {extra: b"x"})
    preset = enter_hash(folder, "weights" if file == "model.keras" else "openvino", file)
    with pytest.raises(PresetError, match="and nothing else"):
        load(preset, file)
    assert set(folder.parent.rglob("*")) == before


def load(preset: Preset, file: str) -> object:
    return choose_engine("cpu", "keras" if file == "model.keras" else "openvino").load(preset, batch_size=1)


@pytest.mark.parametrize(("file", "member"), [("model.keras", ARRAYS), ("openvino.zip", "model.bin")])
def test_a_member_that_claims_to_be_huge_is_not_read(folder: Path, file: str, member: str) -> None:
    content = bytearray((folder / file).read_bytes())
    with zipfile.ZipFile(folder / file) as archive:
        at = content.rfind(b"PK\x01\x02", 0, content.rfind(member.encode()))
        assert archive.getinfo(member).file_size == int.from_bytes(content[at + 24 : at + 28], "little")
    content[at + 24 : at + 28] = (MOST_BYTES + 1).to_bytes(4, "little")
    (folder / file).write_bytes(content)
    preset = enter_hash(folder, "weights" if file == "model.keras" else "openvino", file)
    with pytest.raises(PresetError, match="claims to hold more than"):
        load(preset, file)


def foreign_link(file: h5py.File) -> None:
    file["link"] = h5py.ExternalLink("/etc/hostname", "/x")


def foreign_array(file: h5py.File) -> None:
    file.create_dataset("array", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual_array(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
    file.create_virtual_dataset("array", layout)


def huge_array(file: h5py.File) -> None:
    file.create_dataset("array", (MOST_BYTES + 1,), "u1", chunks=(1 << 20,))


def named_type(file: h5py.File) -> None:
    file["type"] = np.dtype("f4")


@pytest.mark.parametrize("spoil", [named_type, foreign_link, foreign_array, virtual_array, huge_array])
def test_arrays_of_other_files_are_not_read(folder: Path, spoil: Callable[[h5py.File], None]) -> None:
    weights = folder / "model.keras"
    members = members_of(weights)
    held = io.BytesIO(members[ARRAYS])
    with h5py.File(held, "a") as file:
        spoil(file)
        file["loop"] = file["/"]
    write_zip(weights, members | {ARRAYS: held.getvalue()})
    with pytest.raises(PresetError, match="is not in the file itself"):
        check_archive(weights)


@pytest.mark.parametrize("config", [b"[" * 100_000, b"\xff", b"nothing", b""])
def test_a_config_that_is_none_is_one_clear_line(folder: Path, config: bytes) -> None:
    weights = folder / "model.keras"
    write_zip(weights, members_of(weights) | {"config.json": config})
    with pytest.raises(PresetError, match=r"cannot be read .*restore the preset's folder") as caught:
        check_archive(weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("graph", [b"\x08\x07\x12\x04onnx", b"", b"GIF89a", b"<!DOCTYPE net SYSTEM '/etc/hostname'>"])
def test_only_openvino_s_own_format_is_read(folder: Path, graph: bytes) -> None:
    archive = folder / "openvino.zip"
    write_zip(archive, members_of(archive) | {"model.xml": graph})
    preset = enter_hash(folder, "openvino", "openvino.zip")
    with pytest.raises(PresetError, match=r"openvino\.zip: model\.xml is no XML"):
        load(preset, "openvino.zip")


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_our_own_presets_pass(preset: Preset) -> None:
    check_archive(preset.check_weights())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras, when it saves
def test_every_network_that_is_trained_here_passes(tmp_path: Path) -> None:
    from videmo.training.detector.network import build_network as build_detector
    from videmo.training.emotion.architectures import ARCHITECTURES
    from videmo.training.emotion.network import build_network, export_head

    heads = {"ferplus": 8}
    networks = {arch: export_head(build_network(arch, heads), arch, "ferplus") for arch in ARCHITECTURES}
    for name, network in (networks | {"detector": build_detector()}).items():
        path = tmp_path / f"{name}.keras"
        network.save(path)
        check_archive(path)


def test_a_checkpoint_with_a_pickle_is_refused(tmp_path: Path, marker: Path) -> None:
    from videmo.training.checkpoint import read_checkpoint

    class Payload:
        def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
            return os.mkdir, (str(marker),)

    held = np.empty(1, object)
    held[0] = Payload()
    np.savez(tmp_path / "checkpoint.npz", allow_pickle=True, state=np.array("{}"), **{"model.0": held})
    with pytest.raises(DataError, match=r"checkpoint\.npz"):
        read_checkpoint(tmp_path / "checkpoint.npz")
    assert not marker.exists()
    np.load(tmp_path / "checkpoint.npz", allow_pickle=True)["model.0"]
    assert marker.exists()

"""A detector that computes in integers: as good, half the file, its coordinates untouched."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from videmo.detection.neural import PRESET, load
from videmo.geometry import iou_matrix
from videmo.inference import Engine
from videmo.inference.archive import read_members
from videmo.inference.openvino_network import GRAPH, VALUES, import_openvino
from videmo.presets import Preset, find_preset, read_preset
from videmo.training.detector import network
from videmo.training.detector.calibrate import SIDES_PX, calibration_pictures
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.export import write_detector

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
Run = Callable[..., tuple[int, str, str]]
FAST, REFERENCE = Engine("openvino", "cpu", strict=True), Engine("keras", "cpu")


@pytest.fixture(scope="module")
def small_preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(network.SIZES, "full", network.Size((4, 4, 8, 8, 8), (0, 1, 2, 3, 3), 64, 64))
        model = network.export_network(network.build_network())
    folder = tmp_path_factory.mktemp("models") / "mine"
    write_detector(model, folder, min_score=0.01, trained_with={"steps": 0})
    return folder


@pytest.fixture
def preset(small_preset: Path, tmp_path: Path) -> Preset:
    return read_preset(Path(shutil.copytree(small_preset, tmp_path / "mine")))


def test_export_lets_a_detector_compute_in_integers(preset: Preset, coco_folder: Path, run_cli: Run) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), np.uint8)
    before = FAST.load(preset, batch_size=1)(picture)

    code, out, err = run_cli("models", "export", preset.folder, "--int8", coco_folder)

    assert code == 0, err
    assert out.endswith(f"wrote {preset.folder / 'openvino.zip'}\n")
    written = read_preset(preset.folder)
    assert written.config["openvino"]["precision"] == "int8"
    after = FAST.load(written, batch_size=1)(picture)
    assert after.shape == before.shape
    assert not np.array_equal(after, before)


def test_the_committed_detector_finds_in_integers_what_it_finds_in_float32() -> None:
    portrait = skimage.data.astronaut()
    preset = find_preset(PRESET, "detection")
    small = cv2.resize(portrait, (480, 480), interpolation=cv2.INTER_AREA)

    detectors = [load(preset, engine, batch_size=1) for engine in (FAST, REFERENCE)]
    (found,), (expected,) = (detector.detect([small]) for detector in detectors)

    # A run that goes on with the other runtime would mix the two: `--resume` and `verify` tell them apart by this.
    assert [detector.version for detector in detectors] == [preset.config["openvino"]["sha256"], preset.sha256]
    assert preset.config["openvino"]["precision"] == "int8"
    assert len(found) == len(expected) == 1
    assert iou_matrix(found.boxes, expected.boxes)[0, 0] > 0.95
    assert found.scores[0] == pytest.approx(expected.scores[0], abs=0.03)
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=2)


def test_exported_again_without_pictures_it_computes_in_float32(preset: Preset, run_cli: Run) -> None:
    assert preset.config["openvino"]["precision"] == "float32"
    code, _, _ = run_cli("models", "export", preset.folder)
    assert (code, read_preset(preset.folder).config["openvino"]["precision"]) == (0, "float32")


def test_nothing_after_the_last_convolutions_is_made_coarse() -> None:
    """The committed network: integers before every convolution, none after the heads, where the coordinates are."""
    archive = find_preset(PRESET, "detection").check_openvino()
    model = import_openvino().Core().read_model(*read_members(archive, (GRAPH, VALUES)))
    operations = model.get_ordered_ops()
    leading: set[str] = set()
    for operation in reversed(operations):
        readers = [reader.get_node() for output in operation.outputs() for reader in output.get_target_inputs()]
        if any(reader.get_type_name() == "Convolution" or reader.get_friendly_name() in leading for reader in readers):
            leading.add(operation.get_friendly_name())
    coarse = [operation.get_friendly_name() for operation in operations if operation.get_type_name() == "FakeQuantize"]
    assert len(coarse) > 20
    assert set(coarse) <= leading


def test_the_ranges_are_found_on_pictures_as_the_detector_is_fed_them(coco_folder: Path) -> None:
    pictures = read_pictures(coco_folder, "train")
    samples = calibration_pictures(pictures)
    upright, turned = samples[: len(pictures)], samples[len(pictures) :]
    assert [sample.shape for sample in turned] == [sample.shape for sample in upright]
    assert not any(np.array_equal(*pair) for pair in zip(upright, turned, strict=True))
    assert all(max(sample.shape[1:3]) in SIDES_PX for sample in samples)
    assert all(side_px % 32 == 0 for sample in samples for side_px in sample.shape[1:3])
    assert all(np.array_equal(*pair) for pair in zip(samples, calibration_pictures(pictures), strict=True))


def test_only_detectors_are_made_to_compute_in_integers(run_cli: Run, coco_folder: Path) -> None:
    code, _, err = run_cli("models", "export", "ferplus-resnet-48", "--int8", coco_folder)
    assert (code, err) == (2, "videmo: --int8 is for detectors: ferplus-resnet-48 is for emotion; leave it out\n")


def test_without_nncf_the_command_says_what_to_install(
    preset: Preset, coco_folder: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    before = preset.check_openvino().read_bytes()
    code, _, err = run_cli("models", "export", preset.folder, "--int8", coco_folder)
    assert code == 2
    assert 'pip install "videmo[int8]"' in err
    assert preset.check_openvino().read_bytes() == before

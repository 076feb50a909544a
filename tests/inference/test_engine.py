import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from videmo.errors import PresetError, UsageError
from videmo.inference import Engine, choose_engine, computes_bfloat16, openvino_network
from videmo.inference.keras_network import KerasNetwork
from videmo.inference.openvino_network import OpenVinoNetwork
from videmo.presets import Preset, find_preset, list_presets, read_preset
from videmo.training.schedule import Schedule

REFERENCE = Engine("keras", "cpu")
FAST = Engine("openvino", "cpu", strict=True)


def _rows(preset: Preset, count: int) -> np.ndarray:
    values = preset.config["input"]
    shape = (values["height_px"] or 96, values["width_px"] or 128, values["channels"])
    return np.random.default_rng(5).integers(0, 256, (count, *shape), np.uint8)


FLOAT = [preset for preset in list_presets() if preset.config["openvino"]["precision"] == "float32"]


@pytest.mark.parametrize("preset", FLOAT, ids=lambda preset: preset.name)
def test_openvino_agrees_with_keras(preset: Preset) -> None:
    rows = _rows(preset, 5)
    expected, found = (engine.load(preset, batch_size=4)(rows) for engine in (REFERENCE, FAST))
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_a_row_does_not_depend_on_the_others_of_its_batch(preset: Preset) -> None:
    rows, network = _rows(preset, 7), FAST.load(preset, batch_size=4)
    together = network(rows)
    alone = np.concatenate([network(row[None]) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-3)


@pytest.mark.parametrize("engine", [REFERENCE, FAST], ids=lambda engine: engine.runtime)
def test_the_order_in_which_sizes_come_does_not_change_an_answer_by_one_bit(engine: Engine) -> None:
    preset = find_preset("faces-fpn-64", "detection")
    rng = np.random.default_rng(0)
    sizes = [rng.integers(0, 256, (1, *size_px, 3), np.uint8) for size_px in ((288, 480), (352, 480), (480, 288))]
    network, other = (engine.load(preset, batch_size=1) for _ in range(2))
    answers = [network(rows) for rows in sizes]
    for rows, answer in reversed(list(zip(sizes, answers, strict=True))):
        np.testing.assert_array_equal(other(rows), answer)


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_a_smaller_size_is_compiled_once_it_pays_off_and_answers_the_same(
    preset: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_network, "_ROWS_WORTH_A_SIZE", 6)  # three are added to a single row
    row, network = _rows(preset, 1), OpenVinoNetwork(preset.check_openvino(), batch_size=4)
    compiled: list[tuple[int, ...]] = []
    compile_size = network._compile
    monkeypatch.setattr(network, "_compile", lambda *key: compiled.append(key[0]) or compile_size(*key))

    first, *others = [network(row) for _ in range(4)]

    assert [shape[0] for shape in compiled] == [4, 1]
    assert len(first) == 1
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_numbers_of_any_type_mean_the_same() -> None:
    preset = find_preset("ferplus-resnet-48", "emotion")
    rows, network = _rows(preset, 3), FAST.load(preset, batch_size=4)
    np.testing.assert_allclose(network(rows), network(rows.astype(np.float32)), atol=1e-5)


def test_an_answer_stays_when_the_next_one_is_asked_for() -> None:
    preset = find_preset("ferplus-resnet-48", "emotion")
    rows, network = _rows(preset, 8), FAST.load(preset, batch_size=4)
    first = network(rows[:4])
    kept = first.copy()
    network(rows[4:])
    np.testing.assert_array_equal(first, kept)


def test_a_cpu_gets_openvino_and_keras_is_there_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert choose_engine("auto") == choose_engine("cpu") == Engine("openvino", "cpu")
    assert choose_engine("auto", "keras") == REFERENCE
    assert choose_engine("auto", "openvino") == FAST
    preset = find_preset("ferplus-resnet-48", "emotion")
    assert isinstance(choose_engine("cpu").load(preset, batch_size=1), OpenVinoNetwork)
    assert isinstance(REFERENCE.load(preset, batch_size=1), KerasNetwork)


def test_a_sign_of_a_gpu_that_tensorflow_cannot_use_leaves_the_cpu_to_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert choose_engine("auto") == Engine("openvino", "cpu")


def test_openvino_on_a_gpu_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--runtime openvino runs on the CPU.*--runtime keras"):
        choose_engine("gpu", "openvino")


def test_presets_without_openvino_run_on_keras_unless_it_was_asked_for() -> None:
    preset = find_preset("ferplus-resnet-48", "emotion")
    bare = dataclasses.replace(preset, config={key: value for key, value in preset.config.items() if key != "openvino"})
    assert isinstance(Engine("openvino", "cpu").load(bare, batch_size=1), KerasNetwork)
    with pytest.raises(PresetError, match=r"ferplus-resnet-48 holds no network for OpenVINO.*videmo models export"):
        FAST.load(bare, batch_size=1)


def test_a_damaged_archive_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(find_preset("ferplus-resnet-48", "emotion").folder, folder)
    (folder / "openvino.zip").write_bytes(b"not a zip")
    with pytest.raises(PresetError, match=r"openvino\.zip is corrupt"):
        FAST.load(read_preset(folder), batch_size=1)
    with pytest.raises(PresetError, match=r"openvino\.zip: the network cannot be read"):
        OpenVinoNetwork(folder / "openvino.zip", batch_size=1)
    (folder / "openvino.zip").unlink()
    with pytest.raises(PresetError, match=r"openvino\.zip is missing"):
        FAST.load(read_preset(folder), batch_size=1)


def test_bfloat16_is_for_gpus_and_processors_that_compute_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    if "avx" in flags:
        assert computes_bfloat16() == ("avx512_bf16" in flags or "amx_bf16" in flags)
    assert computes_bfloat16("gpu")
    for recipe in (Schedule(), Schedule(dtype="float32")):
        faster = recipe.dtype == "auto" and computes_bfloat16()
        assert recipe.policy == ("mixed_bfloat16" if faster else "float32")

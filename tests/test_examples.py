"""The examples run as they stand."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import synthetic

from videmo.training.emotion.architectures import Design, face_resnet
from videmo.training.emotion.network import build_network

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(name: str, *arguments: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def test_stream_one_video(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run("01_stream_one_video.py", monkeypatch=monkeypatch)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    seen = {(time_s[0], face) for time_s, _, _, face, *_ in lines}
    assert seen == {(s, "1") for s in "01234"} | {(s, "2") for s in "34"} | {(s, "3") for s in "67"}
    assert {expression for *_, expression, _ in lines} == {"happiness"}


def test_analyze_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "videos").mkdir()
    synthetic.moving_face_clip(tmp_path / "videos" / "clip.mp4", duration_s=1)
    (tmp_path / "videos" / "broken.mp4").write_text("no video")
    run("02_analyze_a_folder.py", tmp_path / "videos", tmp_path / "out", monkeypatch=monkeypatch)
    told = capsys.readouterr().out
    assert "not analysed: " in told
    assert "clip" in told


def test_weights_of_imagenet_keep_their_meaning_in_a_gray_network() -> None:
    example = runpy.run_path(str(EXAMPLES / "03_start_from_imagenet.py"))
    rng = np.random.default_rng(0)
    network = build_network("efficientnet_lite", {"imagenet": 10}, Design(width=0.25))
    published: dict[str, np.ndarray] = {}
    for layer in (layer for layer in network.layers if layer.weights):
        shapes = [weight.shape for weight in layer.weights]
        if len(shapes) == 4:
            names = ("weight", "bias", "running_mean", "running_var")
            published |= {f"{layer.name}.{name}": rng.random(shapes[0]) for name in names}
            published[f"{layer.name}.num_batches_tracked"] = np.array(7)
        elif len(shapes) == 2:
            published |= {f"{layer.name}.weight": rng.random(shapes[0][::-1]), f"{layer.name}.bias": rng.random(10)}
        else:
            height, width, inputs, outputs = shapes[0]
            is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            shape = (inputs, 1, height, width) if is_depthwise else (outputs, inputs, height, width)
            published[f"{layer.name}.weight"] = rng.random(shape)
    stem = rng.random((network.get_layer("stem").filters, 3, 3, 3))
    published["stem.weight"] = stem

    example["take_over"](published, network)

    found = {layer.name: layer.get_weights() for layer in network.layers}
    np.testing.assert_allclose(found["stem"][0][:, :, 0, 4], 0.5 * stem[4].sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["last"][0][0, 0, 3, 5], published["last.weight"][5, 3, 0, 0], rtol=1e-5)
    look = "stage2_block1_look"
    np.testing.assert_allclose(found[look][0][1, 2, 7, 0], published[f"{look}.weight"][7, 0, 1, 2], rtol=1e-5)
    np.testing.assert_allclose(found["imagenet"][0][2, 3], published["imagenet.weight"][3, 2], rtol=1e-5)
    variances = found["last_norm"][3] + network.get_layer("last_norm").epsilon
    np.testing.assert_allclose(variances, published["last_norm.running_var"] + 1e-3, rtol=1e-5)


def test_the_faces_of_dlib_keep_their_meaning_in_a_gray_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_resnet, "STEM", 8)
    monkeypatch.setattr(face_resnet, "STAGES", (face_resnet.Stage(8, 1, 1), face_resnet.Stage(16, 1, 2)))
    example = runpy.run_path(str(EXAMPLES / "04_start_from_faces.py"))
    network = build_network("face_resnet", {"none": 1})
    rng = np.random.default_rng(0)
    shapes = [(8, 3, 7), (8, 8, 3), (8, 8, 3), (16, 8, 3), (16, 16, 3)]
    kernels = [rng.normal(0, 0.2, (outputs, inputs, side, side)) for outputs, inputs, side in shapes]
    biases, scales, offsets = ([rng.random(len(kernel)) for kernel in kernels] for _ in range(3))
    file = b"".join(
        b"con_4"
        + _dlib_tensor(np.concatenate([kernel.ravel(), bias]))
        + _dlib_integers(len(kernel), *kernel.shape[2:])
        + b"relu_1affine_"
        + _dlib_tensor(np.concatenate([scale, offset]))
        for kernel, bias, scale, offset in zip(kernels, biases, scales, offsets, strict=True)
    )
    faces = rng.integers(0, 255, (6, 48, 48, 1)).astype(np.float32)

    example["take_over"](list(example["read_convolutions"](file)), network, faces)

    def answer(at: int, x: np.ndarray, stride: int = 1) -> np.ndarray:
        kernel = kernels[at].transpose(2, 3, 1, 0)
        kernel = kernel if at else kernel.sum(axis=2, keepdims=True) * example["CONTRAST"]
        convolved = keras.ops.conv(x, kernel.astype(np.float32), strides=stride, padding="same")
        return np.asarray((convolved + biases[at]) * scales[at] + offsets[at], np.float32)

    def see(name: str) -> np.ndarray:
        return np.asarray(keras.Model(network.input, network.get_layer(name).output)(faces))

    pooled = see("stem_pool")
    enlarged = see("smooth")
    np.testing.assert_allclose(see("stem_norm"), answer(0, enlarged, 2), rtol=1e-3, atol=1e-3)
    first = np.maximum(answer(2, np.maximum(answer(1, pooled), 0)) + pooled, 0)
    np.testing.assert_allclose(see("stage0_block0_relu1"), first, rtol=1e-3, atol=1e-3)
    halved = np.pad(first.reshape(6, 12, 2, 12, 2, 8).mean(axis=(2, 4)), [(0, 0)] * 3 + [(0, 8)])
    second = np.maximum(answer(4, np.maximum(answer(3, first, 2), 0)) + halved, 0)
    np.testing.assert_allclose(see("features"), second.mean(axis=(1, 2)), rtol=1e-3, atol=1e-3)


def _dlib_integers(*values: int) -> bytes:
    """Write integers as dlib does: a byte with the length, then the value, low bytes first."""
    lengths = [(value.bit_length() + 7) // 8 for value in values]
    return b"".join(bytes([n]) + value.to_bytes(n, "little") for n, value in zip(lengths, values, strict=True))


def _dlib_tensor(values: np.ndarray) -> bytes:
    return _dlib_integers(2, values.size, 1, 1, 1) + values.astype("<f4").tobytes()

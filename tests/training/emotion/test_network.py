from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from videmo.errors import UsageError
from videmo.training.emotion.architectures import ARCHITECTURES, Design
from videmo.training.emotion.network import build_network, export_head

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

HEADS = {"ferplus": 8, "fer2013": 7}


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype(np.float32)


def test_the_network_stays_small_enough_for_two_cores() -> None:
    assert 700_000 <= build_network("resnet", HEADS).count_params() <= 1_200_000


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_exported_head_gives_the_logits_of_the_network_after_a_safe_load(
    arch: str, faces: np.ndarray, tmp_path: Path
) -> None:
    design = Design(width=0.125, depth=0.1, drop_path=0.2)
    network = build_network(arch, HEADS, design)
    export_head(network, arch, "fer2013", design).save(tmp_path / "model.keras")

    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)

    assert loaded.input_shape == (None, 48, 48, 1)
    expected = network.predict_on_batch(faces)
    assert {name: (logits.shape, logits.dtype) for name, logits in expected.items()} == {
        "ferplus": ((3, 8), np.float32),
        "fer2013": ((3, 7), np.float32),
    }
    np.testing.assert_allclose(loaded.predict_on_batch(faces), expected["fer2013"], atol=1e-5)


@pytest.mark.usefixtures("small_network")
def test_a_row_does_not_depend_on_the_batch_nor_on_brightness_and_contrast(faces: np.ndarray) -> None:
    model = export_head(build_network("resnet", HEADS), "resnet", "ferplus")
    logits = model.predict_on_batch(faces)

    np.testing.assert_allclose(model.predict_on_batch(faces[:1])[0], logits[0], atol=1e-4)
    np.testing.assert_allclose(model.predict_on_batch(faces * 0.5 + 60), logits, atol=0.01)


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(UsageError, match="unknown network 'vgg99': known are cnn4, mini_xception, "):
        build_network("vgg99", HEADS)

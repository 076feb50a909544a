from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from videmo.errors import UsageError
from videmo.presets import Preset
from videmo.training.detector import network as detector_network
from videmo.training.detector.dataset import read_pictures
from videmo.training.detector.export import write_detector
from videmo.training.detector.fit import Training
from videmo.training.detector.network import build_network, export_network
from videmo.training.detector.pictures import LabelledPicture
from videmo.training.detector.recipe import Recipe
from videmo.training.detector.transfer import take_over

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = [
    pytest.mark.usefixtures("small_network"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
PICTURES = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)


@pytest.fixture
def small_network(small_network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As elsewhere, but with residual blocks."""
    for name, size in list(detector_network.SIZES.items()):
        monkeypatch.setitem(detector_network.SIZES, name, size._replace(blocks=(0, 0, 1, 0, 0)))


def make_preset(folder: Path, network: keras.Model, size: str = "full") -> Preset:
    return write_detector(export_network(network, size), folder, min_score=0.5, trained_with={"steps": 0})


def shuffled_network(size: str = "full") -> keras.Model:
    """A network whose normalisations are not at their start."""
    keras.utils.set_random_seed(3)
    rng, network = np.random.default_rng(0), build_network(size)
    values = [np.asarray(value) for value in network.get_weights()]
    network.set_weights([value + rng.uniform(-0.2, 0.2, value.shape) * (value.ndim == 1) for value in values])
    return network


def silence(network: keras.Model, writer: str, norms: list[str], channels: list[int]) -> None:
    """Let a convolution answer zero in some channels, whatever it sees."""
    kernel = network.get_layer(writer).get_weights()[0]
    kernel[..., channels] = 0
    network.get_layer(writer).set_weights([kernel])
    for name in norms:
        scale, offset, mean, variance = network.get_layer(name).get_weights()
        offset[channels] = mean[channels] = 0
        network.get_layer(name).set_weights([scale, offset, mean, variance])


def test_the_same_size_gives_the_same_answers(tmp_path: Path, make_picture: Callable[..., LabelledPicture]) -> None:
    mine, network = shuffled_network(), build_network()

    take_over(make_preset(tmp_path / "mine", mine), network, [make_picture((8, 8, 40, 40))])

    np.testing.assert_allclose(network(PICTURES), mine(PICTURES), rtol=0.02, atol=0.2)  # held in half precision


def test_channels_that_say_nothing_are_the_ones_to_go(
    tmp_path: Path, make_picture: Callable[..., LabelledPicture]
) -> None:
    noisy = [replace(make_picture((8, 8, 40, 40)), image=picture.astype(np.uint8)) for picture in PICTURES]
    wide = shuffled_network()
    for writer in ("stage2_down", "stage2_block0"):
        silence(wide, writer, [f"{writer}_norm"], [1, 6])
    for writer in ("head0", "head1"):
        silence(wide, writer, [f"{writer}_norm{stride}" for stride in (8, 16, 32, 64)], [0, 3, 7])
    preset, slim = make_preset(tmp_path / "wide", wide), build_network("slim")

    take_over(preset, slim, noisy)

    assert slim.count_params() < wide.count_params()
    np.testing.assert_allclose(slim(PICTURES), wide(PICTURES), rtol=0.02, atol=0.2)


def test_a_slim_network_cannot_grow(tmp_path: Path, make_picture: Callable[..., LabelledPicture]) -> None:
    preset = make_preset(tmp_path / "slim", shuffled_network("slim"), "slim")
    with pytest.raises(UsageError, match="fewer channels than this size"):
        take_over(preset, build_network(), [make_picture((8, 8, 40, 40))])


def test_another_network_is_refused(tmp_path: Path, make_picture: Callable[..., LabelledPicture]) -> None:
    pictures = keras.Input((None, None, 3))
    cells = keras.layers.Reshape((-1, 15))(keras.layers.Conv2D(15, 8, strides=8)(pictures))
    preset = write_detector(keras.Model(pictures, cells), tmp_path / "other", min_score=0.5, trained_with={"steps": 0})
    with pytest.raises(UsageError, match="no network of videmo train detector"):
        take_over(preset, build_network(), [make_picture((8, 8, 40, 40))])


def test_a_slim_training_begins_with_a_wide_preset_and_becomes_one(
    coco_folder: Path, tmp_path: Path, small_recipe: Recipe
) -> None:
    from videmo.training.detector.export import export_preset

    wide = build_network()
    wide.get_layer("stage0_down_norm").beta.assign([0.5] * 4)
    make_preset(tmp_path / "wide", wide)
    recipe = replace(small_recipe, size="slim", init=str(tmp_path / "wide"))
    valid = read_pictures(coco_folder, "val")
    training = Training(recipe, read_pictures(coco_folder, "train"), [], valid, tmp_path / "run")
    assert (np.asarray(training.model.get_layer("stage0_down_norm").beta) == 0.5).all()

    training.run()
    export_preset(tmp_path / "run", valid, tmp_path / "slim")

    assert (tmp_path / "slim" / "README.md").is_file()


def test_an_unknown_size_is_named(coco_folder: Path, tmp_path: Path, small_recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="unknown size 'tiny': known are full, slim"):
        Training(replace(small_recipe, size="tiny"), read_pictures(coco_folder, "train"), [], [], tmp_path)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import log_softmax, softmax, xlogy

from videmo.emotion.labels import EMOTIONS
from videmo.emotion.preset_classifier import PresetClassifier
from videmo.errors import UsageError
from videmo.inference import choose_engine
from videmo.presets import Preset
from videmo.training.card import write_model
from videmo.training.emotion.architectures import Design
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.distil import ask_teachers, distilling, soften
from videmo.training.emotion.fit import Training, adjusted_cross_entropy
from videmo.training.emotion.network import build_network, export_head
from videmo.training.emotion.recipe import Recipe

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TINY = Design(width=0.125)


@pytest.fixture
def make_preset(tmp_path: Path):
    def make(name: str, labels: tuple[str, ...] = EMOTIONS, side_px: int = 48) -> Preset:
        trained = build_network("cnn4", {"head": len(labels)}, TINY)
        network = export_head(trained, "cnn4", "head", TINY, side_px=side_px)
        return write_model(network, tmp_path / name, labels=labels, temperature=0.05)

    return make


def test_softened_answers_are_those_of_divided_logits() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)

    np.testing.assert_allclose(soften(softmax(logits, axis=1), 3.0), softmax(logits / 3, axis=1), rtol=1e-4)


def test_teachers_answer_by_the_mean_over_each_other_and_over_the_mirror(make_preset) -> None:
    teachers = [make_preset("one"), make_preset("two")]
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)

    answers = ask_teachers(teachers, images, 2.0)

    assert list(answers) == ["ferplus"]
    expected = []
    for teacher in teachers:
        classifier = PresetClassifier(teacher, choose_engine("cpu").load(teacher, batch_size=8), 8)
        both = [classifier.classify(crops[..., None]) for crops in (images, images[:, :, ::-1])]
        expected.append(soften(np.mean(both, axis=0), 2.0))
    np.testing.assert_allclose(answers["ferplus"], np.mean(expected, axis=0), atol=1e-4)


def test_a_teacher_of_another_size_gets_resized_faces_and_one_of_other_labels_is_refused(make_preset) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)

    answers = ask_teachers([make_preset("large", side_px=64)], images, 1.0)

    np.testing.assert_allclose(answers["ferplus"].sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(UsageError, match="teacher strange has other labels than the network"):
        ask_teachers([make_preset("strange", ("smile", "none"))], images, 1.0)


def test_the_loss_weighs_labels_and_teachers() -> None:
    rng = np.random.default_rng(0)
    hard, soft = np.eye(3, dtype=np.float32), softmax(rng.normal(size=(3, 3)), axis=1).astype(np.float32)
    logits = rng.normal(size=(3, 3)).astype(np.float32)
    plain = adjusted_cross_entropy(hard, 0.0)

    loss = distilling(plain, 0.25, 2.0)(np.concatenate([hard, soft], axis=1), logits)

    labels = -(hard * log_softmax(logits, axis=1)).sum(axis=1)
    teachers = -(soft * log_softmax(logits / 2, axis=1)).sum(axis=1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), 0.75 * labels + 0.25 * 4 * teachers, rtol=1e-5)


def test_a_network_taught_with_full_weight_learns_the_teacher_not_the_labels(
    make_preset, ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path
) -> None:
    splits = read_faces(ferplus_folder)
    train = training_faces(splits)
    still = replace(small_recipe.augmentation.scaled(0), flip=0.0)
    recipe = replace(
        small_recipe,
        width=0.125,
        sides_px=((0.0, 48),),
        epochs=30,
        batch=20,
        learning_rate=0.01,
        ema=0.9,
        dropout=0.0,
        augmentation=still,
    )
    teacher = make_preset("teacher")
    taught = replace(recipe, teachers=(str(teacher.folder),), distil_weight=1.0, distil_temperature=1.0)

    training = Training(taught, train, splits["valid"], tmp_path / "run")
    assert [target.shape[1] for target in training.targets] == [16, 7]
    answers = ask_teachers([teacher], train.images, 1.0)["ferplus"]
    before = _divergence(answers, training.model, train.images)
    training.run()

    assert _divergence(answers, training.model, train.images) < 0.5 * before


def _divergence(answers: np.ndarray, network: keras.Model, images: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence of the network's answers from the teacher's, in nats."""
    logits = network.predict_on_batch(images[..., None].astype(np.float32))["ferplus"]
    # A probability of zero, which a sure teacher gives, adds nothing.
    return float((xlogy(answers, answers) - answers * log_softmax(logits, axis=1)).sum(axis=1).mean())

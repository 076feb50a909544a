from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from videmo.errors import DataError, UsageError
from videmo.training.emotion.dataset import read_faces, training_faces
from videmo.training.emotion.fit import Row, Training, adjusted_cross_entropy
from videmo.training.emotion.recipe import Recipe

pytestmark = pytest.mark.usefixtures("small_network")


class KilledError(Exception):
    """Stands for a kill after an epoch."""


@pytest.fixture
def build(ferplus_folder: Path, small_recipe: Recipe):
    splits = read_faces(ferplus_folder)

    def build(folder: Path, **changes: object) -> Training:
        return Training(replace(small_recipe, **changes), training_faces(splits), splits["valid"], folder)

    return build


def test_a_training_killed_in_the_middle_resumes_to_the_same_curve_and_weights(build, tmp_path: Path) -> None:
    whole = build(tmp_path / "whole", drop_path=0.3)
    whole.run()

    def kill(row: Row) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        build(tmp_path / "killed", drop_path=0.3).run(kill)
    resumed = build(tmp_path / "killed", drop_path=0.3)
    resumed.resume()
    assert len(resumed.history) == 1
    resumed.run()

    assert [row["epoch"] for row in whole.history] == [1, 2]
    curves = [pd.DataFrame(training.history).drop(columns="minutes") for training in (whole, resumed)]
    pd.testing.assert_frame_equal(curves[0], curves[1], rtol=1e-4)
    for expected, found in zip(whole.average, resumed.average, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_run_writes_history_checkpoint_and_best(build, tmp_path: Path) -> None:
    training = build(tmp_path / "run", epochs=1)
    before = training.model.get_weights()
    training.run()

    history = pd.read_csv(tmp_path / "run" / "history.csv")
    assert history["loss"].iloc[0] > 0
    assert history["side_px"].tolist() == [24]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"history.csv", "checkpoint.npz", "best.npz"}
    assert any(not np.allclose(a, b) for a, b in zip(before, training.model.get_weights(), strict=True))


def test_one_lucky_epoch_is_not_the_best(build, tmp_path: Path) -> None:
    # A training of 85 minutes: balanced over seven, the second epoch had .831, the last one .797, the others less.
    scores = [0.7722, 0.7958, 0.7675, 0.7735, 0.7783, 0.7785, 0.7792, 0.7817]
    scores += [0.7864, 0.7889, 0.7861, 0.7875, 0.7884, 0.7875, 0.7890, 0.7896]
    training = build(tmp_path / "run")

    for epochs, best in ((1, 0), (2, 1), (8, 1), (10, 9), (16, 15)):
        history = pd.DataFrame({"score": scores[:epochs]})
        assert training.quality(history).idxmax() == best


def test_the_loss_is_the_mean_over_its_own_epoch_and_every_step_is_told(
    build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, told, losses = build(tmp_path / "run"), [], []
    train_on_batch = training.model.train_on_batch

    def listen(*arguments: object, **options: object) -> dict[str, float]:
        losses.append(train_on_batch(*arguments, **options))
        return losses[-1]

    monkeypatch.setattr(training.model, "train_on_batch", listen)
    training.on_step = told.append
    training.run()

    assert told == [0.25, 0.5, 0.75, 1.0]
    expected = np.reshape([float(step["loss"]) for step in losses], (2, 2)).mean(axis=1)
    np.testing.assert_allclose([row["loss"] for row in training.history], expected, rtol=1e-6)


def test_minutes_end_the_schedule_within_an_epoch(build, tmp_path: Path) -> None:
    training = build(tmp_path, minutes=1e-6)
    training.run()

    assert training.steps == 1
    assert training.progress == 1


def test_resuming_needs_a_checkpoint_of_the_same_recipe(build, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint"):
        build(tmp_path / "none").resume()
    build(tmp_path / "run", epochs=1).run()
    with pytest.raises(UsageError, match="another recipe"):
        build(tmp_path / "run", epochs=2).resume()


def test_faces_without_any_emotion_vote_are_refused(ferplus_folder: Path, small_recipe: Recipe, tmp_path: Path) -> None:
    faces = read_faces(ferplus_folder)["train"]
    faces.votes[:], faces.labels[:] = 0, -1

    with pytest.raises(DataError, match="no training face has an emotion"):
        Training(small_recipe, faces, faces, tmp_path)


def test_logit_adjustment_weighs_rare_labels_more() -> None:
    frequent_first = np.array([[1, 0]] * 9 + [[0, 1]], np.float32)
    even = np.zeros((2, 2), np.float32)

    plain, adjusted = (
        keras.ops.convert_to_numpy(adjusted_cross_entropy(frequent_first, strength)(np.eye(2, dtype=np.float32), even))
        for strength in (0.0, 1.0)
    )

    np.testing.assert_allclose(plain, np.log(2), rtol=1e-6)
    np.testing.assert_allclose(adjusted, -np.log([0.9, 0.1]), rtol=1e-5)

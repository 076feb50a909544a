from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from videmo.emotion.labels import EMOTIONS
from videmo.training.emotion.check import check_source
from videmo.training.emotion.dataset import read_faces, read_splits, training_faces
from videmo.training.emotion.fit import Training
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.votes import emotion_targets, label_targets

pytestmark = pytest.mark.usefixtures("small_network")


@pytest.fixture
def own_faces(tmp_path: Path) -> Path:
    """Thirty faces of each of three labels, contempt among them, without votes and splits."""
    rng, rows = np.random.default_rng(0), []
    for number in range(90):
        name, label = f"{number}.png", ("happiness", "fear", "contempt")[number % 3]
        cv2.imwrite(str(tmp_path / name), rng.integers(0, 120 + 60 * (number % 3), (40, 40), np.uint8))
        rows.append([name, label])
    pd.DataFrame(rows, columns=["file", "label"]).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def test_faces_with_one_label_and_no_votes_train_both_heads(own_faces: Path, small_recipe: Recipe) -> None:
    check_source(read_splits(own_faces)).write(own_faces / "checked")
    splits = read_faces(own_faces, split_list=own_faces / "checked" / "splits.csv")
    training = Training(small_recipe, training_faces(splits), splits["valid"], own_faces / "run")

    training.run()

    row = training.history[-1]
    assert all(np.isfinite(row[name]) for name in ("loss", "ferplus_accuracy", "fer2013_accuracy", "score"))
    emotions, seven = training.targets
    assert set(emotions.argmax(axis=1)) == {EMOTIONS.index(name) for name in ("happiness", "fear", "contempt")}
    assert (~seven.any(axis=1)).sum() == (training.train.labels == EMOTIONS.index("contempt")).sum()


def test_votes_without_labels_train_the_head_that_knows_votes(ferplus_folder: Path, small_recipe: Recipe) -> None:
    (ferplus_folder / "fer2013_labels.csv").unlink()
    splits = read_faces(ferplus_folder)
    training = Training(small_recipe, training_faces(splits), splits["valid"], ferplus_folder / "run")

    training.run()

    row = training.history[-1]
    assert np.isfinite([row["loss"], row["score"]]).all()
    assert np.isnan(row["fer2013_accuracy"])


def test_votes_win_over_the_label_and_the_label_stands_in_for_missing_votes() -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, :2] = (3, 7)
    votes[2, 8] = 10  # all said "unknown"
    labels = np.array([5, 7, 1], np.int8)

    targets = emotion_targets(votes, labels, 0.08)

    np.testing.assert_allclose(targets[0], [0.3, 0.7, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(targets[1], [0.01] * 7 + [0.93], rtol=1e-5)
    assert not targets[2].any()


def test_a_label_that_fer2013_lacks_gives_no_target() -> None:
    assert label_targets(np.array([7, -1, 6], np.int8), 0.1).any(axis=1).tolist() == [False, False, True]

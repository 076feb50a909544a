from __future__ import annotations

import numpy as np
import pytest

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import DataError, PresetError
from videmo.training.emotion.cases import PROTOCOLS, find_cases, protocols
from videmo.training.emotion.faces import LabelledFaces


def make_faces(labels: list[int], names: list[str] | None = None, votes: np.ndarray | None = None) -> LabelledFaces:
    count = len(labels)
    images = np.arange(count, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    shown = [f"{i}.png" for i in range(count)] if names is None else names
    none = np.zeros((count, 10), np.uint8)
    return LabelledFaces(images, none if votes is None else votes, np.array(labels, np.int8), np.array(shown))


def test_faces_with_one_label_have_the_protocol_of_their_labels() -> None:
    faces = make_faces([0, 7, -1])

    counted, answers = protocols(faces, EMOTIONS)["labels"]
    assert counted.tolist() == [True, True, False]
    assert answers[counted].tolist() == [0, 7]
    assert protocols(faces, FER2013_EMOTIONS)["labels"][0].tolist() == [True, False, False]


def test_rows_of_the_fer2013_table_have_its_name() -> None:
    assert list(protocols(make_faces([0, 1], ["row 2", "row 3"]), FER2013_EMOTIONS)) == ["fer2013"]


def test_faces_nobody_voted_on_do_not_count_among_voted_ones() -> None:
    votes = np.zeros((2, 10), np.uint8)
    votes[0, 3] = 10
    found = protocols(make_faces([-1, -1], votes=votes), EMOTIONS)

    assert list(found) == ["ferplus-majority", "ferplus-argmax"]
    for counted, answers in found.values():
        assert counted.tolist() == [True, False]
        assert answers[0] == 3


def test_splits_without_faces_are_not_measured_and_lend_no_name() -> None:
    faces = make_faces([0, 1])
    none = faces.select(slice(0, 0))

    cases = find_cases({"train": faces, "valid": faces, "test": none}, EMOTIONS)

    # The validation faces are twins of training faces, so nothing is left for the deduplicated kind.
    assert [(case.protocol, case.split, case.kind) for case in cases] == [("labels", "valid", "standard")]
    assert list(protocols(none, EMOTIONS)) == ["labels"]
    with pytest.raises(DataError, match="no validation and no test faces"):
        find_cases({"train": faces, "valid": none, "test": none}, EMOTIONS)


def test_cases_leave_the_twins_of_training_faces_out_of_the_second_kind() -> None:
    faces = make_faces([0, 1, 2])
    cases = find_cases({"train": faces.select(np.array([1])), "valid": faces, "test": faces}, FER2013_EMOTIONS)

    described = [(case.split, case.kind, case.answers.tolist()) for case in cases]
    assert described == [
        ("valid", "standard", [0, 1, 2]),
        ("valid", "deduplicated", [0, 2]),
        ("test", "standard", [0, 1, 2]),
        ("test", "deduplicated", [0, 2]),
    ]
    assert all(case.protocol in PROTOCOLS for case in cases)


def test_splits_that_cannot_be_measured_are_named() -> None:
    faces, unlabelled = make_faces([0]), make_faces([-1])
    splits = {"train": faces.select(slice(0, 0)), "valid": faces, "test": unlabelled}

    with pytest.raises(DataError, match="no test face counts under the protocol labels"):
        find_cases(splits, EMOTIONS)
    with pytest.raises(PresetError, match="no protocol for the labels cat, dog"):
        protocols(faces, ("cat", "dog"))

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import keras
import numpy as np
import pyarrow.parquet as pq
import pytest

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import PresetError
from videmo.presets import Preset, find_preset, hash_file
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.embeddings import build_embedder, write_embeddings
from videmo.training.emotion.evaluation import Report, evaluate_presets
from videmo.training.emotion.evaluation_charts import CHARTS
from videmo.training.emotion.evaluation_tables import tabulate_classes, tabulate_headline

Cli = Callable[..., tuple[int, str, str]]
MakePreset = Callable[..., Preset]

# Keras' own way to read a TensorFlow variable when it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def build_tiny_network(labels: int) -> keras.Model:
    faces = keras.Input((48, 48, 1))
    features = keras.layers.Conv2D(8, 5, strides=3, activation="relu")(keras.layers.Rescaling(1 / 255)(faces))
    features = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(faces, keras.layers.Dense(labels, kernel_initializer="normal")(features))


@pytest.fixture
def make_preset(tmp_path: Path) -> MakePreset:
    """Returns a function that writes an untrained preset of given labels."""

    def make(name: str, labels: tuple[str, ...], model: keras.Model | None = None) -> Preset:
        keras.utils.set_random_seed(len(labels))
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        network = model or build_tiny_network(len(labels))
        network.save(folder / "model.keras")
        weights = {"file": "model.keras", "sha256": hash_file(folder / "model.keras")}
        config = {"schema": 1, "name": name, "task": "emotion", "labels": labels, "weights": weights}
        config |= {"temperature": 1.0, "input": {"height_px": 48, "width_px": 48, "channels": 1}}
        (folder / "config.json").write_text(json.dumps(config))
        return find_preset(folder, "emotion")

    return make


@pytest.fixture
def report(ferplus_folder: Path, make_preset: MakePreset) -> Report:
    presets = [make_preset("eight", EMOTIONS), make_preset("seven", FER2013_EMOTIONS)]
    return evaluate_presets(ferplus_folder, presets, flip=True)


class Tags(HTMLParser):
    """Collects the start tags of a page; asserts that what must be closed is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_report_holds_metrics_pictures_and_one_page_that_needs_no_network(report: Report, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report.write(out)

    metrics = json.loads((out / "metrics.json").read_text())
    assert [(other["preset"], other["flip"]) for other in metrics["compared"]] == [
        ("eight", True),
        ("seven", False),
        ("seven", True),
    ]
    assert len(metrics["results"]) == len(metrics["compared"][0]["differences"]) == 8
    for protocol in ("ferplus-majority", "ferplus-argmax"):
        for chart in CHARTS:
            height_px, width_px = cv2.imread(str(out / f"{protocol}-test-{chart}.png")).shape[:2]
            assert min(height_px, width_px) > 400
    html = (out / "evaluation.html").read_text(encoding="utf-8")
    tags = Tags(html).tags
    images = [attributes for tag, attributes in tags if tag == "img"]
    assert len(images) == 2 * len(CHARTS)
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)
    assert not re.search(r"https?://|<script|<link", html)
    assert "$" not in html
    for said in ("ferplus-majority", "n = 14", "sha256", "eight + flip", "Not measured", "Side by side"):
        assert said in html


def test_answers_are_mirrored_and_brought_to_the_labels_of_the_protocol(report: Report, ferplus_folder: Path) -> None:
    plain, flipped, seven, _ = report.evaluations
    images = read_faces(ferplus_folder)["test"].images.astype(np.float32)[..., None]
    network = keras.saving.load_model(plain.preset.weights)
    both = [keras.ops.softmax(network.predict_on_batch(faces)) for faces in (images, images[:, :, ::-1])]

    at = next(i for i, measured in enumerate(plain.measured) if measured.case.split == "test")

    np.testing.assert_allclose(flipped.measured[at].probabilities, np.mean(both, axis=0), atol=1e-5)
    np.testing.assert_allclose(plain.measured[at].probabilities, both[0], atol=1e-5)
    assert (seven.measured[at].probabilities[:, EMOTIONS.index("contempt")] == 0).all()
    np.testing.assert_allclose(seven.measured[at].probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_preset_with_one_label_more_is_scaled_up(ferplus_folder: Path, make_preset: MakePreset) -> None:
    presets = [make_preset("seven", FER2013_EMOTIONS), make_preset("eight", EMOTIONS)]

    report = evaluate_presets(ferplus_folder, presets)

    assert [measured.case.protocol for measured in report.evaluations[1].measured] == ["fer2013"] * 4
    eight = report.evaluations[1].measured[0].probabilities
    assert eight.shape[1] == 7
    np.testing.assert_allclose(eight.sum(axis=1), 1, atol=1e-5)


def test_presets_without_a_common_label_cannot_be_compared(ferplus_folder: Path, make_preset: MakePreset) -> None:
    presets = [make_preset("eight", EMOTIONS), make_preset("pets", ("cat", "dog"))]

    with pytest.raises(PresetError, match="preset pets: none of its labels is one of neutral"):
        evaluate_presets(ferplus_folder, presets)


def test_a_report_without_test_faces_shows_validation_faces(report: Report, tmp_path: Path) -> None:
    main = report.evaluations[0]
    valid = replace(main, measured=tuple(one for one in main.measured if one.case.split == "valid"))

    Report(report.data, (valid,), ()).write(tmp_path / "out")

    assert (tmp_path / "out" / "ferplus-majority-valid-confusion.png").is_file()
    assert "<h2>ferplus-majority: valid" in (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")


def test_tables_line_up(report: Report) -> None:
    lines = tabulate_headline(report.evaluations, ["test"]).lines()

    assert len(lines) == 1 + 4 * 4
    assert len({len(line) for line in lines}) == 1
    assert lines[1].startswith("ferplus-majority  test   standard      eight")
    classes = tabulate_classes(report.evaluations[0].measured[0])
    assert [row[0] for row in classes.rows] == [*EMOTIONS, "mean"]
    assert classes.rows[EMOTIONS.index("contempt")][4:] == ("–", "–", "0")


def test_command_compares_side_by_side(
    ferplus_folder: Path, make_preset: MakePreset, run_cli: Cli, tmp_path: Path
) -> None:
    eight, seven = make_preset("eight", EMOTIONS), make_preset("seven", FER2013_EMOTIONS)
    options = ["--compare", seven.folder, "--out", tmp_path / "out", "--embeddings", tmp_path / "faces.parquet"]

    code, out, _ = run_cli("evaluate", "emotion", eight.folder, ferplus_folder, *options)

    assert code == 0
    assert re.search(r"ferplus-majority +test +standard +seven +14 ", out)
    assert "what each has over eight" in out
    assert f"wrote {tmp_path / 'out' / 'evaluation.html'}" in out
    assert "49 faces, 8 features each" in out
    code, _, err = run_cli("evaluate", "emotion", eight.folder, ferplus_folder, "--out", eight.weights)
    assert code == 2
    assert err.strip() == f"videmo: --out {eight.weights}: a file; name a folder"


def test_command_compares_on_validation_faces_where_there_are_no_test_faces(
    tmp_path: Path, make_preset: MakePreset, run_cli: Cli
) -> None:
    rng, data = np.random.default_rng(0), tmp_path / "data"
    for split, count in (("train", 2), ("valid", 3)):
        for emotion in FER2013_EMOTIONS:
            (data / split / emotion).mkdir(parents=True)
            for number in range(count):
                face = rng.integers(0, 256, (48, 48), dtype=np.uint8)
                cv2.imwrite(str(data / split / emotion / f"{number}.png"), face)
    seven, other = make_preset("seven", FER2013_EMOTIONS), make_preset("other", FER2013_EMOTIONS)

    code, out, _ = run_cli("evaluate", "emotion", seven.folder, data, "--compare", other.folder)

    assert code == 0
    assert re.search(r"valid +standard +other +21 ", out)
    assert re.search(r"McNemar's test\n.*\n\S+ +valid +standard +other ", out)


def test_embeddings_are_what_the_last_layer_gets(ferplus_folder: Path, make_preset: MakePreset, tmp_path: Path) -> None:
    preset, splits = make_preset("eight", EMOTIONS), read_faces(ferplus_folder)
    path = tmp_path / "new" / "faces.parquet"

    assert write_embeddings(preset, splits, path) == (49, 8)

    table = pq.read_table(path)
    assert table.schema.metadata[b"videmo.preset_sha256"].decode() == preset.sha256
    test = table.to_pandas().query("split == 'test'")
    assert test["label"].tolist() == [EMOTIONS[i % 7] for i in range(14)]
    assert test["name"].tolist() == splits["test"].names.tolist()
    network = keras.saving.load_model(preset.weights)
    logits = network.layers[-1](np.stack(test["embedding"]))
    expected = network.predict_on_batch(splits["test"].images.astype(np.float32)[..., None])
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_a_network_without_a_dense_layer_has_no_embeddings(make_preset: MakePreset) -> None:
    faces = keras.Input((48, 48, 1))
    preset = make_preset("plain", EMOTIONS, keras.Model(faces, keras.layers.GlobalAveragePooling2D()(faces)))

    with pytest.raises(PresetError, match="no Dense layer"):
        build_embedder(preset)

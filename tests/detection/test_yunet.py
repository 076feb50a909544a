from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import face_at, plain

from videmo.detection.yunet import YuNetDetector, build
from videmo.errors import UsageError
from videmo.settings import Settings


class FakeNetwork:
    """Stands in for cv2.FaceDetectorYN and answers with given rows."""

    def __init__(self, rows: np.ndarray | None) -> None:
        self.rows = rows
        self.size: tuple[int, int] | None = None

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802 (OpenCV's name)
        self.size = size

    def detect(self, image: np.ndarray) -> tuple[int, np.ndarray | None]:
        self.image = image
        return 1, self.rows


def detector_with(rows: np.ndarray | None, monkeypatch: pytest.MonkeyPatch) -> tuple[YuNetDetector, FakeNetwork]:
    network = FakeNetwork(rows)
    monkeypatch.setattr("cv2.FaceDetectorYN.create", lambda *_: network)
    return YuNetDetector(Path(__file__)), network  # any file: the network that reads it is not the real one


def test_reads_rows_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = np.arange(15, dtype=np.float32)
    weak[14] = 0.6
    strong = weak + 100
    strong[14] = 0.9
    overflowed = np.full(15, 0.8, np.float32)
    overflowed[2] = np.inf
    outside = strong - 600
    outside[14] = 1.0
    detector, network = detector_with(np.stack([weak, overflowed, outside, strong]), monkeypatch)
    found = detector.detect([np.zeros((240, 320, 3), np.uint8)])[0]
    assert network.size == (320, 240)
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.boxes.tolist() == [[100, 101, 202, 204], [0, 1, 2, 4]]
    assert found.landmarks is not None
    assert found.landmarks[1].tolist() == [[4, 5], [6, 7], [8, 9], [10, 11], [12, 13]]


def test_the_network_sees_blue_first(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, network = detector_with(None, monkeypatch)
    assert len(detector.detect([plain(64, 48, (250, 20, 10))])[0]) == 0
    assert network.image[0, 0].tolist() == [10, 20, 250]


def test_needs_to_be_told_the_model() -> None:
    with pytest.raises(UsageError, match="needs a model file: give --detector-model PATH"):
        build(Settings(detector="yunet"))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.onnx: no such file: give --detector-model"):
        build(Settings(detector_model=tmp_path / "absent.onnx"))


@pytest.mark.parametrize("content", [b"", b"not a network" * 99])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"wrong\.onnx: not a YuNet model") as caught:
        build(Settings(detector_model=path))
    assert "\n" not in str(caught.value)


@pytest.mark.shared
def test_keeps_to_the_score_that_the_user_wants(shared: Path) -> None:
    model = shared / "reference" / "face_detection_yunet_2023mar.onnx"
    canvas = plain(320, 240)
    face_at(canvas, 20, 10, 200)
    assert len(build(Settings(detector_model=model)).detect([canvas])[0]) == 1
    assert len(build(Settings(detector_model=model, min_score=0.99)).detect([canvas])[0]) == 0

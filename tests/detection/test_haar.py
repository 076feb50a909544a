from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from synthetic import face_at, plain

from videmo.detection.haar import HaarDetector, build
from videmo.errors import UsageError
from videmo.settings import Settings


def test_an_ordinary_frontal_face_scores_high() -> None:
    canvas = plain(320, 240)
    face_at(canvas, 20, 10, 200)
    found = HaarDetector().detect([cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)])[0]
    assert found.scores.tolist() == pytest.approx([1], abs=0.1)
    assert found.landmarks is None


def test_leaves_out_what_scores_less_than_the_user_wants() -> None:
    canvas = plain(320, 240)
    face_at(canvas, 20, 10, 200)
    gray = cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)
    assert len(build(Settings(min_score=1.0)).detect([gray])[0]) == 0
    assert len(build(Settings(min_score=0.0)).detect([gray])[0]) >= 1


def test_says_what_to_do_when_opencv_has_no_cascades(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    with pytest.raises(UsageError, match=r"opencv-python>=4\.10,<5"):
        build(Settings())


def test_says_what_to_do_when_opencv_cannot_run_cascades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    with pytest.raises(UsageError, match="--detector"):
        build(Settings())

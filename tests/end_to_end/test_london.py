"""The whole pipeline on twenty people, neutral and smiling: a sanity check that the figures mean what they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import videmo

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def faces(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Person and mood of each picture with the probabilities of its surest face."""
    out = tmp_path_factory.mktemp("london")
    videmo.analyze([shared / "data" / "london"], out, videmo.Settings(annotated_video=False, charts=False))
    frames = pd.read_parquet(out / "frames")[["frame_index", "file_name"]]
    found = pd.read_parquet(out / "faces").merge(frames, on="frame_index").sort_values("detection_score")
    found = found.drop_duplicates("file_name", keep="last")
    return found.join(found["file_name"].str.extract(r"(?P<person>\d+)_(?P<mood>\w+)\."))


def test_a_face_is_found_in_every_picture(faces: pd.DataFrame) -> None:
    assert len(faces) == 40


def test_a_smile_raises_happiness(faces: pd.DataFrame) -> None:
    by_mood = faces.pivot(index="person", columns="mood", values="happiness")
    assert (by_mood["smiling"] > by_mood["neutral"]).sum() >= 19


def test_neutral_faces_read_neutral(faces: pd.DataFrame) -> None:
    assert (faces.loc[faces["mood"] == "neutral", "emotion"] == "neutral").sum() >= 16

"""A study of twelve clips goes from `analyze` to `report` in three commands; its numbers are those of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import pandas as pd
import pytest
from known_clips import ONE_FACE
from numpy.typing import NDArray
from synthetic import write_clip
from typer.testing import CliRunner

from videmo.cli.app import app

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS, PIECES, MOST_FRAMES = 4, 2, 400


def pictures(path: Path, piece: int) -> Iterator[NDArray]:
    """Yield the frames of the n-th few seconds of a clip."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = round(SECONDS * float(stream.average_rate or 25))
        for frame in islice(container.decode(stream), piece * frames, (piece + 1) * frames):
            yield frame.to_ndarray(format="rgb24")


@pytest.fixture(scope="module")
def study(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with twelve clips, a manifest of two conditions and a file of segments."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "clips").mkdir()
    rows = []
    for number, name in enumerate(ONE_FACE):
        for piece in range(PIECES):
            clip = folder / "clips" / f"respondent{number}-{'ab'[piece]}.mp4"
            write_clip(clip, pictures(shared / "videos" / name, piece), fps=25)
            rows.append((f"clips/{clip.name}", f"r{number}{'ab'[piece]}", "advert", "AB"[(number + piece) % 2], 0.5))
    columns = ["file", "respondent", "stimulus", "condition", "offset_s"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "study.csv", index=False)
    (folder / "scenes.csv").write_text("start,end,name\n0,1.5,opening\n1.5,3,claim\n", encoding="utf-8")
    return folder


def test_three_commands_lead_from_clips_to_a_report(study: Path) -> None:
    out = study / "out"
    runner = CliRunner()
    for command in (
        ["analyze", f"{study / 'clips'}", "--out", f"{out}", "--manifest", f"{study / 'study.csv'}",
         "--segments", f"{study / 'scenes.csv'}"],
        ["aggregate", f"{out}", "--by", "condition", "--output", f"{out / 'groups'}"],
        ["report", f"{out}", "--by", "condition"],
    ):  # fmt: skip
        result = runner.invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    videos = pd.read_parquet(out / "videos.parquet")
    assert (videos["status"] == "done").all()
    assert set(videos["condition"]) == {"A", "B"}
    assert len(videos) == len(ONE_FACE) * PIECES == 12
    faces = pd.read_parquet(out / "faces")
    assert faces.groupby("video_id")["respondent"].nunique().eq(1).all()
    page = (out / "report.html").read_text(encoding="utf-8")
    for respondent in videos["respondent"]:
        assert respondent in page
    assert "opening" in page
    assert len(page.encode()) <= 6.2e6

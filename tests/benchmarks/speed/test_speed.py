"""The benchmark itself: it times what really ran, and says so when something did not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clips import write_faces
from measure import BenchmarkError, run
from rivals import contestants
from run import measure_clip


def test_everybody_processes_all_frames_and_videmo_tells_its_stages(tmp_path: Path) -> None:
    clip = tmp_path / "two.mp4"
    write_faces(clip, 320, 180, faces=2, frames=20)
    who = [one for one in contestants(None) if not one.writes_video]
    rows = {row["who"]: row for row in measure_clip(clip, 2, who, 1, tmp_path)}
    assert {row["frames"] for row in rows.values()} == {40}
    decode, videmo = rows["decode alone"], rows["videmo, tables and chart"]
    assert decode["frames/s"] > videmo["frames/s"] > 0
    assert videmo["detect ms/frame"] > 0
    assert videmo["peak MB"] > decode["peak MB"] > 10
    assert 0 < videmo["start, s"] < 40 / videmo["frames/s"]


def test_a_process_that_fails_is_named_with_the_end_of_its_output(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"(?s)ended with 3:.*no such clip"):
        run([sys.executable, "-c", "import sys; print('no such clip'); sys.exit(3)"], tmp_path / "log.txt")

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exported_runs import write_clip
from written_runs import write_segments, write_study

from videmo.findings.tables import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two videos: one smiles for 2 s, is away for 1 s and is angry for 1 s; the other is neutral for 1 s."""
    out = tmp_path / "out"
    write_clip(out, "a", ["happiness"] * 20 + [None] * 10 + ["anger"] * 10)
    write_clip(out, "b", ["neutral"] * 10)
    videos = {"video_id": ["a", "b"], "path": ["/films/a.mp4", "/films/b.mp4"], "status": "done"}
    footer = {"videmo.schema_version": "1.2"}
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(videos)).replace_schema_metadata(footer), out / "videos.parquet")
    return Run(out)


@pytest.fixture
def study(run: Run) -> Run:
    """The same with a study whose texts a spreadsheet would run, and two segments that overlap."""
    write_study(run.out, {"a": {"respondent": "=HYPERLINK(1)", "offset_s": 0.5, "score": "-3"}})
    write_segments(run.out, ("a", "ad", 0.0, 1.0), ("a", "@logo", 0.5, 1.5))
    return Run(run.out)

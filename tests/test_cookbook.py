"""The snippets of examples/cookbook.md run as they stand, and what they find is right."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from written_runs import write_segments, write_study, write_video

from videmo.analysis.folder import RunFolder
from videmo.emotion.labels import EMOTIONS

PAGE = Path(__file__).resolve().parents[1] / "examples" / "cookbook.md"
FPS = 10
RESPONDENTS = {"r1": ("A", 0.5), "r2": ("A", 0.0), "r3": ("B", 0.0)}
SMILES = {"r1": (0.9, 0.9), "r2": (0.1, 0.8), "r3": (0.2, 0.3)}
"""The happiness of each respondent in the first and the second second of the stimulus."""


def snippets(tool: str) -> list[str]:
    """Return the fenced blocks of a section, in order."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {tool}\n")[1].split("\n## ")[0]
    return re.findall(r"```(?:python|r)\n(.*?)```", section, flags=re.DOTALL)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run of three respondents in two conditions; every tenth row is unusable and would spoil it."""
    out = tmp_path / "results"
    study = {}
    for number, (respondent, (condition, offset_s)) in enumerate(RESPONDENTS.items()):
        video_id = f"v{number}"
        seconds = np.arange(round((offset_s + 2) * FPS))
        times_s = (seconds + 0.5) / FPS
        happiness = np.select(
            [times_s < offset_s, times_s < offset_s + 1], [0.0, SMILES[respondent][0]], SMILES[respondent][1]
        )
        usable = seconds % 10 != 9
        faces = pd.DataFrame({"frame_index": seconds.astype(np.int32), "usable": usable})
        faces["happiness"] = np.where(usable, happiness, 0.0).astype(np.float32)
        write_video(out, video_id, times_s, faces)
        study[video_id] = {"respondent": respondent, "condition": condition, "offset_s": offset_s}
    write_study(out, study)
    write_segments(out, ("v0", "ad", 0.0, 1.0))
    videos = pd.DataFrame({"video_id": list(study), "path": "", "status": "done"})
    videos.to_parquet(out / "videos.parquet")
    RunFolder(out).carry_study(study)
    monkeypatch.chdir(tmp_path)
    return out


def check(per_second: pd.DataFrame, share_smiling: pd.DataFrame, wide: pd.DataFrame, usable_share: pd.Series) -> None:
    """Compare what the snippets found with what was written."""
    np.testing.assert_allclose(usable_share, [0.92, 0.9, 0.9])
    found = per_second.set_index(["respondent", "second"])["happiness"]
    for respondent, expected in SMILES.items():
        np.testing.assert_allclose(found[respondent].loc[[0, 1]], expected, atol=1e-6)
    shares = share_smiling.set_index(["condition", "second"])
    assert shares["share"].loc[[("A", 0), ("A", 1), ("B", 0), ("B", 1)]].tolist() == [0.5, 1.0, 0.0, 0.0]
    assert shares["respondents"].loc[[("A", 1), ("B", 1)]].tolist() == [2, 1]
    assert wide["respondent"].tolist() == list(RESPONDENTS)
    assert set(wide.columns) == {"respondent", "condition", *EMOTIONS}
    np.testing.assert_allclose(wide["happiness"].iloc[1:], [0.45, 0.25], atol=1e-6)
    np.testing.assert_allclose(wide[list(EMOTIONS)].sum(axis=1), 1, atol=1e-5)
    saved = pd.read_csv("wide.csv")
    np.testing.assert_allclose(saved["happiness"], wide["happiness"], atol=1e-6)
    assert Path("smiling.png").read_bytes().startswith(b"\x89PNG")


def run_python(tool: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """Run a section's snippets, one after the other, and return their names."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, pd.DataFrame] = {}
    for snippet in snippets(tool):
        exec(compile(snippet, f"{PAGE.name}, {tool}", "exec"), names)
    return names


def test_every_tool_has_its_snippets() -> None:
    assert [len(snippets(tool)) for tool in ("pandas", "DuckDB", "R")] == [6, 5, 5]
    fences = re.findall(r"^```(\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(fences) == 16, "no block stands outside of the sections"


def test_pandas(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_python("pandas", monkeypatch)
    check(names["per_second"].reset_index(), names["share_smiling"].reset_index(), names["wide"], names["usable_share"])
    assert len(names["frames"]) == len(names["faces"]) == 65
    assert names["videos"]["video_id"].tolist() == ["v0", "v1", "v2"]


def test_duckdb(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("duckdb", reason="DuckDB is not installed")
    names = run_python("DuckDB", monkeypatch)
    check(names["per_second"], names["share_smiling"], names["wide"], names["usable_share"]["usable_share"])


@lru_cache
def why_not_r() -> str:
    """Return what is missing to run R, nothing where all is there."""
    if shutil.which("Rscript") is None:
        return "R is not installed: no Rscript on the path"
    packages = 'c("arrow", "dplyr", "tidyr", "ggplot2")'
    ask = f"cat(Filter(function(p) !requireNamespace(p, quietly = TRUE), {packages}))"
    missing = subprocess.run(["Rscript", "-e", ask], capture_output=True, text=True, check=True).stdout
    return f"R lacks {missing}" if missing else ""


def test_r(results: Path) -> None:
    if why_not_r():
        pytest.skip(why_not_r())
    tables = ("per_second", "share_smiling", "wide", "usable_share")
    saving = [f'write.csv({name}, "r_{name}.csv", row.names = FALSE)' for name in tables]
    Path("cookbook.R").write_text("\n".join([*snippets("R"), *saving]), encoding="utf-8")
    done = subprocess.run(["Rscript", "cookbook.R"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    per_second, share_smiling, wide, usable_share = (pd.read_csv(f"r_{name}.csv") for name in tables)
    check(per_second, share_smiling, wide, usable_share["usable_share"])

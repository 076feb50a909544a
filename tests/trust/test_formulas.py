"""Tables for spreadsheets: no cell that a name filled is run as a formula. Charts as SVG: names are drawings."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
import skimage.data
from PIL import Image
from reported_runs import finish, wander
from written_runs import write_study, write_video

from videmo.cli.formats import Format, write_rows

Cli = Callable[..., tuple[int, str, str]]
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "a\r=1", "a\r\n=1"]
HARMLESS = ["a=b", "-5", "+1.5", "1e3", "p 1", "'quoted"]


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_rows_of_commands_are_defused(tmp_path: Path) -> None:
    rows = pd.DataFrame({"respondent": [*FORMULAS, *HARMLESS], "=column": 1.5})
    write_rows(rows, Format.CSV, tmp_path / "rows.csv")
    head, *body = cells((tmp_path / "rows.csv").read_bytes().decode())
    assert head == ["respondent", "'=column"]
    expected = [text.replace("\r\n", "\n").replace("\r", "\n") for text in FORMULAS]
    assert [row[0] for row in body] == [*(f"'{text}" if text[0] in "=+-@\t" else text for text in expected), *HARMLESS]
    assert {row[1] for row in body} == {"1.5"}


def test_pictures_of_hostile_names_are_defused(tmp_path: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "face.png")
    shutil.copy(tmp_path / "face.png", tmp_path / "=1+1.png")
    assert run_cli("predict", "=1+1.png", "--out", "faces.csv")[0] == 0
    assert pd.read_csv(tmp_path / "faces.csv")["file"].tolist() == ["'=1+1.png"]


def test_charts_as_svg_hold_shapes_and_no_more(tmp_path: Path, run_cli: Cli) -> None:
    hostile = "--></svg><script>hacked=1</script><a href='javascript:1'><image href='https://evil.example/x'/>$x^2$"
    labels = ("neutral", hostile)
    for number in range(3):
        write_video(tmp_path / "out", f"v{number}", [at / 5 for at in range(20)], wander(20, number, labels), labels)
    write_study(tmp_path / "out", {f"v{n}": {"respondent": f"{hostile}{n}", "condition": hostile} for n in range(3)})
    finish(tmp_path / "out")
    assert run_cli("charts", tmp_path / "out", "--format", "svg", "--out", tmp_path / "charts")[0] == 0
    assert run_cli("aggregate", tmp_path / "out", "--charts", tmp_path / "groups", "--chart-format", "svg")[0] == 0
    paths = sorted(tmp_path.rglob("*.svg"))
    assert len(paths) > 3
    for path in paths:
        for element in ElementTree.parse(path).iter():
            name = str(element.tag).rpartition("}")[2]
            assert name not in ("script", "a", "foreignObject", "iframe"), path
            for key, value in element.attrib.items():
                assert not key.startswith("on")
                assert not key.endswith("href") or value.startswith(("#", "data:image/png;base64,")), path

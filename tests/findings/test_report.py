"""The report without a browser: what is on the page, that it is what the tables say, and that names stay names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from html_pages import Reader
from hypothesis import given
from hypothesis import strategies as st
from plotly.graph_objects import Figure
from reported_runs import finish, wander, write_face
from written_runs import write_segments, write_study, write_video

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.findings.report.embed import MISSING, SCALE, spell_json
from videmo.findings.report.page import write_report
from videmo.findings.report.sections import REASONS
from videmo.findings.report.views import Kind, spell_share, to_cell
from videmo.findings.tables import Run
from videmo.quality import EXCLUDE_REASONS

HOSTILE = '</script><img src=x onerror="hacked=1"><b>\'{{ 7*7 }}'
Cli = Callable[..., tuple[int, str, str]]


@contextmanager
def missing_package(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `import name` fail, and what imports it be imported again."""
    with monkeypatch.context() as patch:
        for module in [each for each in sys.modules if each.startswith("videmo.findings.report")]:
            patch.delitem(sys.modules, module)
        patch.setitem(sys.modules, name, None)
        yield


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two conditions of three respondents, 12 s each, a quarter of one video not usable, one input that failed."""
    out = tmp_path_factory.mktemp("study") / "out"
    rows = {}
    for number in range(6):
        video_id = f"v{number}"
        faces = wander(120, seed=number)
        if number == 0:
            late = np.arange(120) >= 90
            faces["usable"], faces["exclude_reason"] = ~late, pd.Categorical(np.where(late, "blurred", None))
        write_video(out, video_id, (np.arange(120) / 10).tolist(), faces)
        name = HOSTILE if number == 5 else f"R{number}"
        rows[video_id] = {"respondent": name, "condition": "old" if number < 3 else "new", "offset_s": 1.0}
    write_study(out, rows)
    write_segments(out, *((f"v{number}", HOSTILE, 2.0, 6.0) for number in range(6)))
    failed = {"video_id": "bad", "path": "/films/bad.mp4", "error": "/films/bad.mp4: not a video"}
    run = finish(out, failed, v1=["2 frames could not be decoded"])
    write_report(run)
    return run


@pytest.fixture(scope="module")
def html(study: Run) -> str:
    return (study.out / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Reader:
    return Reader(html)


@pytest.fixture(scope="module")
def data(page: Reader) -> dict[str, Any]:
    return dict(json.loads(page.scripts["report-data"]))


def table(run: Run, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.out / "findings" / f"{name}.parquet")


def shown(page: Reader, title: str) -> pd.DataFrame:
    head, *rows = page.tables[title]
    return pd.DataFrame(rows, columns=head)


def test_sections_come_in_their_order(page: Reader) -> None:
    wanted = ["overview", "quality", "videos", "segments", "moments", "groups", "methods", "limits"]
    assert [name for name in page.ids if name in wanted] == wanted


def test_the_overview_counts(study: Run, page: Reader) -> None:
    figures = table(study, "overview").set_index("figure")["value"]
    counts = figures[["videos", "done", "failed", "respondents", "tracks"]]
    assert counts.tolist() == [7, 6, 1, 6, 6]
    assert figures["face time"] == pytest.approx(72)
    assert figures["usable share"] == pytest.approx(69 / 72)
    videos = shown(page, "videos")
    assert videos.loc[0, ["video", "status", "why it failed"]].tolist() == [
        "bad",
        "failed",
        "/films/bad.mp4: not a video",
    ]


def test_quality_says_how_much_and_why(study: Run, page: Reader) -> None:
    quality = table(study, "quality").set_index("video_id")
    assert quality.loc["v0", "usable_share"] == pytest.approx(0.75)
    assert quality.loc["v0", "main_reason"] == "blurred"
    assert quality.loc["v1":, "usable_share"].tolist() == [1.0] * 5
    assert page.tables["reasons-of-exclusion"][1:] == [["blurred", "3.0 s", "4 %", "1"]]
    assert page.tables["warnings"][1:] == [["v1", "2 frames could not be decoded"]]


@pytest.mark.parametrize(
    ("title", "file", "columns"),
    [
        ("usable-share-of-each-video", "quality", {"usable": ("usable_share", "share"), "tracks": ("tracks", "count")}),
        ("segments", "segment_summary", {label: (f"mean_{label}", "probability") for label in EMOTIONS}),
        ("moments-of-each-track", "moments", {"peak at": ("peak_s", "clock"), "over usual": ("strength", "number")}),
        ("differences-between-groups", "group_comparison", {"p": ("p", "p"), "g": ("g", "number")}),
        ("inter-subject-correlation", "synchrony", {"correlation": ("isc", "number"), "p": ("p", "p")}),
        ("source-files", "sources", {"SHA-256": ("sha256", "long")}),
    ],
)
def test_tables_on_the_page_are_those_of_the_files(
    study: Run, page: Reader, title: str, file: str, columns: dict[str, tuple[str, Kind]]
) -> None:
    rows, written = shown(page, title), table(study, file)
    assert len(rows) == min(len(written), 25 if file == "moments" else 100) > 0
    for column, (name, kind) in columns.items():
        assert rows[column].tolist() == [to_cell(value, kind).text for value in written[name].head(len(rows))]


def test_embedded_curves_are_the_table(study: Run, data: dict[str, Any]) -> None:
    curves = table(study, "curves")
    assert len(data["videos"]) == curves["video_id"].nunique() == 6
    assert [label["name"] for label in data["labels"]] == list(EMOTIONS)
    for key, (_, rows) in zip(data["videos"], curves.groupby("video_id"), strict=True):
        video = data["videos"][key]
        epochs = np.frombuffer(base64.b64decode(video["epochs"]), "<u4") * data["epoch_s"]
        np.testing.assert_allclose(epochs, rows["epoch_start_s"])
        for kind, suffix in (("raw", ""), ("smoothed", "_smoothed")):
            for label, packed in zip(EMOTIONS, video[kind], strict=True):
                values = np.frombuffer(base64.b64decode(packed), "<u2")
                expected = rows[f"{label}{suffix}"].mul(SCALE).round().fillna(MISSING)
                np.testing.assert_array_equal(values, expected)
        (track,) = video["tracks"]
        assert (track["id"], track["first"], track["rows"]) == (1, 0, len(rows))
        assert track["seen_s"] == pytest.approx(rows["seen_s"].sum(), abs=1e-3)


def test_embedded_spans_are_the_tables(study: Run, data: dict[str, Any]) -> None:
    moments = table(study, "moments").sort_values(["video_id", "start_s"], kind="stable").round(3)
    rows = [row for video in data["videos"].values() for row in video["moments"]["rows"]]
    columns = ["track_id", "start_s", "peak_s", "end_s", "strength"]
    assert [row[1:] for row in rows] == moments[columns].to_numpy().tolist()
    assert [EMOTIONS[row[0]] for row in rows] == moments["signal"].tolist()
    for video in data["videos"].values():
        assert video["segments"] == {"rows": [[HOSTILE, 2.0, 6.0]], "more": 0}
        assert (video["starts_s"], video["ends_s"], video["stimulus_s"]) == (0.0, pytest.approx(12.0), 1.0)


def test_charts_of_groups_are_the_table(study: Run, data: dict[str, Any]) -> None:
    curves = table(study, "group_curves").round(3)
    charts = list(data["charts"].values())
    assert len(charts) == curves["signal"].nunique() == len(EMOTIONS)
    for chart, signal in zip(charts, curves["signal"].unique(), strict=True):
        lines = [trace for trace in chart["data"] if trace["mode"] == "lines"]
        for trace in lines:
            rows = curves[(curves["signal"] == signal) & (curves["group"] == trace["name"])]
            column = "showing" if trace.get("yaxis") == "y2" else "mean"
            assert trace["y"] == rows[column].tolist()
            assert trace["customdata"] == rows["respondents"].tolist()
        assert len(lines) == 4


def test_charts_are_what_plotly_knows(data: dict[str, Any]) -> None:
    for chart in data["charts"].values():
        assert len(Figure(chart).data) == len(chart["data"])  # refuses properties that do not exist


def test_every_caption_names_a_file_that_is_there(study: Run, html: str) -> None:
    named = set(re.findall(r"findings/(\w+)\.parquet", html))
    written = {path.stem for path in (study.out / "findings").iterdir()}
    # Nothing is shown of these two: no moment is shared here, and every respondent has one video.
    assert named == written - {"shared_moments", "quality_by_respondent"}


def test_names_stay_names(html: str, page: Reader, data: dict[str, Any]) -> None:
    assert "<img" not in html.split('id="report-data"')[0]
    assert "<b>'" not in page.scripts["report-data"]
    assert HOSTILE in shown(page, "segments")["segment"].tolist()
    assert HOSTILE in shown(page, "segments")["respondent"].tolist()
    assert "49" not in shown(page, "segments")["segment"].str.cat()


@given(st.recursive(st.text() | st.integers() | st.booleans(), st.lists))
def test_embedded_json_says_what_it_was_given_and_ends_no_script(values: object) -> None:
    text = spell_json(values)
    assert json.loads(text) == values
    assert not set("<>&\u2028\u2029") & set(text)


def test_only_our_scripts_may_run_and_nothing_is_fetched(page: Reader) -> None:
    allowed = re.search(r"script-src ([^;]*);", page.policy)
    assert allowed
    scripts = [text for name, text in page.scripts.items() if name != "report-data"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert allowed[1].split() == [f"'sha256-{digest}'" for digest in digests]
    assert page.policy.startswith("default-src 'none';")
    assert {link[:1] for link in page.links} == {"#", "d"}  # sections, and data: for the icon
    assert "data:," in page.links


def test_the_command_writes_the_page(study: Run, tmp_path: Path, run_cli: Cli) -> None:
    page = tmp_path / "page.html"
    assert run_cli("report", study.out, "--output", page, "--by", "respondent") == (0, f"{page}\n", "")
    assert "Respondents together, by respondent" in page.read_text(encoding="utf-8")


def test_what_is_wrong_is_named(study: Run, tmp_path: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run_cli("report", study.out, "--by", "conditoin", "--output", tmp_path / "x.html")
    assert (code, "did you mean 'condition'?" in err) == (2, True)
    assert not (tmp_path / "x.html").exists()
    write_face(tmp_path / "old", "v", 1, fps=5)
    write_study(tmp_path / "old", {"v": {"respondent": "R", "main_reason": "rain"}})
    code, _, err = run_cli("report", finish(tmp_path / "old").out, "--by", "main_reason")
    assert (code, "manifest column main_reason: videmo's table has columns of this name: rename it" in err) == (2, True)
    write_face(tmp_path / "half", "v", 1, fps=5)
    (finish(tmp_path / "half").out / "run.json").unlink()
    with pytest.raises(UsageError, match=r"run\.json: missing: the run was not finished"):
        write_report(Run(tmp_path / "half"))
    with missing_package("jinja2", monkeypatch):
        code, _, err = run_cli("report", study.out)
    assert (code, 'this command needs jinja2: pip install "videmo[report]"' in err) == (2, True)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.996, "99.6 %"),
        (0.9999, "> 99.9 %"),
        (0.004, "0.4 %"),
        (1e-5, "< 0.1 %"),
    ],
)
def test_only_all_and_nothing_read_so(share: float, text: str) -> None:
    assert spell_share(share) == text


def test_the_methods_list_the_limits_in_the_order_in_which_they_are_named(html: str) -> None:
    words = ["size", "cut off", "brightness", "brightness", "contrast", "sharpness", "turn of", "occlusion", "score"]
    usable = html.split("<dt>Usable</dt>")[1].split("</dd>")[0]
    places = [usable.find(word) for _, word in zip(EXCLUDE_REASONS, words, strict=True)]
    assert -1 not in places
    assert places == sorted(places)
    assert list(REASONS) == list(EXCLUDE_REASONS)


def test_what_only_colour_says_is_printed_and_no_rule_of_style_stands_twice(html: str) -> None:
    style = html.split("<style>")[1].split("@media")[0]
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    printed = [selector.strip() for selector, says in rules if says.strip() == "print-color-adjust: exact;"]
    assert printed == [".swatch, .bar, td.probability"]
    assert len(set(rules)) == len(rules)

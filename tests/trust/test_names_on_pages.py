"""Whatever people and files are called: on a page it is text, never an element, a script or a link."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from reported_runs import finish, wander
from written_runs import write_segments, write_study, write_video

from videmo.emotion.labels import EMOTIONS
from videmo.findings.report.page import write_report
from videmo.findings.tables import Run
from videmo.output.names import IDENTITIES
from videmo.output.parquet import write_table
from videmo.output.schema import videos_schema
from videmo.presets import find_preset

pytestmark = pytest.mark.timeout(200)  # a browser is started, five megabytes of page read on a busy machine

FOREIGN = (
    "img[src='x'], svg[onload], i.evil, a[href*='evil'], script[src], iframe, object, embed, base, "
    "[onerror], [onload], [onclick], [autofocus], meta[http-equiv='refresh']"
)
"""What the hostile names would be as elements."""


def hostile(where: str) -> str:
    """Return a name that tries every way out, and says where it stood."""
    return (
        f"{where}-name</script></title></style><script>hacked='{where}'</script>"
        f"<img src=x onerror=\"hacked='{where}'\">"
        f"<i class=evil>'\"><a href='javascript:hacked=1'>evil</a><a href='https://evil.example'>evil</a>"
        "{{ 7*7 }}${7*7}%{y}&lt;img src=x&gt;<!--"
    )


def hostile_folder(where: str) -> str:
    return hostile(where).replace("/", "\u2215")[:180]


LABELS = ("neutral", "happiness<img src=x onerror=hacked=1>", "</script><i class=evil>sadness")
STUDY = ("respondent", "stimulus", "condition", "purpose", "consent_id", "further")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run in which everything that a user names has a hostile name."""
    out = tmp_path_factory.mktemp("hostile") / hostile_folder("folder")
    study = {}
    for number in range(6):
        write_video(out, f"v{number}", [at / 10 for at in range(80)], wander(80, number, LABELS), LABELS)
        study[f"v{number}"] = {name: hostile(name) for name in STUDY} | {
            "respondent": f"{hostile('respondent')}{number}"
        }
        study[f"v{number}"]["condition"] = hostile("old" if number < 3 else "new")
        study[f"v{number}"][hostile("column")] = "a column of the manifest with such a name"
    write_study(out, study)
    write_segments(out, *((f"v{number}", hostile("segment"), 1.0, 5.0) for number in range(6)))
    finish(out, {"video_id": "bad", "path": hostile("failed"), "error": hostile("error")}, v1=[hostile("warning")])
    _name_files(out)
    _name_programs(out / "run.json")
    people = [(f"v{number}", 1, hostile("identity")) for number in range(6)]
    pd.DataFrame(people, columns=["video_id", "track_id", "identity"]).to_csv(out / IDENTITIES, index=False)
    return write_report(Run(out), by="condition")


def _name_files(out: Path) -> None:
    rows = Run(out).videos()
    rows["path"] = [f"/films/{hostile('file').replace('/', ' ')}-{number}" for number in range(len(rows))]
    table = pa.Table.from_pandas(rows, videos_schema(), preserve_index=False)
    write_table(out / "videos.parquet", table, {})


def _name_programs(path: Path) -> None:
    record = json.loads(path.read_text())
    record["preset"]["name"] = hostile("preset")
    record["settings"] |= {"model": hostile("model"), hostile("setting"): 1}
    record["versions"] |= {hostile("program"): hostile("version")}
    record["machine"]["system"] = hostile("machine")
    path.write_text(json.dumps(record))


class Visit:
    """An open page, all of it seen, with what the browser complained of, asked for and was asked."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.heard: list[str] = []
        self.requests: list[str] = []
        for event in ("console", "pageerror", "dialog", "popup", "download", "framenavigated"):
            self.page.on(event, lambda said, event=event: self.heard.append(f"{event}: {said}"))
        self.page.on("request", lambda asked: self.requests.append(asked.url))
        self.page.goto(path.as_uri())
        self.page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")

    def see_all(self, charts: int) -> None:
        """Scroll through the page until every chart is drawn, and rest the pointer on each."""
        for section in self.page.locator("main > section").all():
            section.scroll_into_view_if_needed()
        for host in self.page.locator(".plot, .group-chart").all():
            host.scroll_into_view_if_needed()
            for _ in range(400):
                if host.locator(".scatterlayer").count():
                    break
                self.page.wait_for_timeout(50)
            host.hover()
            self.page.wait_for_timeout(100)
        assert self.page.locator(".scatterlayer").count() >= charts

    def text(self) -> str:
        """Return all that can be read, in elements and in what assistive tools say."""
        names = "[...document.querySelectorAll('*')].flatMap((e) => [e.ariaLabel ?? '', e.title ?? ''])"
        return str(
            self.page.evaluate(f"[document.title, document.documentElement.textContent, ...{names}].join('\\n')")
        )

    def links(self) -> list[str]:
        """Return where the page's links lead, in HTML and in charts."""
        where = "(e) => e.getAttribute('href') ?? e.getAttribute('xlink:href') ?? ''"
        return list(self.page.evaluate(f"[...document.querySelectorAll('a')].map({where})"))


def expect_text_only(visit: Visit, path: Path, names: Sequence[str]) -> None:
    assert visit.page.evaluate("window.hacked") is None
    assert visit.page.locator(FOREIGN).count() == 0
    assert [said for said in visit.heard if not said.startswith("framenavigated")] == []
    assert len(visit.heard) == 1  # the page itself
    assert {url for url in visit.requests if not url.startswith("data:")} == {path.as_uri()}
    assert all(link.startswith("#") for link in visit.links())
    text = visit.text()
    assert [name for name in names if name not in text] == []


def test_in_a_report_every_name_is_text(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)
    visit.see_all(charts=6)
    names = ["respondent", "stimulus", "old", "new", "purpose", "segment", "identity", "error", "warning"]
    names += ["model", "setting", "program", "version", "machine"]
    shown = [hostile(name) for name in names]
    expect_text_only(visit, report, [hostile_folder("folder"), *LABELS, *shown])
    assert visit.page.title() == f"{hostile_folder('folder')} \u00b7 videmo report"
    visit.page.close()


def test_names_in_charts_are_drawn_as_they_are(browser: Any, report: Path) -> None:
    visit = Visit(browser, report)
    visit.see_all(charts=6)
    legends = visit.page.locator(".group-chart .legendtext").all_text_contents()
    assert hostile("old")[:20] in {text[:20] for text in legends}
    assert all("<i class=evil>" in text for text in legends)
    visit.page.close()


def test_on_the_page_of_an_evaluation_every_name_is_text(browser: Any, evaluation: Path) -> None:
    visit = Visit(browser, evaluation)
    expect_text_only(visit, evaluation, [hostile("first"), hostile("second"), hostile_folder("data")])
    assert visit.page.title() == f"{hostile('first')} on {hostile_folder('data')}"
    visit.page.close()


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of an evaluation of two presets with hostile names, on data of such a name."""
    from videmo.training.emotion.evaluation import evaluate_presets

    root = tmp_path_factory.mktemp("evaluation")
    presets = []
    for name in ("first", "second"):
        folder = Path(shutil.copytree(find_preset("ferplus-resnet-48", "emotion").folder, root / name))
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"name": hostile(name)}))
        presets.append(find_preset(folder, "emotion"))
    data = root / hostile_folder("data")
    _write_faces(data)
    evaluate_presets(data, presets).write(root / "out")
    (page,) = (root / "out").rglob("*.html")
    return page


def _write_faces(folder: Path) -> None:
    import cv2
    import numpy as np

    noise = np.random.default_rng(0)
    for split in ("train", "valid", "test"):
        for label in EMOTIONS:
            (folder / split / label).mkdir(parents=True)
            for number in range(3):
                pixels = noise.integers(0, 255, (48, 48), np.uint8)
                cv2.imwrite(str(folder / split / label / f"{number}.png"), pixels)

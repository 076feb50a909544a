"""The report in a real browser: chart and video move each other, by mouse and by keyboard, whatever the names are."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from written_runs import write_segments, write_study

import videmo
from videmo.datatypes import RunReport
from videmo.findings.report.page import write_report
from videmo.findings.report.views import spell_clock
from videmo.findings.tables import Run

pytestmark = pytest.mark.timeout(
    120
)  # a video is analysed, a browser started, five megabytes of page read on a busy machine

HOSTILE = '</script><img src=x onerror="window.hacked=1"><b>\''
CURSOR = "document.querySelector('.cursor').getBoundingClientRect().left + 1"
FILM = "document.querySelector('video')"
PLOT = "document.querySelector('.plot')"


@pytest.fixture(scope="module")
def report(run: tuple[Path, RunReport], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one clip with an annotated video; respondent and segments have names that try to break out."""
    out = Path(shutil.copytree(run[0], tmp_path_factory.mktemp("report") / "out"))
    write_study(out, {"face": {"respondent": HOSTILE, "condition": HOSTILE}})
    write_segments(out, ("face", "first", 0.0, 0.8), ("face", HOSTILE, 0.8, 1.5))
    return write_report(Run(out))


STATE = (
    "(v => v && JSON.stringify({at: v.currentTime, of: v.duration, ready: v.readyState, network: v.networkState,"
    " paused: v.paused, ended: v.ended, seeking: v.seeking, top: v.getBoundingClientRect().top,"
    " focus: document.activeElement.className}))(document.querySelector('video'))"
)
"""What the film does, for messages."""


class Visit:
    """An open report, with what the browser complained about and asked for."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.page = browser.new_page(**({"viewport": {"width": 1400, "height": 900}} | options))
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.locator(".panel").scroll_into_view_if_needed()
        self.wait("document.querySelector('.plot .scatterlayer') !== null")
        if self.page.locator("video").count():
            self.wait(f"{FILM}.readyState >= 1 || {FILM}.error !== null")

    def ask(self, script: str) -> Any:
        return self.page.evaluate(script)

    def wait(self, condition: str) -> None:
        """Until it holds; Playwright's own waiting needs eval, which the page's policy forbids."""
        deadline_s = time.monotonic() + 20
        while not self.ask(condition):
            assert time.monotonic() < deadline_s, f"never so: {condition}; {self.ask(STATE)}"
            self.page.wait_for_timeout(20)

    def pixel_of(self, time_s: float) -> float:
        """Where Plotly itself would draw a time, px of the window."""
        left = self.ask(f"{PLOT}.getBoundingClientRect().left")
        return float(left + self.ask(f"{PLOT}._fullLayout.xaxis._offset + {PLOT}._fullLayout.xaxis.l2p({time_s})"))

    def expect_at(self, time_s: float) -> None:
        """Video, cursor, clock and slider are at a time."""
        self.wait(f"Math.abs({FILM}.currentTime - {time_s}) < 0.02 && !{FILM}.seeking")
        self.wait(f"Math.abs({CURSOR} - {self.pixel_of(time_s)}) < 2")
        self.wait(f"Math.abs(document.querySelector('.chart').getAttribute('aria-valuenow') - {time_s}) < 0.06")


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Visit]:
    """The report, which must neither complain nor ask for anything but itself and its video."""
    visit = Visit(browser, report)
    yield visit
    folder = report.parent.as_uri()
    assert visit.complaints == []
    assert {url for url in visit.requests if not url.startswith("data:")} == {
        f"{folder}/report.html",
        f"{folder}/annotated/face.mp4",
    }
    visit.page.close()


def test_a_click_in_the_chart_moves_the_video(visit: Visit) -> None:
    box = visit.page.locator(".chart").bounding_box()
    for time_s in (1.1, 0.3):
        visit.page.mouse.click(visit.pixel_of(time_s), box["y"] + box["height"] / 2)
        visit.expect_at(time_s)
        assert abs(visit.ask(f"{FILM}.currentTime") - time_s) < 0.06


def test_the_video_moves_the_cursor(visit: Visit) -> None:
    visit.ask(f"{FILM}.currentTime = 0.9")
    visit.expect_at(0.9)
    before = visit.ask(CURSOR)
    visit.ask(f"{FILM}.muted = true, {FILM}.currentTime = 0, void {FILM}.play()")
    visit.wait(f"{FILM}.ended")
    assert visit.ask(CURSOR) > before
    visit.expect_at(visit.ask(f"{FILM}.currentTime"))


def test_a_drag_zooms_and_does_not_seek(visit: Visit) -> None:
    box = visit.page.locator(".chart").bounding_box()
    middle = box["y"] + box["height"] / 2
    visit.page.mouse.move(visit.pixel_of(0.4), middle)
    visit.page.mouse.down()
    visit.page.mouse.move(visit.pixel_of(1.0), middle, steps=5)
    visit.page.mouse.up()
    visit.wait(f"{PLOT}._fullLayout.xaxis.range[0] > 0.3")
    assert visit.ask(f"{FILM}.currentTime") == 0
    visit.wait("document.querySelector('.cursor').hidden")
    visit.page.mouse.click(visit.pixel_of(0.7), middle)
    visit.expect_at(0.7)
    visit.page.get_by_role("button", name="Whole video").click()
    visit.wait(f"{PLOT}._fullLayout.xaxis.range[0] < 0.1")
    visit.expect_at(0.7)


def test_a_finger_that_pans_the_page_does_not_seek_later(visit: Visit) -> None:
    box = visit.page.locator(".chart").bounding_box()
    x, finger = visit.pixel_of(1.1), "{bubbles: true, button: 0, pointerType: 'touch', clientX: "
    for event, target in (("pointerdown", "document.querySelector('.chart')"), ("pointercancel", "document.body")):
        visit.ask(f"void {target}.dispatchEvent(new PointerEvent('{event}', {finger}{x}}}))")
    visit.ask(f"void document.body.dispatchEvent(new PointerEvent('pointerup', {finger}{x}}}))")
    visit.expect_at(0)
    assert visit.ask(f"{FILM}.currentTime") == 0
    visit.page.mouse.click(x, box["y"] + box["height"] / 2)
    visit.expect_at(1.1)


def test_an_epoch_alone_between_gaps_is_a_dot(visit: Visit) -> None:
    line = "{x: [0, 1, 2, null, 4, null, 6], y: [0.1, 0.2, null, null, 0.4, null, 0.6], line: {color: 'red', width: 1}}"
    assert visit.ask(f"Timeline.prototype.dots({line}).map(({{x, y}}) => ({{x, y}}))") == [
        {"x": [4, 6], "y": [0.4, 0.6]}
    ]
    assert visit.ask("Timeline.prototype.dots({x: [0, 1], y: [0.1, 0.2], line: {}})") == []


def test_clocks_read_like_those_of_the_tables(visit: Visit) -> None:
    for seconds in (-0.5, -0.01, 0, 59.96, 75.26, 3599.94, 3599.96, 3725.67, 40000):
        assert visit.ask(f"spellClock({seconds})") == spell_clock(seconds)


def test_the_keyboard_does_it_all(visit: Visit) -> None:
    visit.ask(f"{FILM}.muted = true")
    chart = visit.page.get_by_role("slider", name="Time in")
    chart.focus()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    for key, time_s in (("ArrowRight", 1.0), ("Shift+ArrowRight", 1.1), ("Shift+ArrowLeft", 1.0), ("ArrowLeft", 0.0)):
        visit.page.keyboard.press(key)
        visit.expect_at(time_s)
    assert visit.ask(outline) == "solid"
    visit.page.keyboard.press("End")
    # A film that is told to play before it has arrived at its end stops there.
    visit.wait(f"{FILM}.duration - {FILM}.currentTime < 0.1 && !{FILM}.seeking")
    visit.page.keyboard.press("Home")
    visit.expect_at(0)
    visit.page.keyboard.press("Space")
    visit.wait(f"{FILM}.currentTime > 0.1")
    visit.page.keyboard.press("Escape")
    assert visit.ask(f"{FILM}.paused")


def test_tab_reaches_everything_in_order(visit: Visit) -> None:
    visit.page.keyboard.press("Tab")
    assert visit.ask("document.activeElement.className") == "skip"
    reached: list[str] = []
    while "jump" not in reached and len(reached) < 80:
        visit.page.keyboard.press("Tab")
        name = "document.activeElement.closest('.jumps') ? 'jump' : document.activeElement.className"
        reached.append(visit.ask(f"({name}) || document.activeElement.localName"))
    parts = ["video", "input", "reset", "chart", "chip", "jump"]
    assert sorted(parts, key=reached.index) == parts


def test_segments_are_buttons_that_jump(visit: Visit) -> None:
    first, second = visit.page.locator(".segments button").all()
    second.click()
    visit.expect_at(0.8)
    first.focus()
    visit.page.keyboard.press("Enter")
    visit.expect_at(0.0)
    assert second.locator(".name").text_content() == HOSTILE


def test_names_are_text(visit: Visit) -> None:
    assert visit.ask("window.hacked") is None
    assert visit.page.locator("main img").count() == 0
    assert visit.page.locator(".panel h3").text_content() == f"{HOSTILE} · face"
    visit.page.locator("#groups").scroll_into_view_if_needed()
    visit.wait("document.querySelector('.group-chart .legend') !== null")
    assert visit.ask("window.hacked") is None
    assert visit.page.locator(".group-chart img, .group-chart b").count() == 0


def test_expressions_can_be_hidden_and_values_are_read(visit: Visit) -> None:
    chip = visit.page.get_by_role("button", name="happiness").first
    drawn = "document.querySelectorAll('.plot .scatterlayer .trace').length"
    both = visit.ask(drawn)
    chip.click()
    assert chip.get_attribute("aria-pressed") == "false"
    visit.wait(f"{drawn} === {both - 2}")
    visit.page.get_by_role("checkbox", name="raw").uncheck()
    visit.wait(f"{drawn} === {(both - 2) // 2}")
    reading = float(chip.locator("output").text_content())
    assert reading == pytest.approx(visit.ask(f"{PLOT}.data.find((line) => line.name === 'happiness').y[0]"), abs=0.006)


def test_dark_and_light(browser: Any, report: Path) -> None:
    dark = Visit(browser, report, color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert dark.ask(paper) == "rgb(20, 23, 26)"
    dark.page.get_by_role("button", name="light and dark").click()
    assert dark.ask(paper) == "rgb(255, 255, 255)"
    assert dark.complaints == []
    dark.page.close()


@pytest.mark.parametrize("width_px", [360, 800, 1400])
def test_nothing_overflows(browser: Any, report: Path, width_px: int) -> None:
    visit = Visit(browser, report, viewport={"width": width_px, "height": 800})
    for section in visit.page.locator("main > section").all():
        section.scroll_into_view_if_needed()
    assert visit.ask("document.documentElement.scrollWidth") <= width_px
    visit.page.close()


def test_less_motion_still_follows(browser: Any, report: Path) -> None:
    visit = Visit(browser, report, reduced_motion="reduce")
    visit.ask(f"{FILM}.muted = true, void {FILM}.play()")
    visit.wait(f"{FILM}.ended")
    visit.expect_at(visit.ask(f"{FILM}.currentTime"))
    assert visit.ask("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    visit.page.close()


def test_paper_has_charts_and_no_controls(browser: Any, report: Path, tmp_path: Path) -> None:
    visit = Visit(browser, report, color_scheme="dark")
    visit.page.emulate_media(media="print")
    visit.ask("window.dispatchEvent(new Event('beforeprint'))")
    assert visit.page.locator(".controls:visible, video:visible, nav:visible").count() == 0
    assert visit.page.locator("details:not([open])").count() == 0
    assert visit.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    charts = visit.page.locator(".plot, .group-chart").all()
    assert len(charts) > 1
    for chart in charts:
        assert chart.locator(".scatterlayer path").count() > 0
        assert chart.locator("svg").first.bounding_box()["height"] == chart.bounding_box()["height"]
    visit.ask("window.dispatchEvent(new Event('afterprint'))")
    assert visit.page.pdf(path=tmp_path / "paper.pdf").startswith(b"%PDF")
    visit.page.close()


def test_a_part_of_a_video_keeps_the_time_of_the_whole(browser: Any, clip: Path, tmp_path: Path) -> None:
    videmo.analyze([clip], tmp_path / "out", videmo.Settings(start_s=0.5, charts=False))
    visit = Visit(browser, write_report(Run(tmp_path / "out")))
    first_s = Run(tmp_path / "out").frames("face")["time_s"].min()
    assert first_s >= 0.5
    visit.ask(f"{FILM}.currentTime = 0.4")
    visit.wait(f"Math.abs({CURSOR} - {visit.pixel_of(first_s + 0.4)}) < 2")
    visit.page.mouse.click(visit.pixel_of(first_s + 0.2), visit.page.locator(".chart").bounding_box()["y"] + 100)
    visit.wait(f"Math.abs({FILM}.currentTime - 0.2) < 0.02")
    visit.page.close()


def test_without_its_video_the_page_says_so(browser: Any, report: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(report, tmp_path / "moved.html"))
    visit = Visit(browser, alone)
    assert visit.page.get_by_text("The annotated video could not be loaded").is_visible()
    visit.page.close()


def test_a_run_without_annotated_videos_says_so(browser: Any, report: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(report.parent, tmp_path / "out", ignore=shutil.ignore_patterns("annotated")))
    visit = Visit(browser, write_report(Run(out)))
    assert visit.page.get_by_text("No annotated video").is_visible()
    assert visit.page.locator("video").count() == 0
    visit.page.get_by_role("slider").focus()
    visit.page.keyboard.press("ArrowRight")
    visit.wait(f"Math.abs({CURSOR} - {visit.pixel_of(1)}) < 2")
    assert visit.complaints == []
    visit.page.close()

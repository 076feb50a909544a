"""The report of a run: its tables made and written, then shown on one page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jinja2
from markdown_it import MarkdownIt
from plotly.offline import get_plotlyjs

from videmo.findings.report import sections
from videmo.findings.report.embed import MISSING, SCALE, embed_labels, spell_json
from videmo.findings.report.figures import CERTAIN_P, Chart, draw_groups, tell_left_out
from videmo.findings.report.methods import explain_methods
from videmo.findings.report.panels import Panel, build_panels
from videmo.findings.report.tables import USUAL_GROUPS, ReportTables, make_tables
from videmo.findings.report.views import Kind, View, spell_duration, to_cell
from videmo.findings.tables import Run
from videmo.output.files import replacing
from videmo.output.lock import hold_folder
from videmo.output.names import REPORT_PAGE

_SCRIPTS: Final = ("timeline.js", "panel.js", "page.js")
_CONTENTS: Final = {
    "overview": "Overview",
    "quality": "Quality first",
    "videos": "Videos and timelines",
    "segments": "Segments",
    "moments": "Moments",
    "groups": "Respondents together",
    "methods": "Methods and provenance",
    "limits": "Limits and responsible use",
}
_ENDS: Final = ("done", "failed", "cancelled")
_KINDS: Final[Mapping[str, Kind]] = {"s": "duration", "share": "share", "": "count"}


def write_report(run: Run, output: Path | None = None, *, by: str = USUAL_GROUPS) -> Path:
    """Write the report of a run and the tables behind it; return the path of the page.

    The page is one file that needs no network: at most 6 MB and 0.2 MB for each hour of face time. It plays the
    annotated videos of the run, which it does not hold: keep it beside them. Its tables are in OUT/findings.

    Args:
        run: the run.
        output: the page; None for OUT/report.html.
        by: the study's column that makes the groups to compare; without such a column no groups are compared.

    Raises:
        UsageError: a table of the run is missing or damaged.
        OutputError: the disk is full or the folder does not allow it.

    Example:
        >>> write_report(Run(Path("out")))  # doctest: +SKIP
    """
    page = output or run.out / REPORT_PAGE
    tables = make_tables(run, by)
    with hold_folder(run.out):
        tables.write(run)
    html = render_page(run, tables, page.parent)
    with replacing(page) as partial:
        partial.write_text(html, encoding="utf-8", newline="\n")
    return page


def render_page(run: Run, tables: ReportTables, folder: Path) -> str:
    """Return the page as HTML, to lie in `folder`."""
    panels = list(build_panels(run, tables, folder))
    charts = list(draw_groups(tables.groups)) if tables.groups else []
    scripts = [get_plotlyjs(), *(_read_asset(name) for name in _SCRIPTS)]
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        title=run.out.resolve().name,
        policy=_allow_only(scripts),
        css=_read_asset("report.css"),
        scripts=scripts,
        data=spell_json(_embed(tables, panels, charts)),
        panels=panels,
        views=_view_all(tables),
        figures=_show_figures(tables),
        charts=charts,
        left_out=tuple(tell_left_out(tables.groups)) if tables.groups else (),
        certain_p=CERTAIN_P,
        methods=list(explain_methods(tables)),
        responsible_use=_render_responsible_use(),
        **_tell(tables, panels),
    )


def _embed(tables: ReportTables, panels: Sequence[Panel], charts: Sequence[Chart]) -> dict[str, Any]:
    return {
        "epoch_s": tables.epoch_s,
        "scale": SCALE,
        "missing": MISSING,
        "labels": embed_labels(tables.labels),
        "videos": {panel.key: panel.data for panel in panels},
        "charts": {chart.id: chart.figure for chart in charts},
    }


def _view_all(tables: ReportTables) -> dict[str, View]:
    return {
        "videos": sections.view_videos(tables["videos"]),
        "quality": sections.view_quality(tables["quality"]),
        "respondents": sections.view_respondents(tables["quality_by_respondent"]),
        "reasons": sections.view_reasons(tables["exclusion_reasons"]),
        "warnings": sections.view_warnings(tables["videos"]),
        "segments": sections.view_segments(tables["segment_summary"], tables.labels),
        "moments": sections.view_moments(tables["moments"]),
        **(_view_groups(tables) if tables.groups else {}),
        "provenance": sections.view_provenance(tables["provenance"]),
        "sources": sections.view_sources(tables["sources"]),
    }


def _view_groups(tables: ReportTables) -> dict[str, View]:
    return {
        "shared_moments": sections.view_shared_moments(tables["shared_moments"]),
        "comparison": sections.view_comparison(tables["group_comparison"]),
        "synchrony": sections.view_synchrony(tables["synchrony"]),
    }


def _show_figures(tables: ReportTables) -> list[dict[str, str]]:
    """Return the figures of the overview that there are; how the inputs ended only where they did not all end well."""
    rows = tables["overview"].dropna(subset="value").to_dict("records")
    all_done = bool((tables["videos"]["status"] == "done").all())
    ended = ("done",) if all_done else ()
    shown = [row for row in rows if row["figure"] not in ended and (row["value"] or row["figure"] not in _ENDS)]
    texts = (to_cell(row["value"], _KINDS[row["unit"]]).text for row in shown)
    return [{"name": row["figure"], "says": row["says"], "text": text} for row, text in zip(shown, texts, strict=True)]


def _tell(tables: ReportTables, panels: Sequence[Panel]) -> dict[str, Any]:
    """Return the sentences that depend on the run."""
    videos, seen_s = tables["videos"], float(tables["quality"]["seen_s"].sum())
    failed = int((videos["status"] != "done").sum())
    return {
        "problems": f"{failed} of {len(videos)} inputs could not be analysed; the table says why." if failed else "",
        "epoch": f"{tables.epoch_s:g}",
        "points": len(tables["curves"]),
        "face_time": spell_duration(seen_s),
        "contents": [(name, title) for name, title in _CONTENTS.items() if name != "groups" or tables.groups],
        "by": tables.by,
        "groups": tables.groups,
        "has_stimulus": any(panel.data["stimulus_s"] is not None for panel in panels),
    }


def _allow_only(scripts: Sequence[str]) -> str:
    """Return the content security policy: these scripts and no others, local films, nothing from elsewhere."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; media-src 'self' file:; "
        "base-uri 'none'; form-action 'none'"
    )


def _render_responsible_use() -> str:
    """Return the text as HTML, its headings beneath that of the section."""
    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(_read("videmo", "responsible_use.md"))
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = f"h{int(token.tag[1]) + 2}"
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _read_asset(name: str) -> str:
    return _read("videmo.findings.report", f"assets/{name}")


def _read(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")

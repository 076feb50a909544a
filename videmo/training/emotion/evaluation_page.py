"""One page about an evaluation: every table and picture in a single HTML file that needs no network."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, Final

from videmo.output.files import replacing
from videmo.training.emotion.cases import PROTOCOLS
from videmo.training.emotion.evaluate import Evaluation, Measured
from videmo.training.emotion.evaluation_tables import (
    COLUMNS,
    Table,
    tabulate_classes,
    tabulate_differences,
    tabulate_headline,
    tabulate_recalls,
)

_TEMPLATE: Final = "evaluation.html"
_SPLITS: Final = {"test": "Test faces.", "valid": "Validation faces."}
_SIDE_BY_SIDE: Final = (
    "All answered the same faces; each is compared with {first}. In parentheses: the paired 95 % interval of the "
    "difference. <em>Only … right</em> counts the faces that just one of the two got right; p is that of McNemar's "
    "exact test. A preset that lacks a label of the protocol gives it probability 0; a label that only it has is left "
    "out and the others scaled up. <em>+ flip</em> is the mean over the face and its mirror."
)
_CAPTIONS: Final = {
    "confusion": "What each answer was taken for: rows are right answers, columns the model's top label. Left: faces. "
    "Right: shares of each row, so the diagonal is the recall. Both are shaded by share.",
    "classes": "Precision, recall and F1 of each label, and how many faces it has: scores of few faces are rough.",
    "roc": "Each label against the rest: the share of its faces that is found, over the rate of false alarms. An area "
    "of 0.5 is guessing, 1 is perfect.",
    "precision-recall": "Each label against the rest: how many of the faces called so are right, at each share found. "
    "For rare labels this tells more than the ROC curve.",
    "reliability": "How often the top label is right, by how sure the model is. On the dashed line a probability of "
    "0.8 is right in 80 % of the cases. Pale bars rest on fewer than ten faces. Below: how many faces have each "
    "confidence.",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows.

    Attributes:
        data: Name of the data.
        evaluations: The preset first, then what it is compared with, all on the same cases.
        comparisons: `compare_evaluations` of each other evaluation with the first.
        charts: PNG files by chart, by the number of the case they show.
    """

    data: str
    evaluations: Sequence[Evaluation]
    comparisons: Sequence[Sequence[dict[str, Any]]]
    charts: Mapping[int, Mapping[str, Path]]

    def write(self, path: Path) -> None:
        """Writes the page.

        Raises:
            OutputError: The disk is full or the folder does not allow it.
        """
        template = Template(files("videmo.training.emotion").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
        main = self.evaluations[0]
        first = next(iter(self.charts))
        html = template.substitute(
            title=escape(f"{main.name} on {self.data}"),
            facts=_list_facts(self.evaluations, self.data),
            headline=_show_headline(main.measured[first]),
            figures="\n".join(
                _to_html(tabulate_headline(self.evaluations, [split]), title) for split, title in _SPLITS.items()
            ),
            comparison=self._comparison(first) if self.comparisons else "",
            cases="\n".join(_show_case(main.measured[at], charts) for at, charts in self.charts.items()),
            preset=escape(main.preset.name),
        )
        with replacing(path) as partial:
            partial.write_text(html, encoding="utf-8")

    def _comparison(self, at: int) -> str:
        case = self.evaluations[0].measured[at].case
        differences = [
            _to_html(tabulate_differences(self.evaluations, self.comparisons, [split]), f"{title} Differences.")
            for split, title in _SPLITS.items()
        ]
        recalls = f"Label by label: {case.protocol}, {case.split}, {case.kind}."
        table = _to_html(tabulate_recalls(self.evaluations, at), recalls)
        note = _SIDE_BY_SIDE.format(first=escape(self.evaluations[0].name))
        return "\n".join(["<h2>Side by side</h2>", f"<p>{note}</p>", *differences, table])


def _list_facts(evaluations: Sequence[Evaluation], data: str) -> str:
    presets = {evaluation.preset.name: evaluation.preset for evaluation in evaluations}
    facts = [(f"preset {name}", f"sha256 of the weights {preset.sha256}") for name, preset in presets.items()]
    cases = {measured.case.protocol: None for measured in evaluations[0].measured}
    facts += [("data", data), *((f"protocol {name}", PROTOCOLS[name]) for name in cases)]
    facts.append(("made by", f"videmo {version('videmo')}, videmo evaluate emotion"))
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)


def _show_headline(measured: Measured) -> str:
    figures, case = measured.figures, measured.case
    parts = []
    for name, title in COLUMNS.items():
        low, high = figures["intervals"][name]
        value = f"<b>{figures[name]:.3f}</b><span>{low:.3f} to {high:.3f}</span>"
        parts.append(f'<div class="figure"><span>{title}</span>{value}</div>')
    where = f"<p><strong>{case.protocol}, {case.split}, {case.kind}, n = {figures['n']:,}</strong></p>"
    return f'{where}<div class="figures">{"".join(parts)}</div>'


def _show_case(measured: Measured, charts: Mapping[str, Path]) -> str:
    case, n = measured.case, f"{measured.figures['n']:,}"
    table = _to_html(tabulate_classes(measured), "Each label. The mean of the recalls is the balanced accuracy.")
    pictures = "\n".join(_show_chart(name, path, case.protocol) for name, path in charts.items())
    return f"<h2>{case.protocol}: {case.split}, {case.kind}, n = {n}</h2>\n{table}\n{pictures}"


def _show_chart(name: str, path: Path, protocol: str) -> str:
    source = base64.b64encode(path.read_bytes()).decode()
    caption = escape(_CAPTIONS[name])
    alt = escape(f"{name.replace('-', ' ')} chart, {protocol}: {_CAPTIONS[name].split('.')[0]}")
    image = f'<img alt="{alt}" src="data:image/png;base64,{source}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _to_html(table: Table, caption: str) -> str:
    head = "".join(_cell("th", i, text, table.names) for i, text in enumerate(table.header))
    rows = ("".join(_cell("td", i, text, table.names) for i, text in enumerate(row)) for row in table.rows)
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cell(tag: str, column: int, text: str, names: int) -> str:
    """Returns a cell; an interval in parentheses goes beneath its figure."""
    value, parenthesis, interval = escape(text).partition(" (")
    beneath = f"<br><small>({interval}</small>" if parenthesis else ""
    kind = ' class="name"' if column < names else ""
    return f"<{tag}{kind}>{value}{beneath}</{tag}>"

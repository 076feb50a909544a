"""The figures of evaluations as tables of text, the same for the terminal and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from videmo.training.emotion.evaluate import Evaluation, Measured
from videmo.training.emotion.intervals import compare

COLUMNS: Final = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced",
    "balanced_accuracy_shared": "shared seven",
    "macro_f1": "macro F1",
    "ece": "ECE",
}
_PER_CLASS: Final = ("precision", "recall", "f1")
_AREAS: Final = ("roc_auc", "average_precision")


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns; the first `names` columns hold names, the others numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1

    def lines(self) -> list[str]:
        """Returns the table for a terminal: names to the left, numbers to the right."""
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        return ["  ".join(self._cells(row, widths)).rstrip() for row in (self.header, *self.rows)]

    def _cells(self, row: Sequence[str], widths: Sequence[int]) -> list[str]:
        return [
            text.ljust(width) if i < self.names else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]


def tabulate_headline(
    evaluations: Sequence[Evaluation], splits: Sequence[str], *, intervals: Sequence[str] = tuple(COLUMNS)
) -> Table:
    """Returns the figures of every case of some splits, those of the presets on the same case beneath each other.

    Args:
        evaluations: The presets, all on the same cases.
        splits: Names of the splits.
        intervals: The figures to show with their 95 % interval, names in `COLUMNS`.
    """
    header = ("protocol", "split", "faces", "preset", "n", *COLUMNS.values())
    rows = []
    for answers in zip(*(evaluation.measured for evaluation in evaluations), strict=True):
        for evaluation, measured in zip(evaluations, answers, strict=True):
            case, figures = measured.case, measured.figures
            if case.split in splits:
                cells = [_with_interval(figures, name, shown=name in intervals) for name in COLUMNS]
                rows.append((case.protocol, case.split, case.kind, evaluation.name, f"{figures['n']:,}", *cells))
    return Table(header, tuple(rows), names=4)


def compare_evaluations(base: Evaluation, other: Evaluation) -> list[dict[str, Any]]:
    """Returns `intervals.compare` of each case, other minus base, with the names of the case."""
    records = []
    for before, after in zip(base.measured, other.measured, strict=True):
        compared = compare(before.probabilities, after.probabilities, before.case.answers)
        records.append(before.case.describe() | compared)
    return records


def tabulate_differences(
    evaluations: Sequence[Evaluation], comparisons: Sequence[Sequence[dict[str, Any]]], splits: Sequence[str]
) -> Table:
    """Returns what each preset but the first has over the first, case by case.

    Args:
        evaluations: The presets, all on the same cases.
        comparisons: `compare_evaluations` of each but the first.
        splits: Names of the splits to show.
    """
    header = ("protocol", "split", "faces", "preset", "accuracy", "balanced", "only first right", "only it right", "p")
    rows = []
    for cases in zip(evaluations[0].measured, *comparisons, strict=True):
        case = cases[0].case
        for other, record in zip(evaluations[1:], cases[1:], strict=True):
            test = record["mcnemar"]
            shown = [_difference(record[figure]) for figure in ("accuracy", "balanced_accuracy")]
            counts = [f"{test[side]:,}" for side in ("only_first_right", "only_second_right")]
            if case.split in splits:
                rows.append((case.protocol, case.split, case.kind, other.name, *shown, *counts, f"{test['p']:.2g}"))
    return Table(header, tuple(rows), names=4)


def tabulate_classes(measured: Measured) -> Table:
    """Returns precision, recall, F1, areas under the curves and number of faces of each label, and their means."""
    figures = measured.figures
    rows = []
    for label, scores in figures["per_class"].items():
        areas = (figures[area]["per_class"][label] for area in _AREAS)
        shares = [_share(value) for value in (*(scores[name] for name in _PER_CLASS), *areas)]
        rows.append((label, *shares, f"{scores['n']:,}"))
    means = (figures["balanced_accuracy"], figures["macro_f1"], *(figures[area]["macro"] for area in _AREAS))
    header = ("label", "precision", "recall", "F1", "ROC AUC", "average precision", "n")
    return Table(header, (*rows, ("mean", "", *map(_share, means), f"{figures['n']:,}")))


def tabulate_recalls(evaluations: Sequence[Evaluation], at: int) -> Table:
    """Returns recall and F1 of each label, one column each for every preset, in case number `at`."""
    measured = [evaluation.measured[at] for evaluation in evaluations]
    labels = measured[0].case.labels
    header = ["label", "n", *(f"{name} {of}" for of in ("recall", "F1") for name in (e.name for e in evaluations))]
    rows = []
    for label in labels:
        scores = [m.figures["per_class"][label] for m in measured]
        shares = [_share(score[name]) for name in ("recall", "f1") for score in scores]
        rows.append((label, f"{scores[0]['n']:,}", *shares))
    return Table(tuple(header), tuple(rows))


def _with_interval(figures: dict[str, Any], name: str, *, shown: bool) -> str:
    value = _share(figures[name])
    if not shown:
        return value
    low, high = figures["intervals"][name]
    return f"{value} ({low:.3f}–{high:.3f})"


def _difference(record: dict[str, Any]) -> str:
    low, high = record["interval"]
    return f"{record['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

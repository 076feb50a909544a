"""A whole evaluation: presets measured on the same faces, and everything about it written into one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from videmo.output.files import explained
from videmo.presets import Preset
from videmo.training.emotion.cases import find_cases
from videmo.training.emotion.dataset import read_faces
from videmo.training.emotion.evaluate import Evaluation, evaluate_preset
from videmo.training.emotion.evaluation_charts import write_charts
from videmo.training.emotion.evaluation_page import Page
from videmo.training.emotion.evaluation_tables import compare_evaluations
from videmo.training.tables import write_json

METRICS: Final = "metrics.json"
PAGE: Final = "evaluation.html"


@dataclass(frozen=True, slots=True)
class Report:
    """The evaluations of presets on the same cases, and what each has over the first.

    Attributes:
        data: The data set.
        evaluations: The preset first, then what it is compared with.
        comparisons: For each other evaluation the records of `compare_evaluations` with the first.
    """

    data: Path
    evaluations: tuple[Evaluation, ...]
    comparisons: tuple[list[dict[str, Any]], ...]

    @property
    def main_split(self) -> str:
        """The split that figures are told of: "test", or "valid" where there are no test faces."""
        return "test" if any(one.case.split == "test" for one in self.evaluations[0].measured) else "valid"

    def write(self, folder: Path) -> None:
        """Writes metrics.json, PNGs of every protocol's faces of the main split, and evaluation.html, which holds all.

        Raises:
            OutputError: The disk is full or the folder does not allow it.
        """
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / METRICS, self.describe())
        shown = {
            at: write_charts(one, folder)
            for at, one in enumerate(self.evaluations[0].measured)
            if one.case.split == self.main_split and not one.case.deduplicated
        }
        Page(self.data.name, self.evaluations, self.comparisons, shown).write(folder / PAGE)

    def describe(self) -> dict[str, Any]:
        """Returns all figures as plain values: those of the preset as in its own metrics.json, the others beside it."""
        main, *others = self.evaluations
        compared = [
            {
                "preset": other.preset.name,
                "flip": other.flip,
                "weights_sha256": other.preset.sha256,
                "results": [measured.figures for measured in other.measured],
                "differences": records,
            }
            for other, records in zip(others, self.comparisons, strict=True)
        ]
        results = [measured.figures for measured in main.measured]
        return {"weights_sha256": main.preset.sha256, "results": results} | ({"compared": compared} if others else {})


def evaluate_presets(
    data: Path,
    presets: Sequence[Preset],
    *,
    flip: bool = False,
    work: Path | None = None,
    split_list: Path | None = None,
) -> Report:
    """Measures presets on the same faces, those that the protocols of the first one's labels count.

    Args:
        data: Labelled faces, as `dataset.read_faces` takes them.
        presets: The preset to measure, then those to compare it with.
        flip: Measure each also with the mean over the face and its mirror.
        work: As in `dataset.read_faces`.
        split_list: As in `dataset.read_faces`.

    Raises:
        DataError: The data are wrong, or no face counts.
        PresetError: The weights are damaged, or there is no protocol for the labels.
    """
    sides_px = [preset.side_px for preset in presets]
    splits = {side_px: read_faces(data, work=work, side_px=side_px, split_list=split_list) for side_px in set(sides_px)}
    cases = find_cases(splits[sides_px[0]], presets[0].labels)
    evaluations = tuple(
        evaluation
        for preset, side_px in zip(presets, sides_px, strict=True)
        for evaluation in evaluate_preset(preset, splits[side_px], cases, flip=flip)
    )
    return Report(data, evaluations, tuple(compare_evaluations(evaluations[0], other) for other in evaluations[1:]))

"""`videmo evaluate detector`: detection presets → figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from videmo.cli.extras import require_extra
from videmo.errors import UsageError
from videmo.output.files import partial_path, replacing
from videmo.presets import find_preset
from videmo.settings import Settings

_COLUMNS = ("ap50", "ap75", "ap", "ar", "landmark_error", "landmark_error_eyes")


def detector(
    preset: Annotated[str, typer.Argument(help="Name or folder of a detection preset.")],
    data: Annotated[Path, typer.Argument(help="COCO folder or zip, or WIDER FACE folder; its val split is measured.")],
    reference: Annotated[Path | None, typer.Option(help="YuNet model file to measure beside the preset.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for all figures.")] = None,
    chart: Annotated[Path | None, typer.Option(help="PNG file for precision and recall.")] = None,
    runtime: Annotated[str, typer.Option(help="Runs the network: auto, keras or openvino.")] = "auto",
) -> None:
    """Measure a face detector on validation pictures."""
    with require_extra("train"):
        from videmo.training.detector.charts import draw_precision_recall
        from videmo.training.detector.dataset import read_pictures
        from videmo.training.detector.evaluate import measure
        from videmo.training.detector.export import load_for_measuring
        from videmo.training.detector.fit import LEAST_SCORE
        from videmo.training.tables import write_json

    if chart and chart.suffix.lower() != ".png":
        raise UsageError(f"--chart {chart}: not a PNG file; give it a name that ends in .png")
    for path in (path for path in (out, chart) if path):
        if path.is_dir():
            raise UsageError(f"{path}: a folder; name a file in it")
        partial_path(path)  # what cannot be written is told before all is measured
    engine = Settings().merged({"runtime": runtime}).runtime
    found, pictures = find_preset(preset, "detection"), read_pictures(data, "val")
    min_score = found.number("min_score", 0, 1)
    results = [measure(found.name, load_for_measuring(found, engine).detect, pictures, min_score=min_score)]
    if reference:
        from videmo.detection.yunet import MIN_SCORE, YuNetDetector

        yunet = YuNetDetector(reference, min_score=LEAST_SCORE)
        results.append(measure("yunet", yunet.detect, pictures, min_score=MIN_SCORE))
    for result in results:
        _tell(result)
    if out:
        with replacing(out) as partial:
            write_json(partial, {"weights_sha256": found.sha256, "results": results})
    if chart:
        draw_precision_recall(results, chart)


def _tell(result: dict[str, Any]) -> None:
    for size in result["sizes"]:
        figures = "  ".join(f"{name} {size[name]}" for name in _COLUMNS)
        typer.echo(f"{result['detector']:14} {size['long_side_px']:4} px  n {result['n']}  {figures}")
    recalls = "  ".join(f"{width}: {recall}" for width, recall in result["recall_by_width_px"].items())
    typer.echo(f"{result['detector']:14} recall by width in px  {recalls}")

"""What it costs in exactness to detect now and then, or on smaller pictures, and what it saves, against the default.

    python tests/benchmarks/cheaper_detection.py [--only NAME] VIDEO...

Detection in every frame at the default size is taken for the truth. `kept`: its faces that have a box of IoU 0.5 or
more in the same frame. `extra`: boxes without such a face. The rest is measured on the boxes that have such a face,
with `--detect-every` those of the frames between two detections alone: their mean IoU, the mean absolute difference
of their probabilities, and how many have the same top expression. `ids`: tracks. In brackets: the default's. Frames
per second are those of the clock, one video at a time, without an annotated video; `CPU` is the processor time as a
share of the default's, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from videmo.analysis.lane import scored_frames
from videmo.analysis.models import Models, open_models
from videmo.datatypes import FrameFaces, ScoredFaces
from videmo.geometry import iou_matrix
from videmo.pipeline.meters import Meters
from videmo.settings import Settings
from videmo.training.tables import format_table
from videmo.video.discover import Input, discover
from videmo.video.stage import open_reader

SETTINGS: dict[str, dict[str, Any]] = {
    "every 2": {"detect_every_frames": 2},
    "every 3": {"detect_every_frames": 3},
    "every 5": {"detect_every_frames": 5},
    "every 0.5s": {"detect_every_s": 0.5},
    "320 px": {"detect_size_px": 320},
}
SAME_FACE = 0.5
HEADER = ("detection", "kept", "extra", "IoU", "difference", "same top", "ids (all)", "frames/s (all)", "CPU")

Frames = list[FrameFaces[ScoredFaces]]


def analyse(source: Input, models: Models, settings: Settings) -> tuple[Frames, float, float]:
    """Return the scored frames of a video, the seconds it took, and those of all threads together."""
    if settings.detect_size_px:
        smaller = replace(models.picture_format, long_side_px=settings.detect_size_px)
        models = replace(models, picture_format=smaller)
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    reader = open_reader(source)
    frames = list(scored_frames(reader, models, settings, keep_pictures=False, meters=Meters(source.video_id)))
    return frames, time.perf_counter() - began_s, time.process_time() - began_cpu_s


def pair(wanted: ScoredFaces, found: ScoredFaces) -> Iterator[tuple[int, int, float]]:
    """Yield the index of each wanted face that was found, that of its box, and their IoU."""
    ious = iou_matrix(wanted.boxes, found.boxes)
    for row in range(len(wanted)):
        if len(found) and ious[row].max() >= SAME_FACE:
            yield row, int(ious[row].argmax()), float(ious[row].max())


def compare(truth: Frames, cheaper: Frames) -> pd.DataFrame:
    """Return one row per frame: faces, boxes, pairs, and the sums over the pairs that are measured."""
    rows = []
    always = all(item.frame.detected for item in cheaper)
    for wanted, found in zip(truth, cheaper, strict=True):
        pairs = list(pair(wanted.faces, found.faces))
        measured = [] if found.frame.detected and not always else pairs
        before = wanted.faces.emotions[[row for row, _, _ in measured]]
        after = found.faces.emotions[[column for _, column, _ in measured]]
        rows.append(
            {
                "faces": len(wanted.faces),
                "boxes": len(found.faces),
                "pairs": len(pairs),
                "measured": len(measured),
                "iou": sum(iou for _, _, iou in measured),
                "difference": float(np.abs(before - after).mean(axis=1).sum()),
                "same_top": int((before.argmax(axis=1) == after.argmax(axis=1)).sum()),
            }
        )
    return pd.DataFrame(rows)


def count_tracks(frames: Frames) -> int:
    return len(np.unique(np.concatenate([item.faces.track_ids for item in frames])))


def measure(sources: Sequence[Input], models: Models, names: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name of each setting with one row per video."""
    analyse(sources[0], models, Settings())  # the first run warms the models up
    truths = [analyse(source, models, Settings()) for source in sources]
    for name in names:
        rows = []
        for source, (truth, truth_s, truth_cpu_s) in zip(sources, truths, strict=True):
            found, seconds, cpu_s = analyse(source, models, Settings(**SETTINGS[name]))
            ids = {"truth_ids": count_tracks(truth), "ids": count_tracks(found)}
            times = {"truth_s": truth_s, "seconds": seconds, "truth_cpu_s": truth_cpu_s, "cpu_s": cpu_s}
            rows.append({**compare(truth, found).sum().to_dict(), **ids, **times, "frames": len(truth)})
        yield name, pd.DataFrame(rows, index=[source.video_id for source in sources])


def figures(name: str, row: pd.Series[float]) -> list[str]:
    """Return one row of the table."""
    return [
        name,
        f"{row['pairs'] / row['faces']:.1%}",
        f"{1 - row['pairs'] / row['boxes']:.1%}",
        f"{row['iou'] / row['measured']:.3f}",
        f"{row['difference'] / row['measured']:.3f}",
        f"{row['same_top'] / row['measured']:.1%}",
        f"{row['ids']:.0f} ({row['truth_ids']:.0f})",
        f"{row['frames'] / row['seconds']:.1f} ({row['frames'] / row['truth_s']:.1f})",
        f"{row['cpu_s'] / row['truth_cpu_s']:.0%}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", metavar="VIDEO")
    parser.add_argument("--only", choices=SETTINGS, help="one setting, else all")
    asked = parser.parse_args()
    lines = []
    with open_models(Settings()) as models:
        for name, rows in measure(discover(asked.videos), models, [asked.only] if asked.only else list(SETTINGS)):
            lines.append(figures(name, rows.sum()))
            lines += [figures(f"{name} {video_id}", row) for video_id, row in rows[rows["measured"] > 0].iterrows()]
    sys.stdout.write(format_table(HEADER, lines) + "\n")


if __name__ == "__main__":
    main()

"""What the default detector and the tracker find on clips, in 8 bits and in float32, against YuNet at 640 px.

    python tests/benchmarks/found_on_clips.py --yunet face_detection_yunet_2023mar.onnx VIDEO...

The first 400 frames of each clip, as an analysis sees them. `found`: YuNet's sure faces (score 0.8 or more, 24 px or
wider) that have a box of IoU 0.5 or more. `unseen`: boxes in 100 frames that YuNet does not suspect. Last, OpenVINO
(8 bits) against Keras (float32): its faces that have one of Keras, the mean IoU of both, and how many have the same
top expression.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from videmo.analysis.lane import scored_frames
from videmo.analysis.models import Models, open_models
from videmo.datatypes import Detections, ScoredFaces
from videmo.detection.stage import detect
from videmo.detection.yunet import YuNetDetector
from videmo.geometry import iou_matrix
from videmo.pipeline.batching import InlineWorker
from videmo.pipeline.meters import Meters
from videmo.settings import Settings
from videmo.training.detector.clips import DOUBTFUL, tally
from videmo.video.discover import Input, discover
from videmo.video.stage import open_reader

MOST_FRAMES = 400
SAME_FACE = 0.5
SETTINGS = {"openvino": Settings(runtime="openvino"), "keras": Settings(runtime="keras")}


def analyse(source: Input, models: Models, settings: Settings) -> list[ScoredFaces]:
    """Return the faces of each frame."""
    frames = scored_frames(open_reader(source), models, settings, keep_pictures=False, meters=Meters(source.video_id))
    with closing(frames):
        return [item.faces for item in islice(frames, MOST_FRAMES)]


def ask(yunet: YuNetDetector, source: Input) -> list[Detections]:
    """Return what YuNet sees in each frame."""
    with closing(open_reader(source)) as reader:
        frames = islice(reader.frames(), MOST_FRAMES)
        stage = detect(frames, InlineWorker(yunet.detect), yunet.picture_format, min_face_px=1)
        return [item.faces for item in stage]


def against_yunet(faces: ScoredFaces, theirs: Detections) -> dict[str, float]:
    return dict(zip(("frames", "sure", "found", "unseen"), tally(faces.boxes, theirs), strict=True))


def against_keras(faces: ScoredFaces, keras: ScoredFaces) -> dict[str, float]:
    if not len(faces) or not len(keras):
        return {"faces": len(faces), "same": 0, "iou": 0.0, "same_top": 0}
    ious = iou_matrix(faces.boxes, keras.boxes)
    rows = np.flatnonzero(ious.max(axis=1) >= SAME_FACE)
    tops = faces.emotions[rows].argmax(axis=1), keras.emotions[ious[rows].argmax(axis=1)].argmax(axis=1)
    iou = float(ious[rows].max(axis=1).sum())
    return {"faces": len(faces), "same": len(rows), "iou": iou, "same_top": int((tops[0] == tops[1]).sum())}


def tell(name: str, counts: pd.Series[float]) -> str:
    found = f"{counts['found'] / counts['sure']:.1%}" if counts["sure"] else "–"
    unseen = f"{100 * counts['unseen'] / counts['frames']:.1f}"
    return f"{name}: {counts['frames']:.0f} frames, {counts['sure']:.0f} sure faces, found {found}, unseen {unseen}"


def measure(sources: Sequence[Input], yunet: YuNetDetector) -> None:
    theirs = [ask(yunet, source) for source in sources]
    seen = {}
    for runtime, settings in SETTINGS.items():
        with open_models(settings) as models:
            seen[runtime] = [analyse(source, models, settings) for source in sources]
        clips = [count(against_yunet, *both) for both in zip(seen[runtime], theirs, strict=True)]
        for source, counts in zip(sources, clips, strict=True):
            print(tell(f"{runtime} {source.video_id}", counts))
        print(tell(f"{runtime}, all", pd.DataFrame(clips).sum()), flush=True)
    total = pd.DataFrame([count(against_keras, *both) for both in zip(*seen.values(), strict=True)]).sum()
    same, iou, top = total["same"] / total["faces"], total["iou"] / total["same"], total["same_top"] / total["same"]
    print(f"8 bits: {same:.1%} of {total['faces']:.0f} faces as in float32, IoU {iou:.3f}, same top {top:.1%}")


def count(
    compare: Callable[[ScoredFaces, Any], dict[str, float]], faces: Sequence[ScoredFaces], others: Sequence[Any]
) -> pd.Series[float]:
    """Return the sums over the frames of a clip."""
    return pd.DataFrame([compare(*both) for both in zip(faces, others, strict=True)]).sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="+", metavar="VIDEO")
    parser.add_argument("--yunet", type=Path, required=True, help="face_detection_yunet_2023mar.onnx")
    asked = parser.parse_args()
    measure(discover(asked.videos), YuNetDetector(asked.yunet, min_score=DOUBTFUL, birth_score=DOUBTFUL))


if __name__ == "__main__":
    main()

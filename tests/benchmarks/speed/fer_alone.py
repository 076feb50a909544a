"""Runs the `fer` package as its users do, in its own environment: `fer_alone.py [--no-video] OUT CLIP...`.

Prints frames, seconds after its imports, and faces as one JSON line. It counts a frame when it finds a face in it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import cv2
from fer.classes import Video
from fer.fer import FER


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--no-video"]
    out, clips = Path(arguments[0]), [Path(argument).resolve() for argument in arguments[1:]]
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)  # it writes data.csv into the working folder
    with_video = "--no-video" not in sys.argv
    started_s = time.perf_counter()
    detector = FER(mtcnn=False)
    frames = seen = 0
    for clip in clips:
        copy = out / clip.name  # it writes beside its input
        copy.unlink(missing_ok=True)
        copy.symlink_to(clip)
        frames += int(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT))
        rows = Video(str(copy), outdir=str(out)).analyze(
            detector, display=False, save_frames=False, save_video=with_video, annotate_frames=with_video
        )
        seen += len(rows)
    print(json.dumps({"frames": frames, "seen": seen, "seconds": time.perf_counter() - started_s}))


if __name__ == "__main__":
    main()

"""Videos to export: written tables with everything a program may want to know of a face."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from written_runs import write_video

from videmo.output.schema import LANDMARK_COLUMNS

FRAME_S = 0.1
LANDMARKS = {name: 10.0 * number for number, name in enumerate(LANDMARK_COLUMNS)}
POSE = {"yaw_deg": 20.0, "pitch_deg": 10.0, "roll_deg": 5.0}


def write_clip(out: Path, video_id: str, shown: Sequence[str | None], **further: object) -> None:
    """Write a video of frames 0.1 s apart, one face in each that shows the expression named, no face for None."""
    seen = [index for index, label in enumerate(shown) if label is not None]
    faces = pd.DataFrame({"frame_index": np.array(seen, np.int32)})
    for label in ("happiness", "anger"):
        faces[label] = np.float32([0.9 if shown[index] == label else 0.03 for index in seen])
    write_video(out, video_id, np.arange(len(shown)) * FRAME_S, faces.assign(**LANDMARKS, **POSE, **further))

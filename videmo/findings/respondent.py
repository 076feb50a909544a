"""One respondent per video: a webcam recording shows one, whatever ids the tracker gave them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from videmo.findings.timeline import usable_faces
from videmo.output.schema import BOX_COLUMNS

RESPONDENT_TRACK: Final = 0
"""`track_id` of the one respondent of a video; tracks count from 1."""


def faces_of(faces: pd.DataFrame, respondent: object) -> pd.DataFrame:
    """Return the faces that decisions name as the respondent; all where none has this name.

    Args:
        faces: a faces table of one video, with `identity` where anything was decided (see `Run.faces`).
        respondent: the study's name for them, missing where it gives none.
    """
    if "identity" not in faces:
        return faces
    own = (faces["identity"].astype(object) == respondent).to_numpy(bool)
    return faces[own] if own.any() else faces


def take_largest(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the usable face with the largest box (the lower track where two are equal) of each frame, as track 0.

    Ids end when a face is away for long; the person before the camera stays the same and is nearest to it. Someone else
    who comes nearer is taken for them: where that may happen use tracks, or `videmo identities` and `faces_of`.

    Args:
        faces: a faces table of one video: `frame_index`, `track_id`, the box, and `usable` where it is known.

    Returns:
        At most one row for each frame, in their order; `track_id` is `RESPONDENT_TRACK` throughout.
    """
    usable = usable_faces(faces)
    x1, y1, x2, y2 = (usable[name].to_numpy(np.float64) for name in BOX_COLUMNS)
    order = np.lexsort((usable["track_id"], -(x2 - x1) * (y2 - y1), usable["frame_index"]))
    ranked = usable.iloc[order].drop_duplicates("frame_index")
    return ranked.assign(track_id=np.int32(RESPONDENT_TRACK))

"""The tables videmo writes: columns, types and units, one function per table.

A reader accepts every minor version of a major version it knows, older and newer: a minor step only adds columns, which
may be missing, and which it leaves alone where it does not know them.
Every footer carries `videmo.schema_version` and `videmo.table`, those of one video also `videmo.labels` (a JSON list).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from videmo.errors import UsageError

SCHEMA_VERSION: Final = "1.3"
SCHEMA_VERSION_KEY: Final = "videmo.schema_version"
LABELS_KEY: Final = "videmo.labels"

BOX_COLUMNS: Final = ("x1", "y1", "x2", "y2")
LANDMARK_COLUMNS: Final = tuple(
    f"{point}_{axis}" for point in ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth") for axis in "xy"
)
POSE_COLUMNS: Final = {
    "yaw_deg": "head pose, see videmo.pose: above 0 the face turns to the picture's left, the person's right",
    "pitch_deg": "head pose: above 0 the face looks down",
    "roll_deg": "head pose: above 0 the head tilts clockwise in the picture",
}

QUALITY_COLUMNS: Final = {
    "sharpness": "detail of the face over its contrast at 48 px, from 0, see videmo.quality",
    "brightness": "mean luma of the face, 0 to 1",
    "contrast": "twice the standard deviation of the face's luma, 0 to 1",
    "share_cut_off": "share of the face's square that lies outside the picture, 0 to 1",
    "occlusion": "hint that something covers part of the face, 0 to 1, see videmo.occlusion",
}
"""In the order of `videmo.quality.MEASURES`; null where faces came unmeasured."""

_FLOAT, _INT, _TEXT, _TIME = pa.float32(), pa.int32(), pa.string(), pa.float64()

_AVERAGED: Final = "over the time of the usable rows, of all rows where none is usable"


def frames_schema() -> pa.Schema:
    """Return `frames/<video_id>.parquet`: one row per analysed frame, whether it shows a face or not."""
    return pa.schema([*_observation_fields(), *_FRAME_FIELDS])


def faces_schema(labels: Sequence[str]) -> pa.Schema:
    """Return `faces/<video_id>.parquet`: one row per face and analysed frame, in the order of the frames."""
    return pa.schema(
        [
            *_observation_fields(),
            _field("track_id", _INT, "identity of the face, from 1, unique in the video"),
            *(_field(name, _FLOAT, "box of the face in the picture as displayed", unit="px") for name in BOX_COLUMNS),
            _field("detection_score", _FLOAT, "confidence of the detector when it saw the face last, 0 to 1"),
            _field("detected", pa.bool_(), "the detector saw the face in this frame; false: carried on by the tracker"),
            *(
                _field(name, _FLOAT, "landmark; right and left are the person's", unit="px", nullable=True)
                for name in LANDMARK_COLUMNS
            ),
            *(_field(name, _FLOAT, says, unit="deg", nullable=True) for name, says in POSE_COLUMNS.items()),
            *(_field(label, _FLOAT, f"probability of {label}, 0 to 1") for label in labels),
            _field("emotion", pa.dictionary(pa.int8(), _TEXT), "the label with the highest probability"),
            _field("face_size_px", _FLOAT, "geometric mean of the box's width and height", unit="px"),
            *(_field(name, _FLOAT, says, nullable=True) for name, says in QUALITY_COLUMNS.items()),
            _field("usable", pa.bool_(), "the face can be judged: no limit of quality in the settings is broken"),
            _field("exclude_reason", pa.dictionary(pa.int8(), _TEXT), "the first limit that is broken", nullable=True),
        ]
    )


def tracks_schema(labels: Sequence[str]) -> pa.Schema:
    """Return `tracks.parquet`: one row per track of every video."""
    return pa.schema(
        [
            _field("video_id", _TEXT, "the video"),
            _field("track_id", _INT, "identity of the face, from 1, unique in the video"),
            _field("first_time_s", _TIME, "time of the first observation", unit="s"),
            _field("last_time_s", _TIME, "time of the last observation", unit="s"),
            _field("rows", _INT, "number of observations"),
            _field("usable_rows", _INT, "observations that can be judged, see usable in the faces table"),
            _field("usable_share", _FLOAT, "share of the time the face was seen that can be judged, 0 to 1"),
            *(_field(f"mean_{name}", _FLOAT, f"mean box {_AVERAGED}", unit="px") for name in BOX_COLUMNS),
            *(_field(f"mean_{label}", _FLOAT, f"mean probability of {label} {_AVERAGED}, 0 to 1") for label in labels),
            _field("dominant", pa.dictionary(pa.int8(), _TEXT), "the label with the highest mean probability"),
        ]
    )


def videos_schema() -> pa.Schema:
    """Return `videos.parquet`: one row per input, also for inputs that failed; columns as in `VideoReport`."""
    return pa.schema(
        [
            _field("video_id", _TEXT, "the video, unique in the run"),
            _field("path", _TEXT, "the source file"),
            _field("sha256", _TEXT, "hash of the source file", nullable=True),
            _field("status", _TEXT, "done, failed or cancelled"),
            _field("error", _TEXT, "why it failed", nullable=True),
            _field("width_px", _INT, "width as displayed", unit="px", nullable=True),
            _field("height_px", _INT, "height as displayed", unit="px", nullable=True),
            _field("frame_rate", _TIME, "mean rate that the container states", unit="1/s", nullable=True),
            _field("duration_s", _TIME, "duration that the container states", unit="s", nullable=True),
            _field("frames_decoded", _INT, "frames that could be decoded"),
            _field("frames_analysed", _INT, "rows in the frames table"),
            _field("frames_undecodable", _INT, "frames that were skipped because they could not be decoded"),
            _field("faces", _INT, "rows in the faces table"),
            _field("tracks", _INT, "identities found"),
            _field("warnings", pa.list_(_TEXT), "what went wrong without ending the analysis"),
        ]
    )


def segments_schema() -> pa.Schema:
    """Return `segments.parquet`: one row per named span of each video, on the time of the video."""
    return pa.schema(
        [
            _field("video_id", _TEXT, "the video"),
            _field("segment", _TEXT, "name of the span"),
            _field("start_s", _TIME, "where it starts", unit="s"),
            _field("end_s", _TIME, "where it ends; this instant is outside", unit="s"),
        ]
    )


def check_version(version: object, path: Path) -> int:
    """Return the minor version of a table.

    Args:
        version: what the table says of itself; None where it says nothing.
        path: the table, for the message.

    Raises:
        UsageError: it is of another major version, or of none.

    Example:
        >>> check_version("1.0", Path("videos.parquet"))
        0
    """
    major = SCHEMA_VERSION.split(".")[0]
    found = re.fullmatch(r"([0-9]+)\.([0-9]{1,9})", version) if isinstance(version, str) else None
    if found is None or found[1] != major:
        says = "none" if version is None else version if found else repr(version)[:50]
        raise UsageError(
            f"{path}: tables of version {says}, this videmo reads {major}.x: use the videmo that wrote them or analyse "
            "again"
        )
    return int(found[2])


def footer(table: str, metadata: Mapping[str, str], labels: Sequence[str] = ()) -> dict[str, str]:
    """Return the footer of a table: what the run says of it and what every reader relies on."""
    fixed = {"videmo.table": table, SCHEMA_VERSION_KEY: SCHEMA_VERSION}
    return {**metadata, **fixed, **({LABELS_KEY: json.dumps(list(labels))} if labels else {})}


def _field(name: str, type_: pa.DataType, says: str, *, unit: str | None = None, nullable: bool = False) -> pa.Field:
    metadata = {"description": says} | ({"unit": unit} if unit else {})
    return pa.field(name, type_, nullable=nullable, metadata=metadata)


def _observation_fields() -> list[pa.Field]:
    return [
        _field("video_id", _TEXT, "the video"),
        _field("frame_index", _INT, "number of the frame in decoding order, from 0"),
        _field("time_s", _TIME, "presentation time since the start of the stream", unit="s"),
    ]


_FRAME_FIELDS: Final = (
    _field("shot", _INT, "number of the shot the frame belongs to, from 0"),
    _field("faces", _INT, "faces in the frame: its rows in the faces table"),
    _field("file_name", _TEXT, "file of the picture, for image sequences", nullable=True),
)

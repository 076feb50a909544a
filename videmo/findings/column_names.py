"""The names of the columns that videmo's tables have: a study's columns come beside them under other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from videmo.findings.affect import signals_of
from videmo.findings.identities import IDENTITY_COLUMNS
from videmo.output.schema import faces_schema, frames_schema, segments_schema, tracks_schema, videos_schema

# Written out, not imported: an analysis reads manifests before anything that needs scipy is loaded.
_FINDINGS: Final = (
    *("any_face_s", "first_s", "last_s", "seen_s", "usable_s", "transitions_per_min"),  # summaries
    *("epoch_start_s", "epoch_end_s", "stimulus_s", "bridged", "bridged_s", "baseline_s"),  # timelines
    *("signal", "rank", "peak_s", "peak", "baseline", "strength", "prominence"),  # moments
    *("videos", "analysed_s", "main_reason"),  # quality
)
_OF_LABELS: Final = ("share_{}", "mean_{}", "peak_{}", "peak_{}_s")
_OF_SIGNALS: Final = ("{}", "{}_smoothed", "{}_change")


def own_names(labels: Sequence[str]) -> frozenset[str]:
    """Return the names of all columns of the tables of a run, and of the findings that carry the study's columns.

    Example:
        >>> {"share_fear", "seen_s"} <= own_names(["fear"]), "share_code" in own_names(["fear"])
        (True, False)
    """
    schemas = (videos_schema(), frames_schema(), faces_schema(labels), tracks_schema(labels), segments_schema())
    recorded = [name for schema in schemas for name in schema.names]
    of_labels = [pattern.format(label) for label in labels for pattern in _OF_LABELS]
    of_signals = [pattern.format(signal) for signal in signals_of(labels) for pattern in _OF_SIGNALS]
    return frozenset([*recorded, *IDENTITY_COLUMNS, *_FINDINGS, *of_labels, *of_signals])

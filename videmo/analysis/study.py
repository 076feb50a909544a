"""What a study says of a run's inputs: read, checked and matched before any video is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from videmo.datatypes import RunReport
from videmo.errors import UsageError
from videmo.findings.manifest import match_videos, read_manifest
from videmo.findings.segments import place_segments, read_segments
from videmo.findings.study import check_names
from videmo.findings.tables import Run
from videmo.output.names import IDENTITIES, SEGMENTS
from videmo.video.discover import Input


@dataclass(frozen=True, slots=True, eq=False)
class StudyPlan:
    """What a run does with its study.

    Attributes:
        study: as `match_videos` gives it; None where no manifest was named: what is there stays.
        segments: as `place_segments` gives them; None where no file was named: what is there stays.
        decided: the videos of the earlier run with decisions on identities.
        notes: what was assumed, in words.
    """

    study: pd.DataFrame | None
    segments: pd.DataFrame | None
    decided: frozenset[str]
    notes: tuple[str, ...]

    def doubts(self, report: RunReport) -> list[str]:
        """Return what to check after the run: decisions on videos whose tracks were made anew."""
        redone = [video.video_id for video in report.videos if video.video_id in self.decided and not video.resumed]
        says = "analysed again: check that the track ids in it still mean the same"
        return [f"{IDENTITIES}: {', '.join(redone)} {says}"] if redone else []


def plan_study(
    sources: Sequence[Input],
    labels: Sequence[str],
    *,
    manifest: str | Path | None = None,
    segments: str | Path | None = None,
    tier: str | None = None,
    earlier: Path | None = None,
) -> StudyPlan:
    """Read a study's files and match them with the inputs of a run; nothing is written.

    Args:
        sources: the inputs.
        labels: the labels of the run's preset: names that the manifest's columns cannot have.
        manifest: the manifest's file.
        segments: the file of the segments.
        tier: of ELAN's segments, the only tier to take.
        earlier: the folder of the run that is gone on with, whose study holds where no manifest is named.

    Raises:
        UsageError: a file cannot be read or does not fit the inputs, or the decisions of the earlier run are damaged;
            one line for each problem.
    """
    if tier is not None and segments is None:
        raise UsageError("--tier names a tier of the segments: name their file with --segments")
    videos = pd.DataFrame({"video_id": [item.video_id for item in sources], "path": [s.shown_path for s in sources]})
    run = Run(earlier) if earlier is not None and (earlier / "frames").is_dir() else None
    study, notes = _match(Path(manifest), videos, labels) if manifest is not None else (None, [])
    placed = None
    if segments is not None:
        held = study if study is not None or run is None else run.study()
        read = read_segments(Path(segments), tier=tier)
        placed = place_segments(read, videos, None if held is None or held.empty else held)
    elif study is not None and run is not None and not run.segments().empty:
        notes.append(f"{run.out / SEGMENTS}: kept as placed before: give --segments again where offsets changed")
    decisions = run.decisions() if run is not None else None
    decided = frozenset() if decisions is None else frozenset(decisions["video_id"])
    return StudyPlan(study, placed, decided, tuple(notes))


def _match(manifest: Path, videos: pd.DataFrame, labels: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a manifest by video, and what was assumed."""
    rows = read_manifest(manifest)
    study = match_videos(rows, videos, manifest)
    check_names(study, labels, manifest)
    return study, [*rows.attrs["notes"], *study.attrs["notes"]]

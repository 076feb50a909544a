"""A run over many videos: inputs found, models loaded once, lanes run, tables over all videos written."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videmo.analysis.ahead import imported_ahead
from videmo.analysis.folder import RunFolder
from videmo.analysis.models import open_models
from videmo.analysis.one_video import CHARTS, Context, analyze_one
from videmo.analysis.provenance import RunRecord
from videmo.datatypes import RunReport, StageStatistics, VideoReport
from videmo.output.lock import hold_folder
from videmo.pipeline.lanes import run_lanes
from videmo.pipeline.meters import add_up
from videmo.pipeline.progress import NoProgress, ProgressListener
from videmo.presets import Preset, find_preset
from videmo.settings import Settings
from videmo.video.discover import Input, discover

if TYPE_CHECKING:
    from videmo.analysis.study import StudyPlan

OVERALL = "videmo.analysis.overall"
"""Imported while the first frames are analysed, as `CHARTS` is where some are drawn."""

SAME_COLUMNS = ("videmo.preset_sha256",)
"""Footer values that must agree for a video's tracks to stand beside those of others."""


def analyze(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    manifest: str | Path | None = None,
    segments: str | Path | None = None,
    tier: str | None = None,
    noted: Callable[[str], object] = lambda _: None,
    progress: ProgressListener | None = None,
) -> RunReport:
    """Analyse videos and pictures into the folder `out`: tables, annotated videos and charts.

    Args:
        inputs: Files, folders (searched through) and globs. A folder that holds only pictures is one image sequence.
        out: The output folder; made if need be.
        settings: How to analyse.
        manifest: Study: whom each input shows, what was watched, under which condition. Its columns are carried into
            every table; None keeps those of the run that is gone on with.
        segments: Named time spans (CSV, .eaf, .vtt, .srt), placed on the time of each input.
        tier: Of ELAN's segments, the only tier to take.
        noted: Told in words what was assumed of the study, and what to check.
        progress: Told as the run goes.

    Returns:
        One report per input, in input order; one that cannot be analysed has status "failed" and its reason.

    Raises:
        UsageError: a setting cannot be used, nothing was found, `out` holds results and `existing` is "refuse" or is
            being written to by somebody else, or the manifest or the segments cannot be used; nothing was written.
        PresetError: the model cannot be used.
        OutputError: results cannot be written; what was finished stays.
        StageError: a stage broke.
        KeyboardInterrupt, SystemExit: a signal stopped the run; what was finished stays and its tables are written.

    Example:
        >>> report = analyze(["videos/"], "results", Settings(fps=5))  # doctest: +SKIP
        >>> [(video.path, video.faces) for video in report.videos]  # doctest: +SKIP
    """
    chosen, sources = settings or Settings(), discover(inputs)
    preset = find_preset(chosen.model, "emotion")
    earlier = Path(out) if chosen.existing == "resume" else None
    plan = _plan(sources, preset.labels, manifest=manifest, segments=segments, tier=tier, earlier=earlier)
    for note in plan.notes if plan else ():
        noted(note)
    with hold_folder(Path(out)):
        report = _run(sources, RunFolder(Path(out)), chosen, preset, plan, progress or NoProgress())
    for doubt in plan.doubts(report) if plan else ():
        noted(doubt)
    return report


def _plan(sources: Sequence[Input], labels: Sequence[str], **study: Any) -> StudyPlan | None:
    """Return what `plan_study` makes of the study's files, None where there are none and no earlier run."""
    if all(value is None for value in study.values()):
        return None
    # pandas comes with it, which other runs need not wait for.
    from videmo.analysis.study import plan_study

    return plan_study(sources, labels, **study)


def _run(
    sources: Sequence[Input],
    folder: RunFolder,
    settings: Settings,
    preset: Preset,
    plan: StudyPlan | None,
    progress: ProgressListener,
) -> RunReport:
    """Make the folder ready, run the lanes and write the tables over all videos, also when the run is stopped."""
    folder.check(settings, sources)
    record = RunRecord(folder, settings, preset)
    with open_models(settings) as models:  # before anything is touched: what the settings name may not be there
        folder.take(settings, sources)
        record.write("running", ())
        folder.prepare(settings, sources, preset.sha256)
        if plan:
            folder.overall.write_study(plan, record.metadata)
        heard = _Remember(progress, lambda video_id: folder.finished(video_id, record.metadata, SAME_COLUMNS))
        context = Context(folder, settings, preset, models, heard)
        try:
            reports, stages = _run_lanes(sources, context, heard)
            record.end("done", reports, preset.labels, stages)
        except BaseException:
            record.end("stopped", heard.in_order(sources), preset.labels)
            raise
    return RunReport(reports, record.seconds, stages)


def _run_lanes(
    sources: Sequence[Input], context: Context, heard: _Remember
) -> tuple[tuple[VideoReport, ...], tuple[StageStatistics, ...]]:
    """Run the lanes and carry the study; return the reports in input order and the statistics."""
    settings, folder = context.settings, context.folder
    with imported_ahead(OVERALL, *([CHARTS] if settings.charts else [])):
        heard.begun(len(sources))
        results = run_lanes(sources, partial(analyze_one, context=context), jobs=jobs_for(settings, len(sources)))
        folder.carry_study(report.video_id for report, _ in results if report.status == "done")
        stages = (*add_up([stages for _, stages in results]), *context.models.statistics())
    return tuple(report for report, _ in results), stages


def jobs_for(settings: Settings, inputs: int) -> int:
    """Return how many videos to open at once: as asked, else one per processor core, never more than there are."""
    return min(settings.jobs or os.cpu_count() or 1, inputs)


class _Remember:
    """Passes progress on and keeps the reports, so that an interrupted run still has its tables.

    `find_earlier` gives the report of a video that lies finished in the folder, None where none does.
    """

    def __init__(self, listener: ProgressListener, find_earlier: Callable[[str], VideoReport | None]) -> None:
        self.begun = listener.begun
        self.started = listener.started
        self.advanced = listener.advanced
        self._finished = listener.finished
        self._find_earlier = find_earlier
        self._reports: dict[str, VideoReport] = {}

    def finished(self, report: VideoReport) -> None:
        """Keep the report and pass it on."""
        self._reports[report.video_id] = report
        self._finished(report)

    def in_order(self, sources: Sequence[Input]) -> list[VideoReport]:
        """Return one report per input: this run's, that of an earlier run, or "cancelled"."""
        return [
            self._reports.get(source.video_id)
            or self._find_earlier(source.video_id)
            or VideoReport(source.video_id, source.shown_path, status="cancelled", error="the run was stopped")
            for source in sources
        ]

"""A run over many videos: inputs found, models loaded once, lanes run, tables over all videos written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from videmo.analysis.folder import RunFolder
from videmo.analysis.models import open_models
from videmo.analysis.one_video import Context, analyze_one
from videmo.analysis.provenance import RunRecord
from videmo.datatypes import RunReport, VideoReport
from videmo.pipeline.lanes import run_lanes
from videmo.pipeline.meters import add_up
from videmo.pipeline.progress import NoProgress, ProgressListener
from videmo.presets import find_preset
from videmo.settings import Settings
from videmo.video.discover import Input, discover


def analyze(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    progress: ProgressListener | None = None,
) -> RunReport:
    """Analyse videos and pictures into the folder `out`: tables, annotated videos and charts.

    Args:
        inputs: Files, folders (searched through) and globs. A folder that holds only pictures is one image sequence.
        out: The output folder; made if need be.
        settings: How to analyse.
        progress: Told as the run goes.

    Returns:
        One report per input, in input order. An input that cannot be analysed has status "failed" and its reason; the
        others are not affected.

    Raises:
        UsageError: a setting cannot be used, nothing was found, or `out` holds results and `existing` is "refuse".
        PresetError: the model cannot be used.
        OutputError: results cannot be written; what was finished stays.
        StageError: a stage broke.
        KeyboardInterrupt: the run was interrupted; what was finished stays and its tables are written.

    Example:
        >>> report = analyze(["videos/"], "results", Settings(fps=5))  # doctest: +SKIP
        >>> [(video.path, video.faces) for video in report.videos]  # doctest: +SKIP
    """
    chosen = settings or Settings()
    sources = discover(inputs)
    preset = find_preset(chosen.model, "emotion")
    folder = RunFolder(Path(out))
    folder.prepare(chosen.existing)
    record = RunRecord(folder, chosen, preset)
    record.write("running", ())
    with open_models(chosen) as models:
        heard = _Remember(progress or NoProgress())
        return _run(sources, Context(folder, chosen, preset, models, heard), record, heard)


def _run(sources: Sequence[Input], context: Context, record: RunRecord, heard: _Remember) -> RunReport:
    """Run the lanes and write the tables over all videos, also when the run is stopped."""
    jobs = jobs_for(context.settings, len(sources))
    heard.begun(len(sources))
    try:
        results = run_lanes(sources, partial(analyze_one, context=context), jobs=jobs)
    except BaseException:
        record.end("stopped", heard.in_order(sources), context.models.labels)
        raise
    stages = (*add_up([stages for _, stages in results]), *context.models.statistics())
    reports = [report for report, _ in results]
    record.end("done", reports, context.models.labels, stages)
    return RunReport(tuple(reports), record.seconds, stages)


def jobs_for(settings: Settings, inputs: int) -> int:
    """Return how many videos to open at once: as asked, else one per processor core, never more than there are."""
    return min(settings.jobs or os.cpu_count() or 1, inputs)


class _Remember:
    """Passes progress on and keeps the reports, so that an interrupted run still has its tables."""

    def __init__(self, listener: ProgressListener) -> None:
        self.begun = listener.begun
        self.started = listener.started
        self.advanced = listener.advanced
        self._finished = listener.finished
        self._reports: dict[str, VideoReport] = {}

    def finished(self, report: VideoReport) -> None:
        """Keep the report and pass it on."""
        self._reports[report.video_id] = report
        self._finished(report)

    def in_order(self, sources: Sequence[Input]) -> list[VideoReport]:
        """Return one report per input, "cancelled" where none came."""
        return [
            self._reports.get(source.video_id)
            or VideoReport(source.video_id, str(source.paths[0]), status="cancelled", error="the run was stopped")
            for source in sources
        ]

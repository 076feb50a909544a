"""One video from input to finished files, or to the reason why not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

import videmo
from videmo.analysis.folder import FINGERPRINT, HIDDEN, REPORT, RunFolder, report_to_json
from videmo.analysis.lane import scored_frames
from videmo.analysis.models import Models
from videmo.datatypes import FrameFaces, ScoredFaces, StageStatistics, VideoReport
from videmo.errors import VideoError
from videmo.output.annotated import AnnotatedVideoSink
from videmo.output.base import Sink
from videmo.output.parquet import TablesSink
from videmo.output.stage import write
from videmo.pipeline.lanes import Cancellation
from videmo.pipeline.memory import give_back_memory
from videmo.pipeline.meters import Meters
from videmo.pipeline.progress import ProgressListener
from videmo.presets import Preset
from videmo.settings import Settings
from videmo.video.base import Reader
from videmo.video.discover import Input
from videmo.video.files import hash_source
from videmo.video.stage import open_reader

CHARTS = "videmo.findings.charts"
"""What draws them; it is imported where they are wanted alone."""
_CHARTS = threading.Lock()
"""Matplotlib is not made for several threads at once."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all videos of a run share."""

    folder: RunFolder
    settings: Settings
    preset: Preset
    models: Models
    progress: ProgressListener


_NOTHING_ANALYSED: Final = (
    "no frame was analysed: the video ends before the time to start at, or no frame is due from there to the end"
)


@dataclass(slots=True)
class _Counts:
    """What was counted while the frames of a video passed."""

    analysed: int = 0
    faces: int = 0
    track_ids: set[int] = field(default_factory=set)

    def add(self, item: FrameFaces[ScoredFaces]) -> None:
        self.analysed += item.frame.analysed
        self.faces += len(item.faces)
        self.track_ids.update(np.unique(item.faces.track_ids).tolist())


def analyze_one(
    source: Input, cancellation: Cancellation, *, context: Context
) -> tuple[VideoReport, tuple[StageStatistics, ...]]:
    """Analyse one input and return its report and stage statistics; VideoError becomes a report, all else is raised."""
    meters = Meters(source.video_id)
    report = VideoReport(source.video_id, source.shown_path)
    try:
        cancellation.check()
        report = replace(report, sha256=hash_source(source.paths, cancellation.check))
        metadata = describe_result(report, context)
        report = _taken_over(source, metadata, context) or _run(source, report, metadata, cancellation, context, meters)
    except VideoError as error:
        report = replace(report, status="failed", error=str(error))
    give_back_memory()
    if report.status == "done":
        context.folder.complete(source.video_id)
    context.progress.finished(report)
    return report, meters.statistics()


def describe_result(report: VideoReport, context: Context) -> dict[str, str]:
    """Return the footer of a video's tables: everything that its numbers depend on, and how its faces are hidden."""
    settings, preset = context.settings, context.preset
    return {
        "videmo.version": videmo.__version__,
        "videmo.preset": preset.name,
        "videmo.preset_sha256": preset.sha256,
        "videmo.detector": settings.detector,
        "videmo.detector_version": context.models.detector_version,
        "videmo.source_path": report.path,
        "videmo.source_sha256": report.sha256 or "",
        "videmo.settings": json.dumps(settings.result_settings(), sort_keys=True),
        **({HIDDEN: settings.anonymize} if settings.anonymize and settings.annotated_video else {}),
    }


def _taken_over(source: Input, metadata: Mapping[str, str], context: Context) -> VideoReport | None:
    """Return the report of a video that was finished before; its chart is drawn anew if it is missing.

    Its tables say where the source lies now, which may have been moved.
    """
    if context.settings.existing != "resume":
        return None
    pictured = context.settings.annotated_video
    keys = [key for key in FINGERPRINT if pictured or key != HIDDEN]
    report = context.folder.finished(source.video_id, metadata, keys)
    annotated = context.folder.part("annotated", source.video_id)
    if report is None or (pictured and not annotated.exists()):
        return None
    if report.path != source.shown_path:
        report = replace(report, path=source.shown_path)
        context.folder.retell(report)
    _draw_chart(source.video_id, context, missing_only=True)
    return replace(report, resumed=True)


def _run(
    source: Input,
    report: VideoReport,
    metadata: Mapping[str, str],
    cancellation: Cancellation,
    context: Context,
    meters: Meters,
) -> VideoReport:
    """Analyse a video into its files and return the report of success."""
    reader = open_reader(source, context.settings.image_fps, context.settings.stall_limit_s)
    try:
        context.progress.started(reader.info)
        with _open_sinks(reader, metadata, context) as (pictured, tables):
            sinks: list[Sink] = [*pictured, tables]
            counts = _pump(reader, sinks, cancellation, context, meters)
            context.folder.withdraw(source.video_id)
            outputs = [path for sink in pictured for path in sink.close()]
            report = _describe(report, reader, counts, [warning for sink in pictured for warning in sink.warnings])
            tables.annotate({REPORT: report_to_json(report)})
            outputs += tables.close()
    finally:
        reader.close()
    outputs += _draw_chart(source.video_id, context)
    return replace(report, outputs=tuple(outputs))


def _pump(
    reader: Reader, sinks: Sequence[Sink], cancellation: Cancellation, context: Context, meters: Meters
) -> _Counts:
    """Drive all frames of a reader through the stages into the sinks."""
    counts = _Counts()
    keep_pictures = any(sink.needs_images for sink in sinks)
    frames = scored_frames(reader, context.models, context.settings, keep_pictures=keep_pictures, meters=meters)
    try:
        for item in meters.watch("write", write(frames, sinks)):
            cancellation.check()
            counts.add(item)
            context.progress.advanced(reader.info, item.frame.time_s, item.frame.index + 1, counts.faces)
    finally:
        frames.close()
    return counts


@contextmanager
def _open_sinks(
    reader: Reader, metadata: Mapping[str, str], context: Context
) -> Iterator[tuple[list[AnnotatedVideoSink], TablesSink]]:
    """Open the sinks of a video; the tables are to be closed last, for their frames file marks it as finished."""
    labels = context.models.labels
    sinks: list[Sink] = []
    try:
        pictured = []
        if context.settings.annotated_video:
            path = context.folder.part("annotated", reader.info.id)
            chosen = context.settings
            pictured.append(AnnotatedVideoSink(path, reader.info, labels, anonymize=chosen.anonymize, settings=chosen))
        sinks += pictured
        tables = TablesSink(context.folder.path, reader.info, labels, metadata, context.settings)
        sinks.append(tables)
        yield pictured, tables
    except BaseException:
        for sink in reversed(sinks):
            sink.abort()
        raise


def _describe(report: VideoReport, reader: Reader, counts: _Counts, warnings: Sequence[str]) -> VideoReport:
    info, problems = reader.info, reader.problems
    return replace(
        report,
        width_px=info.width_px,
        height_px=info.height_px,
        frame_rate=float(info.frame_rate),
        duration_s=info.duration_s,
        frames_decoded=problems.decoded,
        frames_analysed=counts.analysed,
        frames_undecodable=problems.undecodable,
        faces=counts.faces,
        tracks=len(counts.track_ids),
        warnings=(*problems.warnings(), *warnings, *([] if counts.analysed else [_NOTHING_ANALYSED])),
    )


def _draw_chart(video_id: str, context: Context, *, missing_only: bool = False) -> list[Path]:
    path = context.folder.part("charts", video_id)
    if not context.settings.charts or (missing_only and path.exists()):
        return []
    context.folder.checksums.drop([path])
    with _CHARTS:
        # Without charts Matplotlib is never imported, which keeps a list of fonts in the home folder.
        from videmo.findings.charts import write_chart

        return [write_chart(context.folder.path, video_id)]

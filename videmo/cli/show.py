"""What `analyze` says: the plan of a dry run, the result of a real one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from videmo.cli.values import Progress
from videmo.settings import Settings

if TYPE_CHECKING:
    from videmo.datatypes import RunReport, StageStatistics


def show_plan(
    inputs: Sequence[str], out: Path, settings: Settings, study: Mapping[str, Any], progress: Progress
) -> None:
    """Say what would be analysed, with what, into where; nothing is written.

    Raises what the run would raise before the first video: results in `out` are refused, a detector or preset cannot be
    used, or the files of `study` (manifest, segments, tier) do not fit the inputs.
    """
    from videmo import plugins
    from videmo.analysis.folder import RunFolder
    from videmo.analysis.study import plan_study
    from videmo.filenames import show_name
    from videmo.presets import find_preset
    from videmo.video.discover import explore

    preset = find_preset(settings.model, "emotion")
    found = explore(inputs)
    earlier = out if settings.existing == "resume" else None
    for note in plan_study(found.inputs, preset.labels, **study, earlier=earlier).notes:
        show_note(note, progress)
    RunFolder(out).check(settings, found.inputs)
    plugins.load("detectors", settings.detector)(settings)
    for source in found.inputs:
        many = f" ({len(source.paths)} pictures)" if len(source.paths) > 1 else ""
        typer.echo(f"{source.video_id}  {source.shown_path}{many}")
    for path in found.ignored:
        typer.echo(f"left out, neither video nor picture by its name: {show_name(path)}")
    changed = {name: value for name, value in settings.describe().items() if value != Settings().describe()[name]}
    typer.echo(f"settings: {', '.join(f'{name}={value}' for name, value in changed.items()) or 'all as by default'}")
    typer.echo(f"model: {preset.name} ({preset.sha256[:12]}), detector: {settings.detector}")
    typer.echo(f"into: {out}; nothing was written (dry run)")


def show_note(note: str, progress: Progress) -> None:
    """Say on stderr what was assumed; programs that watch get it as an event."""
    typer.echo(json.dumps({"event": "note", "note": note}) if progress is Progress.JSON else f"note: {note}", err=True)


def show_report(report: RunReport, out: Path, progress: Progress, *, stats: bool) -> None:
    """Say how the run went: warnings and failures by name, then one line on the whole.

    Programs that watch have heard of the failures already.
    """
    for video in report.videos:
        for warning in video.warnings:
            show_note(f"{video.path}: {warning}", progress)
        if video.error and progress is not Progress.JSON:
            typer.echo(f"failed: {video.error}", err=True)
    if stats:
        typer.echo(format_statistics(report.stages, report.seconds))
    frames = sum(video.frames_analysed for video in report.videos if not video.resumed)
    faces = sum(video.faces for video in report.videos)
    done = sum(video.status == "done" for video in report.videos)
    typer.echo(
        f"{done} of {len(report.videos)} videos, {faces} faces; {frames} frames analysed in {report.seconds:.1f} s "
        f"({frames / max(report.seconds, 1e-9):.0f} a second): {out}"
    )


def format_statistics(stages: Sequence[StageStatistics], seconds: float) -> str:
    """Return one table of what each hop did; the bottleneck, the hop that worked longest, is marked."""
    from videmo.pipeline.meters import bottleneck

    slowest = bottleneck(tuple(stages))
    lines = [f"{'stage':<24}{'items':>9}{'busy s':>10}{'busy':>7}{'for input s':>13}{'for room s':>12}"]
    for stage in stages:
        mark = "  <- bottleneck" if stage.name == slowest else ""
        lines.append(
            f"{stage.name:<24}{stage.items:>9}{stage.busy_s:>10.2f}{stage.busy_s / seconds:>7.0%}"
            f"{stage.waiting_for_input_s:>13.2f}{stage.waiting_for_room_s:>12.2f}{mark}"
        )
    return "\n".join(lines)

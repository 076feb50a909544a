"""`videmo analyze`: videos in, tables, annotated videos and charts out."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from videmo.cli.show import show_note, show_plan, show_report
from videmo.cli.signals import exit_code
from videmo.cli.values import Hide, Progress, parse_detect_every
from videmo.errors import Interrupted, UsageError, VideoError
from videmo.settings import Settings, read_toml

DEFAULTS = Settings()


def analyze(
    ctx: typer.Context,
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs, pictures.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    fps: Annotated[float | None, typer.Option(help="Frames to analyse per second of media time.")] = None,
    stride: Annotated[int, typer.Option(help="Analyse every n-th frame.")] = DEFAULTS.stride,
    start: Annotated[float, typer.Option(help="Start at this second.")] = DEFAULTS.start_s,
    end: Annotated[float | None, typer.Option(help="End before this second.")] = None,
    image_fps: Annotated[float, typer.Option(help="Pictures per second of an image sequence.")] = DEFAULTS.image_fps,
    min_face: Annotated[int, typer.Option(metavar="PX", help="Smallest face side.")] = DEFAULTS.min_face_px,
    min_score: Annotated[float | None, typer.Option(help="Lowest detection score, 0 to 1.")] = None,
    detector: Annotated[str, typer.Option(metavar="NAME", help="neural, haar or yunet.")] = DEFAULTS.detector,
    detector_model: Annotated[
        Path | None, typer.Option(help="Model file of yunet, or a preset of your own for neural.")
    ] = None,
    detect_size: Annotated[int | None, typer.Option(metavar="PX", help="Long side of what the detector sees.")] = None,
    detect_every: Annotated[
        str | None, typer.Option(metavar="N|TIME", help="Detect only every N frames, or 0.5s; track in between.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="PRESET", help="Expression model.")] = DEFAULTS.model,
    jobs: Annotated[int | None, typer.Option(help="Videos open at once.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Faces per model call.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = DEFAULTS.device,
    runtime: Annotated[str, typer.Option(help="auto, keras or openvino.")] = DEFAULTS.runtime,
    no_video: Annotated[bool, typer.Option("--no-video", help="No annotated videos.")] = False,
    anonymize: Annotated[Hide | None, typer.Option(help="Hide the faces in the annotated videos.")] = None,
    no_charts: Annotated[bool, typer.Option("--no-charts", help="No charts.")] = False,
    manifest: Annotated[Path | None, typer.Option(metavar="CSV", help="Study: file, respondent, condition ...")] = None,
    segments: Annotated[Path | None, typer.Option(metavar="FILE", help="Named spans: CSV, .eaf, .vtt or .srt.")] = None,
    tier: Annotated[str | None, typer.Option(metavar="NAME", help="The tier of an ELAN file; else all.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results in the folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a run was stopped.")] = False,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings; the command line wins.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    progress: Annotated[Progress, typer.Option(help="Progress on stderr.")] = Progress.BAR,
    stats: Annotated[bool, typer.Option("--stats", help="Show where the time went.")] = False,
) -> None:
    """Find faces in videos, follow them, and tell their expressions: tables, annotated videos, charts."""
    settings = _settings(ctx, config)
    if settings.anonymize and settings.annotated_video:
        doubt = "faces are hidden where they were found: look at the annotated videos before you give them away"
        show_note(doubt, progress)
    study = {"manifest": manifest, "segments": segments, "tier": tier}
    if dry_run:
        show_plan(inputs, out, settings, study, progress)
    else:
        _run(inputs, out, settings, study, progress, stats=stats)


def _run(
    inputs: Sequence[str], out: Path, settings: Settings, study: Mapping[str, Any], progress: Progress, *, stats: bool
) -> None:
    """Analyse, and say how it went."""
    from videmo.analysis import analyze as run
    from videmo.cli.progress import open_progress

    try:
        with open_progress(progress) as listener:
            report = run(inputs, out, settings, **study, noted=partial(show_note, progress=progress), progress=listener)
    except (KeyboardInterrupt, SystemExit) as stop:
        number = signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM
        told = f"interrupted: what was finished is in {out}; go on with --resume"
        raise Interrupted(told, exit_code(number)) from stop
    show_report(report, out, progress, stats=stats)
    if report.failed:
        raise typer.Exit(VideoError.exit_code)


OPTIONS = {
    "fps": "fps",
    "stride": "stride",
    "start": "start_s",
    "end": "end_s",
    "image_fps": "image_fps",
    "min_face": "min_face_px",
    "detect_size": "detect_size_px",
    "min_score": "min_score",
    "detector": "detector",
    "detector_model": "detector_model",
    "model": "model",
    "jobs": "jobs",
    "batch_size": "batch_size",
    "device": "device",
    "runtime": "runtime",
    "anonymize": "anonymize",
}
"""Settings by the name of their option; in a TOML file either name may be used."""

DETECT_EVERY = "detect_every"
"""The option that stands for one of two settings."""

FLAGS: dict[str, tuple[str, Any]] = {
    "no_video": ("annotated_video", False),
    "no_charts": ("charts", False),
    "overwrite": ("existing", "overwrite"),
    "resume": ("existing", "resume"),
}
"""What a flag that is given sets."""

EITHER = {"fps": "stride", "stride": "fps"}
"""Settings that exclude each other: one given on the command line takes the other one's place."""

KNOWN = frozenset({*OPTIONS, *FLAGS, DETECT_EVERY, *(item.name for item in fields(Settings))})
"""What a configuration file may name."""


def _settings(ctx: typer.Context, config: Path | None) -> Settings:
    """Return the defaults, with the configuration file on top, with the options given on top of that.

    Raises UsageError where they cannot be used, or exclude each other.
    """
    if ctx.params["overwrite"] and ctx.params["resume"]:
        raise UsageError("--overwrite and --resume exclude each other: choose one")
    if ctx.params["anonymize"] and ctx.params["no_video"]:
        raise UsageError("--anonymize hides faces in the annotated videos, which --no-video leaves out: choose one")
    given: dict[str, Any] = {}
    for name in (*OPTIONS, *FLAGS, DETECT_EVERY):
        if _given(ctx, name):
            given |= _spell_out(name, ctx.params[name])
    values = _from_file(config) if config else {}
    kept = {name: value for name, value in values.items() if EITHER.get(name) not in given}
    return Settings().merged(kept | given)


def _spell_out(name: str, value: Any) -> dict[str, Any]:
    """Return the settings that one option, or setting by its name, stands for; a flag that is not set stands for none.

    Raises UsageError where a flag is neither true nor false, or `DETECT_EVERY` has no meaning.
    """
    if name == DETECT_EVERY:
        return parse_detect_every(str(value))
    if name not in FLAGS:
        return {OPTIONS.get(name, name): value}
    if not isinstance(value, bool):
        raise UsageError(f"{name} = {value!r} cannot be used: expected true or false")
    return dict([FLAGS[name]]) if value else {}


def _from_file(config: Path) -> dict[str, Any]:
    """Return the settings of a configuration file, which must make sense alone; the error names the file."""
    told, values = read_toml(config, "configuration"), dict[str, Any]()
    try:
        for key, value in told.items():
            name = key.replace("-", "_")
            if name not in KNOWN:
                raise UsageError(f"unknown setting {key!r}; known: {', '.join(sorted(KNOWN))}")
            spelled = _spell_out(name, value)
            if twice := values.keys() & spelled:
                raise UsageError(f"{key} and another line both set {', '.join(sorted(twice))}: leave one of them out")
            values |= spelled
        Settings().merged(values)
    except UsageError as error:
        raise UsageError(f"{config}: {error}") from error
    return values


def _given(ctx: typer.Context, name: str) -> bool:
    """Return whether an option was written on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"

"""`videmo demo`: a short clip made on the spot and analysed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from videmo.errors import UsageError, VideoError


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for clip and results.")] = Path("videmo-demo"),
) -> None:
    """Film scikit-image's public-domain astronaut portrait, analyse the clip, and say where to look."""
    from videmo.analysis import analyze
    from videmo.analysis.folder import RunFolder
    from videmo.cli.progress import open_progress
    from videmo.cli.show import show_report
    from videmo.cli.values import Progress
    from videmo.demo import write_demo_clip
    from videmo.output.files import explained
    from videmo.settings import Settings
    from videmo.video.discover import Input

    clip = out / "astronaut.mp4"
    settings, folder = Settings(existing="overwrite"), RunFolder(out)
    if folder.video_ids() - {clip.stem}:
        raise UsageError(f"{out} holds results of other videos: name another folder with --out")
    folder.check(settings, [Input(clip.stem, (clip,), "video")])
    folder.check_owned([clip])
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
        write_demo_clip(clip)
    try:
        with open_progress(Progress.BAR) as listener:
            report = analyze([clip], out, settings, progress=listener)
    finally:
        RunFolder(out).claim(clip)  # also of a demo that was stopped: it may be repeated
    show_report(report, out, Progress.BAR, stats=False)
    if report.failed:
        raise typer.Exit(VideoError.exit_code)
    video_id = report.videos[0].video_id
    typer.echo(f"look at   {out / 'annotated' / video_id}.mp4   the clip with boxes, ids and expressions")
    typer.echo(f"          {out / 'charts' / video_id}.png      who showed what when")
    typer.echo(f"          {out / 'faces' / video_id}.parquet   the numbers: pd.read_parquet('{out / 'faces'}')")
    typer.echo(f"then try  videmo summarize {out}")

"""`videmo demo`: a short clip made on the spot and analysed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for clip and results.")] = Path("videmo-demo"),
) -> None:
    """Film scikit-image's public-domain astronaut portrait, analyse the clip, and say where to look."""
    from videmo.analysis import analyze
    from videmo.cli.progress import open_progress
    from videmo.cli.show import show_report
    from videmo.cli.values import Progress
    from videmo.demo import write_demo_clip
    from videmo.settings import Settings

    out.mkdir(parents=True, exist_ok=True)
    clip = out / "astronaut.mp4"
    write_demo_clip(clip)
    with open_progress(Progress.BAR) as listener:
        report = analyze([clip], out, Settings(existing="overwrite"), progress=listener)
    show_report(report, out, stats=False)
    video_id = report.videos[0].video_id
    typer.echo(f"look at   {out / 'annotated' / video_id}.mp4   the clip with boxes, ids and expressions")
    typer.echo(f"          {out / 'charts' / video_id}.png      who showed what when")
    typer.echo(f"          {out / 'faces' / video_id}.parquet   the numbers: pd.read_parquet('{out / 'faces'}')")
    typer.echo(f"then try  videmo summarize {out}")

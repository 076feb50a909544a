"""A run in the formats of other programs: one small module for each family, found by its name in `FORMATS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from videmo.errors import UsageError
from videmo.findings.export import eaf, openface, pyfeat, rows, spss, srt
from videmo.findings.export.format import Format
from videmo.findings.tables import Run
from videmo.output.files import check_inside, replacing

FORMATS: Mapping[str, Format] = {
    "csv": rows.CSV,
    "jsonl": rows.JSONL,
    "elan": eaf.ELAN,
    "srt": srt.SRT,
    "openface": openface.OPENFACE,
    "pyfeat": pyfeat.PYFEAT,
    "spss-friendly-csv": spss.SPSS,
}


def export(
    run: Run, form: str, folder: Path | None = None, video_ids: Sequence[str] = (), *, overwrite: bool = False
) -> list[Path]:
    """Write a run in the format of another program and return the files; each is there whole or not at all.

    Args:
        run: the run.
        form: a name in `FORMATS`; its `notes` say what the format cannot hold.
        folder: where to; None for `export/<form>` in the folder of the run.
        video_ids: which videos; all finished ones when empty.
        overwrite: whether files that are there are replaced.

    Raises:
        UsageError: no such format or video, no video is finished, a file is there already, or a link leads out.
        OutputError: the disk is full or the folder does not allow it.

    Example:
        >>> export(Run(Path("out")), "elan")  # doctest: +SKIP
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}: known are {', '.join(FORMATS)}")
    if folder is None:
        folder = run.out / "export" / form
        check_inside(folder, run.out)
    files = FORMATS[form].plan(run, _choose(run, video_ids))
    if (taken := [name for name in files if (folder / name).exists()]) and not overwrite:
        raise UsageError(f"{folder / taken[0]}: there already: replace it with --overwrite or choose another --output")
    for name, write in files.items():
        with replacing(folder / name) as partial:
            write(partial)
    return [folder / name for name in files]


def _choose(run: Run, video_ids: Sequence[str]) -> Sequence[str]:
    finished = run.video_ids
    if not finished:
        raise UsageError(f"{run.out}: no video of this run is finished: go on with `videmo analyze --resume`")
    if unknown := [video_id for video_id in video_ids if video_id not in finished]:
        raise UsageError(f"{run.out}: no finished video {', '.join(unknown)}: known are {', '.join(finished)}")
    return list(dict.fromkeys(video_ids)) or finished

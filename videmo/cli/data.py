"""`videmo data`: labelled faces checked before training, and made from material of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from videmo.cli.values import require_folder
from videmo.errors import VideoError
from videmo.settings import Settings

if TYPE_CHECKING:
    from videmo.training.emotion.readers.source import Source

app = typer.Typer(
    help="Check labelled faces before training, or cut them out of videos and pictures of your own.",
    no_args_is_help=True,
)

_MOST_SHOWN = 10


@app.command(
    help="Count labelled faces and find what is wrong: unreadable, blank or repeated pictures, leaks, label conflicts.",
    epilog="Training pictures that are blank, or (nearly) the same as a validation or test picture, are marked to be "
    "left out; `videmo train emotion PATH --splits FOLDER/splits.csv` follows the marks.",
)
def check(
    path: Annotated[
        Path,
        typer.Argument(
            help="Kaggle's fer2013.csv; a FER+ folder (FER2013Train/label.csv …); folders named after expressions, "
            "also in train and test folders; or a folder with labels.csv (file, label[, split]) and pictures. Folders "
            "may be zipped."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for check.json and splits.csv.")] = None,
    near: Annotated[
        int, typer.Option(metavar="BITS", help="Bits of 64 in which hashes of near duplicates may differ, 0 to 11.")
    ] = 6,
) -> None:
    """Count labelled faces and tell what is wrong with them."""
    require_folder(out)
    from videmo.training.emotion.check import check_source
    from videmo.training.emotion.dataset import read_splits

    source = read_splits(path)
    found = check_source(source, near)
    for line in _tell_unreadable(source):
        typer.echo(line, err=True)
    for line in _tell(found.summary):
        typer.echo(line)
    if out:
        found.write(out)
        typer.echo(f"wrote {out / 'splits.csv'}: use it with `videmo train emotion {path} --splits`")


@app.command(
    help="Cut the faces out of videos and pictures, upright and gray, one PNG each, to train on your own material.",
    epilog="This writes pictures of faces to --out, and only because you ask for it: have people's consent, and delete "
    "the folder when you are done. Without --label the column label of labels.csv is empty: write the labels in, "
    "remove the rows of false alarms, then look with `videmo data check`. All faces of one video, or of one folder of "
    "pictures, go to the same split.",
)
def crops(
    inputs: Annotated[list[str], typer.Argument(metavar="VIDEO|IMAGE...", help="Files, folders, globs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the faces and labels.csv; new or empty.")],
    label: Annotated[str, typer.Option(metavar="NAME", help="The expression that all of them show.")] = "",
    every: Annotated[float, typer.Option(metavar="S", min=0.001, help="Seconds between two looks at a video.")] = 1.0,
    side: Annotated[int, typer.Option(metavar="PX", help="Side of the faces.")] = 48,
    split: Annotated[str, typer.Option(help="train, valid or test for all; else the file's name decides.")] = "",
    min_face: Annotated[int, typer.Option(metavar="PX", help="Smallest face side.")] = Settings().min_face_px,
    detector: Annotated[str, typer.Option(metavar="NAME", help="neural, haar or yunet.")] = Settings().detector,
    detector_model: Annotated[
        Path | None, typer.Option(help="Model file of yunet, or a preset of your own for neural.")
    ] = None,
) -> None:
    """Write the faces of videos and pictures as PNGs with labels.csv."""
    from videmo.analysis.crops import write_crops

    settings = Settings(fps=1 / every, min_face_px=min_face, detector=detector, detector_model=detector_model)
    report = write_crops(inputs, out, settings, side_px=side, label=label, split=split)
    for error in report.errors:
        typer.echo(f"failed: {error}", err=True)
    typer.echo(f"{report.faces} faces from {report.sources} inputs: {out / 'labels.csv'}")
    if report.errors:
        raise typer.Exit(VideoError.exit_code)


def _tell_unreadable(source: Source) -> Iterator[str]:
    reasons = source.unreadable["reason"]
    yield from (f"unreadable: {reason}" for reason in reasons[:_MOST_SHOWN])
    if len(reasons) > _MOST_SHOWN:
        yield f"unreadable: {len(reasons) - _MOST_SHOWN} more; all are in splits.csv (--out)"


def _tell(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the findings line by line."""
    leaks, conflicts, near = summary["leaks"], summary["conflicts"], summary["near"]
    yield f"{summary['layout']}: {summary['readable']:,} faces, {summary['unreadable']:,} unreadable pictures"
    yield from _tabulate("label", summary["labels"])
    if summary["top_votes"]:
        yield from _tabulate("most votes", summary["top_votes"])
    if summary["absent_from_training"]:
        yield f"no training picture of: {', '.join(summary['absent_from_training'])}"
    yield f"blank pictures: {summary['blank']:,}"
    yield f"identical pictures: {summary['identical']['pictures']:,} in {summary['identical']['groups']:,} groups"
    yield f"pictures with a near duplicate ({near['most_bits']} bits of 64 or fewer): {near['pictures']:,}"
    for kind, words in (("identical", "identical to"), ("near", "nearly the same as")):
        valid, test = leaks[kind]["valid"], leaks[kind]["test"]
        yield f"leaks: {valid:,} validation and {test:,} test pictures are {words} a training picture"
    told = f"{conflicts['label_groups']:,} groups in their label, {conflicts['vote_groups']:,} in the column with most"
    yield f"identical pictures that disagree: {told} votes"
    kept = ", ".join(f"{split} {count:,}" for split, count in summary["kept"].items())
    yield f"without unreadable pictures, and in training without blank ones and leaks: {kept}"


def _tabulate(title: str, counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    splits = list(next(iter(counts.values())))
    yield f"  {title:<12}" + "".join(f"{split:>9}" for split in splits)
    for name, row in counts.items():
        yield f"  {name:<12}" + "".join(f"{row[split]:>9,}" for split in splits)
    totals = [sum(row[split] for row in counts.values()) for split in splits]
    yield f"  {'all':<12}" + "".join(f"{total:>9,}" for total in totals)

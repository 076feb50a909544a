"""The annotated video once more, from the tables: the source is decoded again, no model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from videmo.analysis.folder import RunFolder
from videmo.analysis.lane import FRAMES_AHEAD
from videmo.errors import UsageError, VideoError
from videmo.filenames import find_shown
from videmo.findings.replay import read_sightings, replay
from videmo.findings.tables import Run
from videmo.output.annotated import AnnotatedVideoSink
from videmo.output.hiding import Foreknowledge
from videmo.output.lock import hold_folder
from videmo.pipeline.streams import prefetch
from videmo.settings import Anonymize
from videmo.video.discover import Input, discover
from videmo.video.files import hash_source
from videmo.video.stage import decode, open_reader


def render(
    out: str | Path,
    video_ids: Sequence[str] = (),
    *,
    anonymize: Anonymize | None = None,
    visible: Sequence[str] = (),
    labels_shown: bool = True,
) -> list[Path]:
    """Write the annotated videos of a run again, tracks under their identities, and return their paths.

    Args:
        out: The folder of a run.
        video_ids: Which videos; all finished ones when empty.
        anonymize: Hide the faces, from a moment before they were first seen until a moment after, and in between also
            where they were lost for up to a second (see `videmo.output.hiding`). Hidden people are not named either.
        visible: The identities whose faces are not hidden.
        labels_shown: Whether boxes, ids and expressions are drawn.

    Raises:
        UsageError: `out` is no run or being written to, a video is not in it, a source is gone, or nobody has an
            identity in `visible`.
        VideoError: a source is another file by now, or cannot be read any more.
        OutputError: the video cannot be written.
    """
    run = Run(Path(out))
    with hold_folder(run.out):
        return _render(run, video_ids, anonymize, visible, labels_shown)


def _render(
    run: Run, video_ids: Sequence[str], anonymize: Anonymize | None, visible: Sequence[str], labels_shown: bool
) -> list[Path]:
    """Write the annotated videos and what their files now are."""
    videos = run.videos().set_index("video_id")
    known = videos.index[videos["status"] == "done"].tolist()
    if unknown := [video_id for video_id in video_ids if video_id not in known]:
        raise UsageError(f"{run.out}: no finished video {', '.join(unknown)}: known are {', '.join(known)}")
    _check_identities(run, video_ids or known, visible)
    folder, paths = RunFolder(run.out), list[Path]()
    for video_id in video_ids or known:
        source = str(videos.loc[video_id, "path"])
        written = _render_one(run, folder, video_id, source, anonymize, visible, labels_shown)
        folder.checksums.add(written)
        folder.checksums.write()
        paths += written
    return paths


def _check_identities(run: Run, video_ids: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise UsageError for a name that nobody in the videos has."""
    if not wanted:
        return
    known = sorted({name for video_id in video_ids for name in run.names(video_id).values()})
    if unknown := [name for name in wanted if name not in known]:
        there = f"known are {', '.join(known)}" if known else "nobody is named: use `videmo identities`"
        raise UsageError(f"{run.out}: no identity {', '.join(map(repr, unknown))} in these videos: {there}")


def _render_one(
    run: Run,
    folder: RunFolder,
    video_id: str,
    path: str,
    anonymize: Anonymize | None,
    visible: Sequence[str],
    labels_shown: bool,
) -> list[Path]:
    """Write one annotated video and return its path; without a frame there is none."""
    settings = run.settings(video_id)
    source = discover([find_shown(path)])[0]
    _check_unchanged(source, run.footer(video_id))
    reader = open_reader(source, settings.image_fps, settings.stall_limit_s)
    target = folder.part("annotated", video_id)
    folder.check_owned([target])
    folder.claim(target)
    sink = AnnotatedVideoSink(
        target,
        reader.info,
        run.labels,
        labels_shown=labels_shown,
        anonymize=anonymize,
        veil=Foreknowledge(read_sightings(run, video_id, visible)),
        settings=settings,
        names={track_id: name for track_id, name in run.names(video_id).items() if not anonymize or name in visible},
    )
    decoded = decode(reader, start_s=settings.start_s, end_s=settings.end_s)
    frames = prefetch([decoded], FRAMES_AHEAD, name="decoded")
    try:
        for item in replay(frames, run, video_id):
            sink.write(item)
        folder.checksums.drop([target])
        return sink.close()
    except BaseException:
        sink.abort()
        raise
    finally:
        frames.close()
        reader.close()


def _check_unchanged(source: Input, footer: Mapping[str, str]) -> None:
    """Raise VideoError where the source is not what was analysed: its faces would be elsewhere, and not be hidden."""
    if hash_source(source.paths) != footer.get("videmo.source_sha256"):
        raise VideoError(f"{source.shown_path}: changed since it was analysed: restore it, or analyse it again")

"""The annotated video once more, from the tables: the source is decoded again, no model runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from videmo.analysis.folder import RunFolder
from videmo.analysis.lane import FRAMES_AHEAD
from videmo.errors import UsageError
from videmo.findings.replay import replay
from videmo.findings.tables import Run
from videmo.output.annotated import AnnotatedVideoSink
from videmo.output.drawing import Anonymize
from videmo.pipeline.streams import prefetch
from videmo.video.discover import discover
from videmo.video.stage import decode, open_reader


def render(
    out: str | Path,
    video_ids: Sequence[str] = (),
    *,
    anonymize: Anonymize | None = None,
    labels_shown: bool = True,
) -> list[Path]:
    """Write the annotated videos of a run again and return their paths.

    Args:
        out: The folder of a run.
        video_ids: Which videos; all finished ones when empty.
        anonymize: Hide the faces.
        labels_shown: Whether boxes, ids and expressions are drawn.

    Raises:
        UsageError: `out` is no run, or a video is not in it.
        VideoError: a source is gone or cannot be read any more.
        OutputError: the video cannot be written.
    """
    run = Run(Path(out))
    videos = run.videos().set_index("video_id")
    known = videos.index[videos["status"] == "done"].tolist()
    if unknown := [video_id for video_id in video_ids if video_id not in known]:
        raise UsageError(f"{out}: no finished video {', '.join(unknown)}: known are {', '.join(known)}")
    return [
        _render_one(run, video_id, str(videos.loc[video_id, "path"]), anonymize, labels_shown)
        for video_id in video_ids or known
    ]


def _render_one(run: Run, video_id: str, path: str, anonymize: Anonymize | None, labels_shown: bool) -> Path:
    settings = run.settings(video_id)
    reader = open_reader(discover([path])[0], settings.image_fps)
    target = RunFolder(run.out).part("annotated", video_id)
    sink = AnnotatedVideoSink(
        target, reader.info, run.labels, labels_shown=labels_shown, anonymize=anonymize, settings=settings
    )
    decoded = decode(reader, start_s=settings.start_s, end_s=settings.end_s)
    frames = prefetch([decoded], FRAMES_AHEAD, name="decoded")
    try:
        for item in replay(frames, run, video_id):
            sink.write(item)
        return sink.close()[0]
    except BaseException:
        sink.abort()
        raise
    finally:
        frames.close()
        reader.close()

"""The annotated video: every frame of the source at its own time, faces boxed and named, or hidden, with the sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from videmo.datatypes import Float32Array, Frame, FrameFaces, ScoredFaces, UInt8Array, VideoInfo
from videmo.output.anonymize import hide_faces
from videmo.output.drawing import draw_faces, split_planes
from videmo.output.hiding import LookAhead, Veil
from videmo.output.letterbox import letterbox
from videmo.output.mp4 import Mp4Writer
from videmo.quality import usable_mask
from videmo.settings import Anonymize, Settings


class AnnotatedVideoSink:
    """Writes `path`, an H.264 MP4 of every frame it is given.

    Frames that were not analysed show the boxes of the last one that was, within the same shot. Pictures of another
    size than the first (image sequences) are fitted into the first one's.

    Args:
        path: the finished file.
        video: the source; its sound is read from `video.path`.
        labels: names of the columns of `ScoredFaces.emotions`.
        labels_shown: whether id, expression and probabilities stand at each box; the boxes are always drawn.
        anonymize: how to hide the faces. Only what was found is hidden, and what is near it in time (see
            `videmo.output.hiding`); look at the result where a promise was given.
        veil: where the faces are to be hidden; None to tell it from the frames as they come.
        settings: the limits of quality; boxes of faces that are not usable are dashed. None for the defaults.
        names: what is written beside the ids of tracks.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """

    needs_images = True

    def __init__(
        self,
        path: Path,
        video: VideoInfo,
        labels: Sequence[str],
        *,
        labels_shown: bool = True,
        anonymize: Anonymize | None = None,
        veil: Veil | None = None,
        settings: Settings | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        self._path, self._video, self._labels = path, video, tuple(labels)
        self._labels_shown, self._anonymize, self._veil = labels_shown, anonymize, veil or LookAhead()
        self._settings, self._names = settings or Settings(), dict(names or {})
        self._writer: Mp4Writer | None = None
        self._size = (0, 0)
        self._held: FrameFaces[ScoredFaces] | None = None

    @property
    def warnings(self) -> list[str]:
        """What went wrong without ending the video."""
        return self._writer.warnings if self._writer else []

    def write(self, item: FrameFaces[ScoredFaces]) -> None:
        """Add one frame, which must carry its picture; with faces to hide it may be held back for a moment."""
        if item.frame.picture is None:
            raise ValueError(f"frame {item.frame.index} of {self._video.id} carries no picture to draw on")
        if self._anonymize is None:
            self._draw(item)
            return
        for shown, boxes in self._veil.feed(item):
            self._draw(shown, boxes)

    def close(self) -> list[Path]:
        """Finish the video and return its path; without a frame there is none."""
        for shown, boxes in self._veil.finish():
            self._draw(shown, boxes)
        return [self._writer.close()] if self._writer else []

    def abort(self) -> None:
        """Remove what was begun."""
        if self._writer:
            self._writer.abort()

    def _draw(self, item: FrameFaces[ScoredFaces], hidden: Float32Array | None = None) -> None:
        """Write one frame with its faces, the boxes in `hidden` (n, 4) px of its own picture made unrecognisable."""
        assert item.frame.picture is not None  # `write` lets no other in
        i420 = item.frame.picture.i420()
        writer = self._writer or self._open(item.frame, i420)
        if self._anonymize and hidden is not None:
            hide_faces(split_planes(i420), hidden, self._anonymize)
        found = self._faces_of(item)
        i420, faces = letterbox(i420, found, *self._size)
        usable = usable_mask(found, self._settings)
        draw_faces(split_planes(i420), faces, self._labels, usable, labels_shown=self._labels_shown, names=self._names)
        writer.write(i420, item.frame.pts, item.frame.clock_shifts)

    def _open(self, first: Frame, i420: UInt8Array) -> Mp4Writer:
        rows, width = i420.shape
        self._size = width, height = width, rows * 2 // 3
        source = None if first.file_name is not None else self._video.path
        self._writer = Mp4Writer(
            self._path,
            self._video,
            source,
            width_px=width,
            height_px=height,
            first_pts=first.pts,
            stall_limit_s=self._settings.stall_limit_s,
        )
        return self._writer

    def _faces_of(self, item: FrameFaces[ScoredFaces]) -> ScoredFaces:
        """Return the faces to draw: the frame's own, or those held from the last analysed frame of its shot."""
        if item.frame.analysed:
            self._held = FrameFaces(item.frame.without_picture(), item.faces)
        held = self._held
        return held.faces if held is not None and held.frame.shot == item.frame.shot else item.faces

"""The annotated video: every frame of the source at its own time, faces boxed and named, or hidden, with the sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from videmo.datatypes import Frame, FrameFaces, ScoredFaces, UInt8Array, VideoInfo
from videmo.output.drawing import Anonymize, draw_faces, hide_faces, split_planes
from videmo.output.letterbox import letterbox
from videmo.output.mp4 import Mp4Writer
from videmo.quality import usable_mask
from videmo.settings import Settings


class AnnotatedVideoSink:
    """Writes `path`, an H.264 MP4 of every frame it is given.

    Frames that were not analysed show the boxes of the last one that was, within the same shot. Pictures of another
    size than the first (image sequences) are fitted into the first one's.

    Args:
        path: the finished file.
        video: the source; its sound is read from `video.path`.
        labels: names of the columns of `ScoredFaces.emotions`.
        labels_shown: whether id, expression and probabilities stand at each box; the boxes are always drawn.
        anonymize: how to hide the faces. Only what was found is hidden: a face that was missed is not, nor one that
            moves on between analysed frames; analyse every frame and look at the result where a promise was given.
        settings: the limits of quality; boxes of faces that are not usable are dashed. None for the defaults.

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
        settings: Settings | None = None,
    ) -> None:
        self._path, self._video, self._labels = path, video, tuple(labels)
        self._labels_shown, self._anonymize = labels_shown, anonymize
        self._settings = settings or Settings()
        self._writer: Mp4Writer | None = None
        self._size = (0, 0)
        self._held: FrameFaces[ScoredFaces] | None = None

    @property
    def warnings(self) -> list[str]:
        """What went wrong without ending the video."""
        return self._writer.warnings if self._writer else []

    def write(self, item: FrameFaces[ScoredFaces]) -> None:
        """Add one frame, which must carry its picture."""
        picture = item.frame.picture
        if picture is None:
            raise ValueError(f"frame {item.frame.index} of {self._video.id} carries no picture to draw on")
        i420 = picture.i420()
        writer = self._writer or self._open(item.frame, i420)
        found = self._faces_of(item)
        i420, faces = letterbox(i420, found, *self._size)
        planes = split_planes(i420)
        if self._anonymize:
            hide_faces(planes, faces.boxes, self._anonymize)
        draw_faces(planes, faces, self._labels, usable_mask(found, self._settings), labels_shown=self._labels_shown)
        writer.write(i420, item.frame.pts)

    def close(self) -> list[Path]:
        """Finish the video and return its path; without a frame there is none."""
        return [self._writer.close()] if self._writer else []

    def abort(self) -> None:
        """Remove what was begun."""
        if self._writer:
            self._writer.abort()

    def _open(self, first: Frame, i420: UInt8Array) -> Mp4Writer:
        rows, width = i420.shape
        self._size = width, height = width, rows * 2 // 3
        source = None if first.file_name is not None else self._video.path
        self._writer = Mp4Writer(self._path, self._video, source, width_px=width, height_px=height, first_pts=first.pts)
        return self._writer

    def _faces_of(self, item: FrameFaces[ScoredFaces]) -> ScoredFaces:
        """Return the faces to draw: the frame's own, or those held from the last analysed frame of its shot."""
        if item.frame.analysed:
            self._held = FrameFaces(item.frame.without_picture(), item.faces)
        held = self._held
        return held.faces if held is not None and held.frame.shot == item.frame.shot else item.faces

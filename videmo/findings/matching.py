"""Files as people name them, found among the videos of a run."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pandas as pd


class VideoIndex:
    """The inputs of a run, to be found by path, by the end of their path, by name or by id.

    Args:
        videos: the videos table of the run: `video_id`, `path`.
        folder: what relative paths are relative to.
    """

    def __init__(self, videos: pd.DataFrame, folder: Path) -> None:
        self._folder = folder
        self._parts: Mapping[str, tuple[str, ...]] = {
            video_id: _parts(path) for video_id, path in zip(videos["video_id"], videos["path"], strict=True)
        }

    def find(self, file: str) -> list[str]:
        """Return the ids of the videos that `file` may mean: one where it is found, none or several where it is not.

        The path (relative to the folder) comes first, then the end of a path ("b/clip.mp4", "clip.mp4"), then the id.
        A name that comes with folders never means a file in other folders.
        """
        whole = _parts(str(self._folder / file))
        tail = tuple(part for part in _parts(file, absolute=False) if part not in ("..", "/"))
        exact = [video_id for video_id, parts in self._parts.items() if parts == whole]
        ending = [video_id for video_id, parts in self._parts.items() if tail and parts[-len(tail) :] == tail]
        return exact or ending or [video_id for video_id in self._parts if video_id == file]

    def problem(self, file: str) -> str | None:
        """Return what is wrong with a file named, None where it is found."""
        found = self.find(file)
        if len(found) == 1:
            return None
        if found:
            return f"{file!r} may be any of {', '.join(found)}: name its folder, too"
        return f"{file!r} is not among the {len(self._parts)} videos of this run"


def _parts(path: str, *, absolute: bool = True) -> tuple[str, ...]:
    """Return the parts of a path without `.` and `..` that can be resolved; links are not followed."""
    # A manifest written on Windows; macOS decomposes accents.
    plain = unicodedata.normalize("NFC", path.replace("\\", "/"))
    return PurePosixPath(os.path.abspath(plain) if absolute else os.path.normpath(plain)).parts  # noqa: PTH100

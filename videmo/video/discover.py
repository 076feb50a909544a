"""What the user named becomes a list of inputs: files, folders, globs and pictures, each with an id of its own."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from videmo.errors import UsageError, VideoError
from videmo.filenames import cut_name, show_name
from videmo.video.files import check_readable


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


VIDEO_SUFFIXES = _suffixes(
    "3g2 3gp amv asf avi divx dv f4v flv gif h264 h265 hevc ivf m1v m2t m2ts m2v m4v mj2 mjpeg mjpg mkv mod mov mp4 "
    "mpe mpeg mpg mts mxf nut ogm ogv qt rm rmvb tod ts vob webm wmv wtv y4m"
)
PICTURE_SUFFIXES = _suffixes("avif bmp dib jp2 jpe jpeg jpg pbm pgm png pnm ppm tif tiff webp")
_ID_BYTES = 100
_MOST_DETAIL = 3
# In a folder that holds the first, the others are what videmo made, not what it is to look at.
_RUN, _RESULTS = "run.json", frozenset({"annotated", "charts", "faces", "frames"})
# Windows opens a device when a file has one of these names, whatever its suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Input:
    """One video (one path) or one image sequence (its pictures in order); `video_id` is safe as a file name."""

    video_id: str
    paths: tuple[Path, ...]
    kind: Literal["video", "images"]

    @property
    def shown_path(self) -> str:
        """The path that stands for the input in tables and messages, as `show_name` gives it; a sequence's folder."""
        return show_name(self.paths[0] if len(self.paths) == 1 else self.paths[0].parent)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found: the inputs, and the files in folders that are neither video nor picture by their suffix."""

    inputs: list[Input]
    ignored: list[Path]


def discover(inputs: Sequence[str | Path]) -> list[Input]:
    """Return the videos and pictures that files, folders and globs stand for; see `explore`."""
    return explore(inputs).inputs


def explore(inputs: Sequence[str | Path]) -> Discovery:
    """Find the videos and pictures that files, folders and globs stand for.

    A folder is searched with its subfolders, links followed, in natural name order, without hidden ones and without
    what videmo has written; there the suffix decides what is a video or a picture. A folder that holds pictures but
    no video is one image sequence. A file named by itself (or by a glob) is taken whatever its suffix; a picture is
    then a sequence of one. What is named twice is taken once. A path that is missing or empty becomes an input that
    fails when it is opened, so that it does not stop the others.

    Raises:
        UsageError: when nothing is named, a name is empty, or all that is named is missing or empty; names each.

    Example:
        >>> [item.video_id for item in explore(["videos/", "more/*.mp4"]).inputs]  # doctest: +SKIP
        ['interview', 'session2', 'session10']
    """
    found: list[tuple[Path, ...]] = []
    ignored: list[Path] = []
    for path in chain.from_iterable(map(_expand, inputs)):
        if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir fails where it may not look, or on names too long)
            found += _search(path, ignored) or [(path,)]
        else:
            found.append((path,))
    found = _once(found)
    if all(_is_absent(paths[0]) for paths in found):
        causes = "; ".join(_cause(paths[0]) for paths in found)
        raise UsageError(causes or "no input was named: give files, folders or globs")
    return Discovery(_name(found), ignored)


def natural_key(path: str | Path) -> list[int | str]:
    """Return a sort key by which picture2 comes before picture10.

    Example:
        >>> sorted(["p10.png", "p2.png"], key=natural_key)
        ['p2.png', 'p10.png']
    """
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", str(path))]


def _expand(given: str | Path) -> list[Path]:
    """Return the paths of a glob, or the path itself where it exists or nothing matches."""
    if not str(given):
        raise UsageError("an input is empty: a variable that is not set? name files, folders or globs")
    if os.path.lexists(given):
        return [Path(given)]
    path = Path(os.path.expanduser(given))  # noqa: PTH111 (Path.expanduser fails on a file named "~notes.mp4")
    if os.path.lexists(path):
        return [path]
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
    return [Path(match) for match in sorted(matches, key=natural_key)] or [path]


def _search(folder: Path, ignored: list[Path]) -> list[tuple[Path, ...]]:
    """Return the videos and sequences in a folder and its subfolders, and those that cannot be listed as they are."""
    found: list[tuple[Path, ...]] = []
    closed: list[OSError] = []
    entered = {os.path.realpath(folder)}
    for root, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        made = _RESULTS if _RUN in names else frozenset[str]()
        # A folder that links lead to twice, or back into itself, is searched once.
        links = {name: os.path.realpath(os.path.join(root, name)) for name in folders}  # noqa: PTH118
        new = [name for name in folders if not name.startswith(".") and name not in made and links[name] not in entered]
        entered |= {links[name] for name in new}
        folders[:] = sorted(new, key=natural_key)
        files = [Path(root, name) for name in sorted(names, key=natural_key) if not name.startswith(".")]
        media = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES]
        if media and all(map(_is_picture, media)):
            found.append(tuple(media))
        elif not media and not folders and Path(root).suffix.lower() in VIDEO_SUFFIXES:
            found.append((Path(root),))  # taken for a video by its name: it fails alone and is told
        else:
            found += [(path,) for path in media]
        ignored += [path for path in files if path not in set(media)]
    return found + [(Path(error.filename),) for error in closed]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _once(found: Sequence[tuple[Path, ...]]) -> list[tuple[Path, ...]]:
    """Return each input once, links followed; a picture of a sequence is not taken a second time by itself."""
    real = {paths: tuple(map(os.path.realpath, paths)) for paths in found}
    in_sequences = {path for paths in real.values() if len(paths) > 1 for path in paths}
    kept: dict[tuple[str, ...], tuple[Path, ...]] = {}
    for paths, key in real.items():
        if len(paths) > 1 or key[0] not in in_sequences:
            kept.setdefault(key, paths)
    return list(kept.values())


def _is_absent(path: Path) -> bool:
    return os.path.isdir(path) or not os.path.lexists(path)  # noqa: PTH112 (as above)


def _cause(path: Path) -> str:
    try:
        check_readable(path)
    except VideoError as error:
        return str(error)
    return str(path)


def _name(found: Sequence[tuple[Path, ...]]) -> list[Input]:
    """Return the inputs with unique ids, which do not depend on the order: where ids meet, all of them say more."""
    details = dict.fromkeys(found, 0)
    while True:
        ids = {paths: _video_id(paths, detail) for paths, detail in details.items()}
        # Some file systems do not tell upper from lower case.
        uses = Counter(video_id.casefold() for video_id in ids.values())
        vague = [paths for paths in found if uses[ids[paths].casefold()] > 1 and details[paths] < _MOST_DETAIL]
        if not vague:
            break
        for paths in vague:
            details[paths] += 1
    return [Input(ids[paths], paths, "images" if all(map(_is_picture, paths)) else "video") for paths in found]


def _video_id(paths: tuple[Path, ...], detail: int) -> str:
    """Return an id from the name of the file or sequence folder; `detail` adds suffix, parent folder, hash."""
    shown = paths[0] if len(paths) == 1 else paths[0].parent
    path = Path(os.path.abspath(shown))  # noqa: PTH100 (resolve would follow links, whose own names count)
    parts = [path.stem, path.suffix] if len(paths) == 1 else [path.name]
    name = "-".join(parts[: 1 + (detail >= 1)])
    if detail >= 2:
        name = f"{path.parent.name}-{name}"
    tag = f"-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}" if detail >= _MOST_DETAIL else ""
    return _slug(name, _ID_BYTES - len(tag)) + tag


def _slug(name: str, most_bytes: int) -> str:
    """Return the name as one that every file system takes: letters and digits of any script, `_`, `-` and `+`."""
    kept = (
        letter if letter in "_+" or unicodedata.category(letter)[0] in "LMN" else "-"
        for letter in unicodedata.normalize("NFC", name)
    )
    slug = cut_name(re.sub("-+", "-", "".join(kept)), most_bytes).strip("-")
    return f"{slug}-file" if _RESERVED.fullmatch(slug) else slug or "video"

"""What an export format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from videmo.findings.tables import Run

Writer = Callable[[Path], None]


class Format(NamedTuple):
    """A format to export to.

    Attributes:
        plan: gives, for a run and some of its videos, the files by name, each with what writes it.
        notes: what is left out or looks different from what the other program writes, a sentence each.
    """

    plan: Callable[[Run, Sequence[str]], Mapping[str, Writer]]
    notes: tuple[str, ...] = ()


def for_each_video(suffix: str, write: Callable[[Run, str, Path], None]) -> Callable[..., Mapping[str, Writer]]:
    """Return a plan with one file `<video_id><suffix>` for each video."""
    return lambda run, video_ids: {f"{video_id}{suffix}": partial(write, run, video_id) for video_id in video_ids}

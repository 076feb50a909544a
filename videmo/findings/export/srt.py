"""Subtitles that say the dominant expression of a video's main track: any player shows them over the video."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from videmo.findings.export.format import Format, for_each_video
from videmo.findings.export.stretches import SMOOTHING_NOTE, find_stretches
from videmo.findings.tables import Run


def format_srt(stretches: pd.DataFrame) -> str:
    """Return SubRip subtitles of stretches (`start_s`, `end_s`, `expression`), to the millisecond.

    Example:
        >>> print(format_srt(pd.DataFrame({"start_s": [0.5], "end_s": [61.25], "expression": ["fear"]})), end="")
        1
        00:00:00,500 --> 00:01:01,250
        fear
        <BLANKLINE>
    """
    cues = zip(stretches["start_s"], stretches["end_s"], stretches["expression"], strict=True)
    return "".join(
        f"{number}\n{_clock(start_s)} --> {_clock(end_s)}\n{text}\n\n"
        for number, (start_s, end_s, text) in enumerate(cues, start=1)
    )


def take_main_track(stretches: pd.DataFrame) -> pd.DataFrame:
    """Return the stretches of the track that is known for the longest time, the lower id where two are equal."""
    lengths_s = (stretches["end_s"] - stretches["start_s"]).groupby(stretches["track_id"]).sum()
    return stretches[stretches["track_id"] == lengths_s.idxmax()] if len(lengths_s) else stretches


def _clock(seconds: float) -> str:
    whole_s, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole_s // 3600:02}:{whole_s // 60 % 60:02}:{whole_s % 60:02},{ms:03}"


def _write(run: Run, video_id: str, path: Path) -> None:
    stretches = find_stretches(run.frames(video_id), run.faces(video_id), run.labels_of(video_id))
    path.write_text(format_srt(take_main_track(stretches)), encoding="utf-8")


SRT = Format(
    for_each_video(".srt", _write), ("each video's subtitles are those of the track seen longest", SMOOTHING_NOTE)
)

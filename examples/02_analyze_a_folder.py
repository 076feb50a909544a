"""Analyse a folder and look at the tables with pandas: python examples/02_analyze_a_folder.py VIDEOS OUT."""

from __future__ import annotations

import sys

import pandas as pd

import videmo


def main(videos: str, out: str) -> None:
    """Analyse five frames a second, then show the mean expressions of every track."""
    report = videmo.analyze([videos], out, videmo.Settings(fps=5, annotated_video=False, existing="resume"))
    for failed in report.failed:
        print(f"not analysed: {failed.error}")
    tracks = pd.read_parquet(f"{out}/tracks.parquet")
    print(tracks[["video_id", "track_id", "first_time_s", "last_time_s", "dominant"]].to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Watch one video frame by frame: python examples/01_stream_one_video.py VIDEO.

Without VIDEO the demo clip is made and used.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import videmo
from videmo.demo import write_demo_clip
from videmo.emotion.labels import EMOTIONS


def main() -> None:
    """Print a line per second of media time and face."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "demo.mp4"
        if len(sys.argv) == 1:
            write_demo_clip(path)
        for item in videmo.stream(path, videmo.Settings(fps=1)):
            for track_id, emotions in zip(item.faces.track_ids, item.faces.emotions, strict=True):
                best = emotions.argmax()
                print(f"{item.frame.time_s:7.2f} s  face {track_id}  {EMOTIONS[best]} {emotions[best]:.0%}")


if __name__ == "__main__":
    main()

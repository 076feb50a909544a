"""Decodes clips and does nothing with them: `decode_alone.py OUT CLIP...`; prints what it did as one JSON line."""

from __future__ import annotations

import json
import sys
import time

import av


def main() -> None:
    started_s, frames = time.perf_counter(), 0
    for path in sys.argv[2:]:
        with av.open(path) as container:
            container.streams.video[0].thread_type = "AUTO"
            frames += sum(1 for _ in container.decode(video=0))
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - started_s}))


if __name__ == "__main__":
    main()

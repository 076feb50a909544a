from __future__ import annotations

from pathlib import Path

import pytest
from scored_frames import scored_frames, video_info

from videmo.datatypes import FrameFaces, ScoredFaces
from videmo.output.stage import write


class RecordingSink:
    needs_images = False

    def __init__(self, fails_at: int | None = None) -> None:
        self.indices: list[int] = []
        self.fails_at = fails_at

    def write(self, item: FrameFaces[ScoredFaces]) -> None:
        if item.frame.index == self.fails_at:
            raise RuntimeError("broken sink")
        self.indices.append(item.frame.index)

    def close(self) -> list[Path]:
        return []

    def abort(self) -> None:
        self.indices.clear()


def test_every_item_reaches_every_sink_before_it_is_yielded(tmp_path: Path) -> None:
    first, second = RecordingSink(), RecordingSink()
    for count, item in enumerate(write(scored_frames(video_info(tmp_path), [0, 1, 2]), [first, second]), start=1):
        assert first.indices == second.indices == list(range(count))
        assert item.frame.index == count - 1


def test_a_failing_sink_fails_the_stage(tmp_path: Path) -> None:
    sink = RecordingSink(fails_at=1)
    with pytest.raises(RuntimeError, match="broken sink"):
        list(write(scored_frames(video_info(tmp_path), [0, 0, 0]), [sink]))
    assert sink.indices == [0]

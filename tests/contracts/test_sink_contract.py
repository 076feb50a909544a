"""What every sink promises, asked of each one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.errors import OutputError
from videmo.output.annotated import AnnotatedVideoSink
from videmo.output.base import Sink
from videmo.output.parquet import TablesSink

SinkMaker = Callable[[Path], Sink]


def tables(out: Path) -> Sink:
    return TablesSink(out, video_info(out.parent), EMOTIONS, {"videmo.version": "0"})


def annotated(out: Path) -> Sink:
    return AnnotatedVideoSink(out / "annotated" / "clip.mp4", video_info(out.parent), EMOTIONS)


FILES = {tables: {"frames/clip.parquet", "faces/clip.parquet"}, annotated: {"annotated/clip.mp4"}}
every_sink = pytest.mark.parametrize("make", [tables, annotated])


def files_in(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() or path.is_symlink()}


def fill(sink: Sink, folder: Path, counts: list[int]) -> None:
    for item in scored_frames(video_info(folder), counts, analysed_every=2):
        sink.write(item if sink.needs_images else type(item)(item.frame.without_picture(), item.faces))


@every_sink
def test_files_have_their_names_only_once_they_are_complete(make: SinkMaker, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sink = make(out)
    fill(sink, tmp_path, [1, 0, 3, 2])
    assert all(name.endswith(".partial") for name in files_in(out))
    paths = sink.close()
    assert {path.relative_to(out).as_posix() for path in paths} == FILES[make] == files_in(out)
    assert all(path.stat().st_size > 0 for path in paths)


@every_sink
@pytest.mark.parametrize("counts", [[], [0, 2]])
def test_abort_leaves_nothing_and_may_be_repeated(make: SinkMaker, counts: list[int], tmp_path: Path) -> None:
    sink = make(tmp_path / "out")
    fill(sink, tmp_path, counts)
    sink.abort()
    sink.abort()
    assert files_in(tmp_path / "out") == set()


@every_sink
def test_abort_after_close_keeps_the_finished_files(make: SinkMaker, tmp_path: Path) -> None:
    sink = make(tmp_path / "out")
    fill(sink, tmp_path, [1, 1])
    sink.close()
    sink.abort()
    assert files_in(tmp_path / "out") == FILES[make]


@every_sink
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, the device that is always full")
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    make: SinkMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    make_file = os.open

    def make_full(path: Path, flags: int, *mode: int) -> int:
        full = Path(path).suffix == ".partial"
        return make_file("/dev/full", os.O_WRONLY) if full else make_file(path, flags, *mode)

    monkeypatch.setattr(os, "open", make_full)
    sink: Sink | None = None

    def write_all() -> None:
        nonlocal sink
        sink = make(out)
        fill(sink, tmp_path, [1] * 40)
        sink.close()

    with pytest.raises(OutputError, match=r"clip\.(parquet|mp4): cannot be written: No space left") as caught:
        write_all()
    assert "\n" not in str(caught.value)
    assert "--out" in str(caught.value)
    if sink is not None:
        sink.abort()
        assert files_in(out) == set()


@every_sink
def test_a_folder_that_cannot_be_made_is_named(make: SinkMaker, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="out"):
        fill(make(tmp_path / "out"), tmp_path, [1])

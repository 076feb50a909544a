"""What the user names becomes inputs: found, ordered, named, and nothing stops the others."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import pytest

from videmo.errors import UsageError, VideoError
from videmo.video.discover import Input, discover, explore, natural_key
from videmo.video.stage import open_reader


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def found(*inputs: str) -> list[tuple[str, list[str]]]:
    return [(item.kind, [path.as_posix() for path in item.paths]) for item in discover(inputs)]


def ids(*inputs: str) -> list[str]:
    return [item.video_id for item in discover(inputs)]


@pytest.mark.parametrize(
    ("files", "inputs", "expected"),
    [
        (["a.mp4"], ["a.mp4"], [("video", ["a.mp4"])]),
        (["notes.xyz"], ["notes.xyz"], [("video", ["notes.xyz"])]),  # named by itself: taken, whatever it is
        (["a.JPG"], ["a.JPG"], [("images", ["a.JPG"])]),
        (["b.mp4", "a.mp4"], ["b.mp4", "a.mp4"], [("video", ["b.mp4"]), ("video", ["a.mp4"])]),  # order as named
        (["v/s10.mp4", "v/s2.mp4"], ["v"], [("video", ["v/s2.mp4"]), ("video", ["v/s10.mp4"])]),  # natural order
        (["v/b.mov", "v/x/a.MKV"], ["v"], [("video", ["v/b.mov"]), ("video", ["v/x/a.MKV"])]),  # with subfolders
        (["p/10.png", "p/9.png"], ["p"], [("images", ["p/9.png", "p/10.png"])]),  # only pictures: one sequence
        (["p/1.png", "p/labels.csv"], ["p"], [("images", ["p/1.png"])]),
        (
            ["v/p/1.png", "v/p/2.png", "v/a.mp4"],
            ["v"],
            [("video", ["v/a.mp4"]), ("images", ["v/p/1.png", "v/p/2.png"])],
        ),
        (["m/1.png", "m/a.mp4"], ["m"], [("images", ["m/1.png"]), ("video", ["m/a.mp4"])]),  # mixed: each its own
        (["v/.a.mp4", "v/.x/b.mp4", "v/c.mp4"], ["v"], [("video", ["v/c.mp4"])]),  # hidden ones left out
        (["a1.mp4", "a2.mp4", "b.mp4"], ["a*.mp4"], [("video", ["a1.mp4"]), ("video", ["a2.mp4"])]),
        (["1.png", "2.png"], ["*.png"], [("images", ["1.png"]), ("images", ["2.png"])]),  # a glob names each by itself
        (["x/y/a.mp4"], ["**/*.mp4"], [("video", ["x/y/a.mp4"])]),
        (["a[1].mp4"], ["a[1].mp4"], [("video", ["a[1].mp4"])]),  # a file that looks like a glob
        (["a.mp4"], ["a.mp4", "./a.mp4", "*.mp4"], [("video", ["a.mp4"])]),  # taken once
        (["p/1.png", "p/2.png"], ["p/1.png", "p"], [("images", ["p/1.png", "p/2.png"])]),  # not beside its sequence
        (["a.mp4"], ["gone.mp4", "a.mp4"], [("video", ["gone.mp4"]), ("video", ["a.mp4"])]),  # fails alone, later
        (["a.mp4", "e/notes.txt"], ["e", "a.mp4"], [("video", ["e"]), ("video", ["a.mp4"])]),
    ],
)
def test_inputs_are_found(files: list[str], inputs: list[str], expected: list[tuple[str, list[str]]]) -> None:
    touch(*files)
    assert found(*inputs) == expected


def test_files_in_folders_that_are_neither_video_nor_picture_are_told() -> None:
    touch("v/a.mp4", "v/notes.txt", "v/x/table.csv", "v/.hidden")
    assert [path.as_posix() for path in explore(["v"]).ignored] == ["v/notes.txt", "v/x/table.csv"]


def test_a_folder_in_a_folder_that_is_named_like_a_video_is_told() -> None:
    touch("v/a.mp4", "v/full.mp4/b.mp4")
    Path("v/empty.mp4").mkdir()
    assert found("v") == [("video", ["v/a.mp4"]), ("video", ["v/empty.mp4"]), ("video", ["v/full.mp4/b.mp4"])]


@pytest.mark.parametrize("name", ["~notes.mp4", "~$x.mp4", "n" * 300 + ".mp4", "a.mp4/b.mp4"])
def test_names_that_cannot_be_looked_up_fail_alone(name: str) -> None:
    touch("a.mp4")
    assert found(name, "a.mp4") == [("video", [name]), ("video", ["a.mp4"])]
    with pytest.raises(VideoError):
        open_reader(discover([name, "a.mp4"])[0])


def test_what_videmo_has_written_is_no_input() -> None:
    touch("a.mp4", "out/run.json", "out/annotated/a.mp4", "out/charts/a.png", "out/own.mp4", "charts/b.mp4")
    assert found(".") == [("video", [name]) for name in ("a.mp4", "charts/b.mp4", "out/own.mp4")]
    assert found("out/annotated") == [("video", ["out/annotated/a.mp4"])]
    touch("run.json", "annotated/a.mp4")
    assert found(".") == [("video", [name]) for name in ("a.mp4", "out/own.mp4")]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_linked_folders_are_searched_once_and_loops_end() -> None:
    touch("disk/session/b.mp4", "videos/a.mp4")
    for name, target in (("videos/one", "../disk"), ("videos/two", "../disk/session"), ("disk/up", "../videos")):
        Path(name).symlink_to(target)
    assert found("videos") == [("video", ["videos/a.mp4"]), ("video", ["videos/two/b.mp4"])]


def test_an_empty_name_is_a_mistake() -> None:
    touch("a.mp4")
    with pytest.raises(UsageError, match="an input is empty"):
        discover([""])


def test_links_to_one_file_are_one_input() -> None:
    touch("v/a.mp4")
    Path("v/b.mp4").symlink_to(Path("v/a.mp4").resolve())
    assert found("v") == [("video", ["v/a.mp4"])]


@pytest.mark.parametrize(
    ("files", "inputs", "named"),
    [
        ([], ["gone.mp4"], ["gone.mp4: no such file"]),
        ([], ["*.mp4"], ["*.mp4: no such file"]),
        (["e/notes.txt"], ["e"], ["e: the folder holds no video"]),
        (["e/notes.txt"], ["e", "gone.mp4"], ["e: the folder", "gone.mp4: no such file"]),
        ([], [], ["no input was named"]),
    ],
)
def test_nothing_at_all_is_a_mistake_in_the_call(files: list[str], inputs: list[str], named: list[str]) -> None:
    touch(*files)
    with pytest.raises(UsageError) as caught:
        discover(inputs)
    assert all(part in str(caught.value) for part in named)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links need POSIX")
@pytest.mark.timeout(5)
def test_pipes_and_broken_links_fail_when_opened_and_never_hang() -> None:
    touch("a.mp4")
    os.mkfifo("pipe.mp4")
    os.mkfifo("pipe.png")
    Path("link.mp4").symlink_to("nowhere.mp4")
    *strange, _ = discover(["pipe.mp4", "pipe.png", "link.mp4", "a.mp4"])
    for item, told in zip(strange, ["not a regular file", "not a regular file", "broken link"], strict=True):
        with pytest.raises(VideoError, match=told):
            open_reader(item)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["interview 1.mp4"], ["interview-1"]),
        (["-dash-.mp4"], ["dash"]),
        (["a.b.c.mp4"], ["a-b-c"]),
        (["Größe_видео+視頻.mp4"], ["Größe_видео+視頻"]),
        (["हिन्दी.mp4"], ["हिन्दी"]),  # marks belong to their letters
        (["e\u0301.mp4"], ["\u00e9"]),  # one spelling of one letter
        (["what?<>:|*.mp4"], ["what"]),
        (["con.mp4"], ["con-file"]),
        (["!!!.mp4"], ["video"]),
        (["a.mp4", "a.mkv"], ["a-mp4", "a-mkv"]),
        (["x/a.mp4", "y/a.mp4"], ["x-a-mp4", "y-a-mp4"]),
        (["x/a.mp4", "y/A.mp4"], ["x-a-mp4", "y-A-mp4"]),  # some file systems take them for the same
        (["a b.mp4", "a-b.mkv", "c.mp4"], ["a-b-mp4", "a-b-mkv", "c"]),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not take")
def test_ids_are_safe_file_names_and_unique(files: list[str], expected: list[str]) -> None:
    touch(*files)
    assert ids(*files) == expected


def test_a_sequence_is_named_after_its_folder() -> None:
    touch("faces of june/1.png", "faces of june/2.png")
    assert ids("faces of june") == ["faces-of-june"]
    assert ids(".") == ["faces-of-june"]


def test_ids_do_not_depend_on_the_order() -> None:
    files = ["p/x/a.mp4", "q/x/a.mp4", "x/a.mp4", "x/a.mkv", "b.mp4", "x-a.mp4"]
    touch(*files)
    named = {item.paths: item.video_id for item in discover(files)}
    assert len(set(named.values())) == len(files)
    for order in itertools.permutations(files):
        assert {item.paths: item.video_id for item in discover(order)} == named


def test_long_names_are_cut_but_stay_apart() -> None:
    long = "ж" * 100
    touch(f"x/{long}1.mp4", f"x/{long}2.mp4")
    first, second = ids("x")
    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 100


def test_natural_key_counts_numbers_and_ignores_case() -> None:
    assert sorted(["b", "A10", "a9", "a", "10", "9"], key=natural_key) == ["9", "10", "a", "a9", "A10", "b"]


def test_an_input_tells_its_kind() -> None:
    touch("p/1.png")
    assert discover(["p"]) == [Input("1", (Path("p/1.png"),), "images")]

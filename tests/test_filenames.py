"""Every name of a file becomes one line of text that can be encoded, and is found again by it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.filenames import find_shown, show_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"clip 1.mp4", "clip 1.mp4"),
        ("Größe 視頻 😀.mp4".encode(), "Größe 視頻 😀.mp4"),
        (b"caf\xe9.mp4", r"caf\xe9.mp4"),
        (b"two\nlines.mp4", r"two\u000alines.mp4"),
        (b"\x1b[31mred.mp4", r"\u001b[31mred.mp4"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on POSIX only")
def test_names_are_shown_as_they_are_or_escaped(name: bytes, shown: str) -> None:
    assert show_name(Path(os.fsdecode(name))) == shown
    assert os.fsencode(find_shown(shown)) == name


@given(st.binary(min_size=1, max_size=40))
@pytest.mark.skipif(sys.platform == "win32", reason="names are bytes on POSIX only")
def test_any_name_is_one_line_of_utf8_and_found_again(name: bytes) -> None:
    name = name.replace(b"/", b"").replace(b"\0", b"").replace(b"\\", b"") or b"x"
    shown = show_name(os.fsdecode(name))
    assert len(shown.encode("utf-8").splitlines()) == 1
    assert len(shown.splitlines()) == 1
    assert os.fsencode(find_shown(shown)) == os.fsencode(Path(os.fsdecode(name)))


def test_a_file_of_exactly_the_shown_name_comes_first(tmp_path: Path) -> None:
    literal = tmp_path / r"caf\xe9.mp4"
    literal.touch()
    assert find_shown(show_name(literal)) == literal

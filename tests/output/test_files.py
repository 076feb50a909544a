from __future__ import annotations

import errno
from pathlib import Path

import pytest

from videmo.errors import OutputError
from videmo.output.files import explained, replacing


@pytest.mark.parametrize(
    ("code", "cause", "way_out"),
    [
        (errno.ENOSPC, "No space left on device", "free some space"),
        (errno.EACCES, "Permission denied", "choose a folder you may write to"),
        (errno.EROFS, "Read-only file system", "choose a folder you may write to"),
        (errno.EIO, "Input/output error", "check the disk"),
        (None, "Input/output error", "check the disk"),
    ],
)
def test_an_error_names_file_cause_and_way_out(code: int | None, cause: str, way_out: str, tmp_path: Path) -> None:
    error = OSError() if code is None else OSError(code, "whatever the library says")
    with pytest.raises(OutputError) as caught, explained(tmp_path / "a.parquet"):
        raise error
    assert str(caught.value).startswith(f"{tmp_path / 'a.parquet'}: cannot be written: {cause}; {way_out}")
    assert caught.value.__cause__ is error


def test_a_file_is_replaced_only_when_the_block_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"
    with pytest.raises(ZeroDivisionError), replacing(path) as partial:
        partial.write_text(str(1 / 0))
    assert [file.read_text() for file in path.parent.iterdir()] == ["first"]

"""What `videmo export` makes of names, folders and files that are there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from videmo.cli.export import To
from videmo.errors import UsageError
from videmo.findings.export import FORMATS, export
from videmo.findings.tables import Run

Cli = Callable[..., tuple[int, str, str]]


def test_the_command_offers_the_formats_there_are() -> None:
    assert [to.value for to in To] == list(FORMATS)


def test_files_that_are_there_are_refused_unless_told(run: Run, tmp_path: Path, run_cli: Cli) -> None:
    told = ["export", run.out, "--to", "srt", "--output", tmp_path / "e", "--video", "a"]
    code, out, err = run_cli(*told)
    assert (code, out) == (0, f"{tmp_path / 'e' / 'a.srt'}\n")
    assert "note: each video's subtitles" in err
    (tmp_path / "e" / "a.srt").write_text("mine")
    code, _, err = run_cli(*told)
    assert code == 2
    assert "a.srt: there already: replace it with --overwrite or choose another --output" in err
    assert (tmp_path / "e" / "a.srt").read_text() == "mine"
    assert run_cli(*told, "--overwrite")[0] == 0
    assert (tmp_path / "e" / "a.srt").read_text().startswith("1\n")


def test_half_written_files_are_removed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise ValueError("no room for words")

    monkeypatch.setattr("videmo.findings.export.srt.format_srt", fail)
    with pytest.raises(ValueError, match="no room"):
        export(run, "srt", tmp_path / "e")
    assert list((tmp_path / "e").iterdir()) == []


def test_wrong_names_are_told(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown format 'xls': known are csv, jsonl, elan"):
        export(run, "xls")
    with pytest.raises(UsageError, match=r"no finished video c: known are a, b"):
        export(run, "csv", video_ids=["c"])
    (tmp_path / "none" / "frames").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"no video of this run is finished"):
        export(Run(tmp_path / "none"), "csv")


def test_a_folder_that_cannot_be_made_is_named(run: Run, tmp_path: Path, run_cli: Cli) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run_cli("export", run.out, "--to", "csv", "--output", tmp_path / "file" / "e")
    assert code == 1
    assert f"{tmp_path / 'file' / 'e' / 'faces.csv'}: cannot be written" in err

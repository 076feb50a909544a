from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from videmo.errors import UsageError
from videmo.findings.manifest import carry, match_videos, read_manifest

VIDEOS = pd.DataFrame(
    {"video_id": ["p1", "a-p2", "b-p2"], "path": ["/data/p1.mp4", "/data/a/p2.mp4", "/data/b/p2.mp4"]}
)
PLAIN = "file,respondent,stimulus,group,offset_s,consent_id,purpose,age\np1.mp4,José,ad,A,1.5,c1,study,33\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_dialect_says_the_same(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = PLAIN.replace(",", delimiter).replace("\n", "\r\n")
    if delimiter != ",":
        text = text.replace("1.5", "1,5")
    rows = read_manifest(write(tmp_path / "study.csv", text, encoding))
    (row,) = rows.to_dict("records")
    assert row == {
        "file": "p1.mp4", "respondent": "José", "stimulus": "ad", "condition": "A", "offset_s": 1.5,
        "consent_id": "c1", "purpose": "study", "age": "33",
    }  # fmt: skip
    assert any("taken for Windows-1252" in note for note in rows.attrs["notes"]) == (encoding == "cp1252")
    assert any("further columns kept: age" in note for note in rows.attrs["notes"])


def test_spreadsheet_leftovers_do_no_harm(tmp_path: Path) -> None:
    text = 'sep=;\nFile;Respondent;;\n\n"a\nb.mp4"; p1 ;;\n;;;\nc.mp4;p2;;\n'
    rows = read_manifest(write(tmp_path / "study.csv", text))
    assert rows["file"].tolist() == ["a\nb.mp4", "c.mp4"]
    assert rows["respondent"].tolist() == ["p1", "p2"]
    assert rows["offset_s"].tolist() == [0.0, 0.0]
    assert rows.index.tolist() == [5, 7]  # lines of the file, where the rows end


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the file is empty"),
        ("file,responent\na,b\n", ": no column 'respondent' in the header ('responent' looks like it)"),
        ("file,respondent,group,condition\na,b,c,d\n", ": column 'condition' is there twice"),
        ("file,respondent,\na,b,c\n", ": column 3 has no name"),
        ("file,respondent\na,b,c\n", ", line 2: 3 cells where the header has 2"),
        ("file,respondent\na,\n", ", line 2: respondent is empty"),
        ("file,respondent\na,b\nc,d\na,e\n", ", lines 2, 4: the same file 'a' more than once"),
        ("file,respondent,offset_s\na,b,soon\n", ", line 2: offset_s 'soon' is not a number of seconds"),
        ("file,respondent,offset_s\na,b,inf\n", ", line 2: offset_s 'inf' is not a number of seconds"),
        ("file,respondent,offset_s\na,b,\n", ", line 2: offset_s is empty"),
        ("file;respondent;offset_s\na;b;1.000,5\n", ", line 2: offset_s '1.000,5' is not a number of seconds"),
        ("\0\1\2\3", ": not a text file"),
        (f"file,respondent,{'x' * 140_000}\na,b,c\n", ", line 1: not a table: field larger than field limit"),
    ],
)
def test_a_bad_manifest_gets_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "study.csv", text)
    with pytest.raises(UsageError) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert "\n" not in str(caught.value)


def test_a_first_line_of_any_length_is_split(tmp_path: Path) -> None:
    header = ["file", "respondent", *(f"question_{i}" for i in range(12_000))]
    rows = read_manifest(write(tmp_path / "study.csv", f"{','.join(header)}\n{','.join(['a'] * len(header))}\n"))
    assert set(header) <= set(rows)


def test_every_problem_has_its_line_up_to_a_limit(tmp_path: Path) -> None:
    text = "file,respondent\n" + "".join(f"{i}.mp4,\n" for i in range(50))
    with pytest.raises(UsageError) as caught:
        read_manifest(write(tmp_path / "study.csv", text))
    lines = str(caught.value).split("\n")
    assert len(lines) == 21
    assert lines[-1].endswith("and 30 more problems of this kind")


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_manifest(tmp_path / "nowhere.csv")


def manifest_of(*files: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"file": files, "respondent": [f"r{i}" for i in range(len(files))]}, index=range(2, 2 + len(files))
    )


@pytest.mark.parametrize(
    ("file", "video_id"),
    [
        ("p1.mp4", "p1"),  # its name alone says it
        ("../data/p1.mp4", "p1"),  # relative to the manifest
        ("/data/b/p2.mp4", "b-p2"),
        ("a/p2.mp4", "a-p2"),  # the end of the path
        ("a\\p2.mp4", "a-p2"),  # written on Windows
        ("./b/x/../p2.mp4", "b-p2"),
        ("a-p2", "a-p2"),  # by id
    ],
)
def test_files_are_found_among_the_videos(file: str, video_id: str) -> None:
    study = match_videos(manifest_of(file), VIDEOS, Path("/study/study.csv"))
    assert study["respondent"].to_dict() == {video_id: "r0"}
    absent = sorted(set(VIDEOS["video_id"]) - {video_id})
    assert [f"no row for {', '.join(absent)}" in note for note in study.attrs["notes"]] == [True]


def test_accents_are_found_however_they_are_composed() -> None:
    videos = pd.DataFrame({"video_id": ["v"], "path": ["/data/Jose\u0301.mp4"]})
    assert list(match_videos(manifest_of("Jos\u00e9.mp4"), videos, Path("/s.csv")).index) == ["v"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["p2.mp4"], "line 2: file 'p2.mp4' may be any of a-p2, b-p2: name its folder, too"),
        (["c/p1.mp4"], "line 2: file 'c/p1.mp4' is not among the 3 videos of this run"),
        ([".."], "line 2: file '..' is not among"),
        (["p1.mp4", "/data/p1.mp4"], "lines 2, 3: the same video 'p1' more than once"),
    ],
)
def test_files_that_are_not_clear_are_named(files: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says.replace(".", r"\.")):
        match_videos(manifest_of(*files), VIDEOS, Path("/study/study.csv"))


def test_columns_are_carried_to_every_row() -> None:
    study = match_videos(manifest_of("p1.mp4", "a/p2.mp4"), VIDEOS, Path("/study.csv"))
    table = pd.DataFrame({"video_id": ["a-p2", "p1", "b-p2", "p1"], "seen_s": [1.0, 2.0, 3.0, 4.0]})
    carried = carry(table, study)
    assert carried["respondent"].fillna("-").tolist() == ["r1", "r0", "-", "r0"]
    assert carried["seen_s"].tolist() == table["seen_s"].tolist()
    assert carry(pd.DataFrame(), study).empty
    with pytest.raises(UsageError, match=r"manifest column respondent: .* rename it"):
        carry(table.assign(respondent="x"), study)

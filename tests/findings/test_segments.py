from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from videmo.errors import UsageError
from videmo.findings.segments import place_segments, read_segments

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="3250"/><TIME_SLOT TIME_SLOT_ID="ts4"/>
  </TIME_ORDER>
  <TIER TIER_ID="scene">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>intro &amp; logo</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="note" PARENT_REF="scene">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
      <ANNOTATION_VALUE>funny</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="empty"/>
</ANNOTATION_DOCUMENT>
"""
WEBVTT = """WEBVTT - scenes

NOTE not a cue

STYLE
::cue { color: red }

1
00:01.000 --> 00:02.500 align:start
<v Anna>Hello &lt;b&gt;
there

01:00:00.000 --> 01:00:01.000
<i>late</i>
"""
SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}Hello\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000\r\nlate\r\n"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def spans_of(segments: pd.DataFrame) -> list[tuple[float, float, str]]:
    return list(segments[["start_s", "end_s", "name"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "text",
    [
        "start,end,name\n1.5,3,ad\n00:01:05.250,1:01:06,logo\n",
        "begin;end_s;Label\n1,5;3;ad\n00:01:05,250;1:01:06;logo\n",
        "Name\tStart\tEnd\nlogo\t65.25\t3666\nad\t1.5\t3\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_csv_in_every_dialect(tmp_path: Path, text: str, encoding: str) -> None:
    segments = read_segments(write(tmp_path / "s.csv", text, encoding))
    assert spans_of(segments) == [(1.5, 3.0, "ad"), (65.25, 3666.0, "logo")]
    assert segments["file"].isna().all()


def test_elan_documents_are_read_by_tier(tmp_path: Path) -> None:
    path = write(tmp_path / "s.eaf", EAF)
    scene, whole = read_segments(path, tier="scene"), read_segments(path)
    assert spans_of(scene) == [(0.5, 2.0, "intro & logo"), (2.0, 3.25, "scene")]
    assert spans_of(whole) == [(0.5, 2.0, "scene: intro & logo"), (0.5, 2.0, "note: funny"), (2.0, 3.25, "scene")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (EAF.replace('REF2="ts3"', 'REF2="ts4"'), ", annotation a2: the end is no time"),
        (EAF.replace('REF="a1"', 'REF="a3"'), ", annotation a3: the start is no time"),  # refers to itself
        (EAF.replace("milliseconds", "PAL-frames"), ": not an ELAN document with times in milliseconds"),
        (EAF.replace("</TIER>", "", 1), ": not an ELAN document: "),
        ("<html/>", ": not an ELAN document with"),
        ('<!DOCTYPE x [<!ENTITY a "ha">]><ANNOTATION_DOCUMENT/>', ": declares a document type or entities"),
        ("<ANNOTATION_DOCUMENT/>", ": no annotation in it"),
    ],
)
def test_bad_elan_documents_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path / "s.eaf", text)
    with pytest.raises(UsageError) as caught:
        read_segments(path)
    assert str(caught.value).startswith(f"{path}{says}")


def test_an_unknown_tier_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no annotation in tier 'scenes': there are scene, note"):
        read_segments(write(tmp_path / "s.eaf", EAF), tier="scenes")


@pytest.mark.parametrize(
    "text",
    [
        # Without header: tier, participant, then begin, end and duration in one or two formats, or without duration.
        "scene\t\t00:00:00.500\t00:00:02.000\t00:00:01.500\tad\nscene\t\t00:00:02.000\t00:00:03.000\t00:00:01.000\tend\n",
        "scene\t\t00:00:00.500\t0.5\t00:00:02.000\t2.0\t00:00:01.500\t1.5\tad\n"
        "scene\t\t00:00:02.000\t2.0\t00:00:03.000\t3.0\t00:00:01.000\t1.0\tend\n",
        "scene\t500\t2000\tad\nscene\t2000\t3000\tend\n",
        # With header: a tier per column, or a row per annotation.
        '"#file:///x.eaf"\nBegin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tscene\n'
        "0.500\t2.000\t1.5\tad\n2.000\t3.000\t1.0\tend\n",
        "Tier\tParticipant\tBegin Time - msec\tEnd Time - msec\tAnnotation\n"
        "scene\t\t500\t2000\tad\nscene\t\t2000\t3000\tend\n",
    ],
)
def test_elan_exports_are_read(tmp_path: Path, text: str) -> None:
    assert spans_of(read_segments(write(tmp_path / "s.txt", text))) == [(0.5, 2.0, "ad"), (2.0, 3.0, "end")]


def test_elan_exports_with_a_column_per_tier(tmp_path: Path) -> None:
    text = "Begin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tface\thand\n00:00:01.000\t00:00:02.000\t\twave\n"
    text += "00:00:03.000\t00:00:04.000\tsmile\t\n"
    path = write(tmp_path / "s.txt", text)
    assert spans_of(read_segments(path)) == [(1.0, 2.0, "hand: wave"), (3.0, 4.0, "face: smile")]
    assert spans_of(read_segments(path, tier="face")) == [(3.0, 4.0, "smile")]


def test_subtitles_are_read(tmp_path: Path) -> None:
    assert spans_of(read_segments(write(tmp_path / "s.vtt", WEBVTT))) == [
        (1.0, 2.5, "Hello <b> there"),
        (3600.0, 3601.0, "late"),
    ]
    assert spans_of(read_segments(write(tmp_path / "s.srt", SRT, "cp1252"))) == [
        (1.0, 2.5, "Hello"),
        (3600.0, 3601.0, "late"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("s.csv", "start,stop,name\n1,2,a\n", ": no column 'end' in the header (found start, stop, name)"),
        ("s.csv", "start,begin,end,name\n1,1,2,a\n", ": column 'start' is there twice"),
        ("s.csv", "start,end,name\n2,1,a\n", ", line 2: 'a' ends at 1 s, not after its start at 2 s"),
        ("s.csv", "start,end,name\n2,2,a\n", ", line 2: 'a' ends at 2 s, not after its start at 2 s"),
        ("s.csv", "start,end,name\n1,soon,a\n", ", line 2: the end is no time"),
        ("s.csv", "start,end,name\n1,2,\n", ", line 2: the segment has no name"),
        ("s.csv", "start,end,name\n3,6,a\n1,4,a\n1,4,b\n", ", line 2: 'a' starts at 3 s, before an earlier 'a' ends"),
        ("s.csv", "start,end,name\n1,9,a\n2,3,b\n4,5,a\n", ", line 4: 'a' starts at 4 s, before an earlier 'a' ends"),
        ("s.vtt", "WEBVTT\n\n1 --> soon\nx\n", ", line 3: not the timing of a cue"),
        ("s.srt", "hello\n", ": no cue in it"),
        ("s.vtt", "00:01.000 --> 00:02.000\n\n", ", line 1: the segment has no name"),
    ],
)
def test_bad_segments_get_one_clear_line(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(UsageError) as caught:
        read_segments(path)
    assert str(caught.value).startswith(f"{path}{says}")
    assert "\n" not in str(caught.value)


VIDEOS = pd.DataFrame({"video_id": ["p1", "p2", "p3"], "path": ["/d/p1.mp4", "/d/p2.mp4", "/d/p3.mp4"]})
STUDY = pd.DataFrame(
    {"stimulus": ["cat", "dog"], "offset_s": [10.0, 0.5]}, index=pd.Index(["p1", "p2"], name="video_id")
)


def placed(tmp_path: Path, text: str, study: pd.DataFrame | None) -> list[tuple[str, str, float, float]]:
    table = place_segments(read_segments(write(tmp_path / "s.csv", text)), VIDEOS, study)
    return list(table[["video_id", "segment", "start_s", "end_s"]].itertuples(index=False, name=None))


def test_the_same_name_may_overlap_in_another_file(tmp_path: Path) -> None:
    text = "start,end,name,file\n1,4,a,p1.mp4\n2,5,a,p2.mp4\n"
    assert placed(tmp_path, text, None) == [("p1", "a", 1.0, 4.0), ("p2", "a", 2.0, 5.0)]


def test_segments_without_a_file_are_on_stimulus_time(tmp_path: Path) -> None:
    text = "start,end,name\n1,2,a\n"
    assert placed(tmp_path, text, STUDY) == [("p1", "a", 11.0, 12.0), ("p2", "a", 1.5, 2.5)]
    assert placed(tmp_path, text, None) == [(video_id, "a", 1.0, 2.0) for video_id in ("p1", "p2", "p3")]


def test_segments_of_a_file_or_a_stimulus(tmp_path: Path) -> None:
    text = "start,end,name,file,stimulus\n1,2,a,p1.mp4,\n3,4,b,,dog\n5,6,c,,\n"
    assert placed(tmp_path, text, STUDY) == [
        ("p1", "a", 1.0, 2.0),  # on the time of the file: no offset
        ("p1", "c", 15.0, 16.0),
        ("p2", "b", 3.5, 4.5),
        ("p2", "c", 5.5, 6.5),
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [("1,2,a,nope.mp4,", "file 'nope.mp4' is not among the 3 videos"), ("1,2,a,,bird", "stimulus 'bird' is in no row")],
)
def test_unknown_files_and_stimuli_are_named(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        placed(tmp_path, f"start,end,name,file,stimulus\n{row}\n", STUDY)

"""Every format read back and compared with the tables."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from written_runs import write_segments, write_study, write_video

from videmo.cli.export import To
from videmo.errors import UsageError
from videmo.findings.elan import read_eaf
from videmo.findings.export import FORMATS, export
from videmo.findings.export.csv_files import defuse
from videmo.findings.export.eaf import build_document
from videmo.findings.export.openface import openface_angles
from videmo.findings.export.spss import name_variables
from videmo.findings.export.stretches import find_stretches
from videmo.findings.segment_readers import read_spans
from videmo.findings.tables import Run
from videmo.output.schema import LANDMARK_COLUMNS

Cli = Callable[..., tuple[int, str, str]]

FRAME_S = 0.1
LANDMARKS = {name: 10.0 * number for number, name in enumerate(LANDMARK_COLUMNS)}
POSE = {"yaw_deg": 20.0, "pitch_deg": 10.0, "roll_deg": 5.0}


def write_clip(out: Path, video_id: str, shown: Sequence[str | None], **further: object) -> None:
    """Write a video of frames 0.1 s apart, one face in each that shows the expression named, no face for None."""
    seen = [index for index, label in enumerate(shown) if label is not None]
    faces = pd.DataFrame({"frame_index": np.array(seen, np.int32)})
    for label in ("happiness", "anger"):
        faces[label] = np.float32([0.9 if shown[index] == label else 0.03 for index in seen])
    write_video(out, video_id, np.arange(len(shown)) * FRAME_S, faces.assign(**LANDMARKS, **POSE, **further))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two videos: one smiles for 2 s, is away for 1 s and is angry for 1 s; the other is neutral for 1 s."""
    out = tmp_path / "out"
    write_clip(out, "a", ["happiness"] * 20 + [None] * 10 + ["anger"] * 10)
    write_clip(out, "b", ["neutral"] * 10)
    videos = {"video_id": ["a", "b"], "path": ["/films/a.mp4", "/films/b.mp4"], "status": "done"}
    footer = {"videmo.schema_version": "1.2"}
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pandas(pd.DataFrame(videos)).replace_schema_metadata(footer), out / "videos.parquet")
    return Run(out)


@pytest.fixture
def study(run: Run) -> Run:
    """The same with a study whose texts a spreadsheet would run, and two segments that overlap."""
    write_study(run.out, {"a": {"respondent": "=HYPERLINK(1)", "offset_s": 0.5, "score": "-3"}})
    write_segments(run.out, ("a", "ad", 0.0, 1.0), ("a", "@logo", 0.5, 1.5))
    return Run(run.out)


def test_the_command_offers_the_formats_there_are() -> None:
    assert [to.value for to in To] == list(FORMATS)


def test_csv_holds_every_row_of_every_video_with_study_and_segments(study: Run) -> None:
    (path,) = export(study, "csv")
    assert path == study.out / "export" / "csv" / "faces.csv"
    rows = pd.read_csv(path)
    tables = pd.concat([study.faces("a"), study.faces("b")], ignore_index=True)
    assert len(rows) == len(tables) == 40
    for name in tables.columns:
        if pd.api.types.is_numeric_dtype(tables[name]):
            np.testing.assert_allclose(rows[name].astype(tables[name].dtype), tables[name], rtol=1e-15, err_msg=name)
    assert rows["emotion"].tolist() == tables["emotion"].astype(str).tolist()
    assert rows.columns[-4:].tolist() == ["respondent", "offset_s", "score", "segment"]
    first = rows[rows["video_id"] == "a"].set_index("frame_index")
    assert first["segment"][[0, 4]].tolist() == ["ad", "ad"]
    assert first["segment"][[5, 9]].tolist() == ["ad; @logo"] * 2
    assert first["segment"][[10, 14]].tolist() == ["'@logo"] * 2
    assert first["segment"][15:].isna().all()
    assert first["respondent"].unique().tolist() == ["'=HYPERLINK(1)"]
    assert first["score"].unique().tolist() == [-3]
    assert rows.loc[rows["video_id"] == "b", ["respondent", "score", "segment"]].isna().all(axis=None)


def test_a_study_with_a_column_named_segment_is_refused_where_there_are_segments(study: Run) -> None:
    write_study(study.out, {"a": {"segment": "mine"}})
    for form in ("csv", "spss-friendly-csv"):
        with pytest.raises(UsageError, match=r"manifest column segment: .*rename it"):
            export(study, form)


def test_csv_of_a_run_without_study_and_of_one_video(run: Run, tmp_path: Path) -> None:
    export(run, "csv", tmp_path / "e", ["b"])
    rows = pd.read_csv(tmp_path / "e" / "faces.csv")
    assert rows.columns.tolist() == run.faces("b").columns.tolist()
    assert rows["video_id"].unique().tolist() == ["b"]


def test_rows_are_streamed_row_group_by_row_group(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = run.faces("a")
    pieces = [whole[:7], whole[7:7], whole[7:]]
    monkeypatch.setattr(Run, "face_groups", lambda *_, **__: iter(pieces))
    monkeypatch.setattr(Run, "faces", lambda *_: pytest.fail("the whole table was read"))
    for form in ("csv", "jsonl"):
        export(run, form, tmp_path, ["a"])
    rows = pd.read_csv(tmp_path / "faces.csv")
    assert rows["frame_index"].tolist() == whole["frame_index"].tolist()
    assert len((tmp_path / "faces.jsonl").read_text().splitlines()) == len(whole)


def test_identities_are_columns_also_where_one_video_has_none(run: Run, tmp_path: Path) -> None:
    (run.out / "identities.csv").write_text("video_id,track_id,identity\na,1,Ann\n")
    export(run, "csv", tmp_path)
    rows = pd.read_csv(tmp_path / "faces.csv").drop_duplicates("video_id")
    assert rows["identity"].fillna("-").tolist() == ["Ann", "-"]
    export(run, "pyfeat", tmp_path)
    assert [pd.read_csv(tmp_path / f"{v}.csv")["Identity"].iloc[0] for v in "ab"] == ["Ann", "Person_1"]


def test_jsonl_is_a_record_a_line_with_null_for_what_is_missing(study: Run, tmp_path: Path) -> None:
    export(study, "jsonl", tmp_path)
    records = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    tables = pd.concat([study.faces("a"), study.faces("b")], ignore_index=True)
    assert [record["frame_index"] for record in records] == tables["frame_index"].tolist()
    for name in ("time_s", "happiness", "x2", "yaw_deg"):
        np.testing.assert_allclose([record[name] for record in records], tables[name], atol=1e-10)
    assert records[0]["respondent"] == "=HYPERLINK(1)", "no spreadsheet reads this"
    assert records[5]["segment"] == "ad; @logo"
    assert records[0]["exclude_reason"] is None
    assert records[-1]["segment"] is None


def test_stretches_follow_the_dominant_expression(run: Run) -> None:
    stretches = find_stretches(run.frames("a"), run.faces("a"), run.labels)
    assert stretches["expression"].tolist() == ["happiness", "anger"]
    np.testing.assert_allclose(stretches[["start_s", "end_s"]], [[0, 2], [3, 4]])
    assert stretches["track_id"].tolist() == [1, 1]


def test_one_doubtful_frame_makes_no_stretch(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", ["happiness"] * 10 + ["anger"] + ["happiness"] * 10)
    run = Run(tmp_path)
    assert find_stretches(run.frames("a"), run.faces("a"), run.labels)["expression"].tolist() == ["happiness"]


def test_a_video_without_a_face_has_no_stretch_and_every_format_takes_it(tmp_path: Path) -> None:
    write_clip(tmp_path / "out", "a", [None] * 5)
    run = Run(tmp_path / "out")
    assert find_stretches(run.frames("a"), run.faces("a"), run.labels).empty
    files = {form: export(run, form, tmp_path / form) for form in FORMATS}
    assert files["srt"][0].read_text() == ""
    assert pd.read_csv(files["openface"][0])["success"].tolist() == [0] * 5
    assert pd.read_csv(files["pyfeat"][0])["FaceScore"].isna().tolist() == [True] * 5
    assert len(pd.read_csv(files["csv"][0])) == 0
    assert pd.read_csv(files["spss-friendly-csv"][0])["video_id"].tolist() == ["a"]


def test_elan_reads_what_the_tables_say(study: Run, tmp_path: Path) -> None:
    paths = export(study, "elan", tmp_path)
    assert [path.name for path in paths] == ["a.eaf", "b.eaf"]
    spans = read_eaf(paths[0])
    told = list(zip(spans["name"], spans["start_s"].round(3), spans["end_s"].round(3), strict=True))
    assert told == [
        ("segments: ad", 0.0, 1.0),
        ("segments 2: @logo", 0.5, 1.5),
        ("track 1: happiness", 0.0, 2.0),
        ("track 1: anger", 3.0, 4.0),
    ]
    assert read_eaf(paths[1], "track 1")["name"].tolist() == ["neutral"]


def test_elan_documents_have_the_order_and_attributes_of_the_schema(study: Run, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    root = ElementTree.parse(export(study, "elan", tmp_path)[0]).getroot()
    assert [child.tag for child in root] == ["HEADER", "TIME_ORDER", "TIER", "TIER", "TIER", "LINGUISTIC_TYPE"]
    assert {"AUTHOR", "DATE", "FORMAT", "VERSION"} <= set(root.attrib)
    slots = {slot.get("TIME_SLOT_ID") for slot in root.iter("TIME_SLOT")}
    refs = [item.get(f"TIME_SLOT_REF{edge}") for item in root.iter("ALIGNABLE_ANNOTATION") for edge in (1, 2)]
    assert sorted(slots) == sorted(refs), "each slot is used once"
    types = {item.get("LINGUISTIC_TYPE_ID") for item in root.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == types
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL").startswith("file:///")


@given(name=st.text(max_size=20), value=st.text(max_size=20))
def test_any_text_makes_a_document_that_can_be_read(
    name: str, value: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("eaf") / "a.eaf"
    spans = pd.DataFrame({"start_s": [0.0], "end_s": [1.0], "value": [value]})
    build_document([(name, spans)], "/films/a&b \u000a.mp4").write(path, encoding="UTF-8", xml_declaration=True)
    assert len(read_eaf(path)) == 1


def test_subtitles_are_those_of_the_main_track(run: Run, tmp_path: Path) -> None:
    faces = run.faces("a").drop(columns=["video_id", "time_s"])
    guest = faces[faces["frame_index"] < 15].assign(track_id=2, happiness=0.0, anger=1.0)
    both = pd.concat([faces, guest]).sort_values("frame_index", kind="stable", ignore_index=True)
    write_video(tmp_path / "two", "a", run.frames("a")["time_s"].to_numpy(), both)
    (path,) = export(Run(tmp_path / "two"), "srt", tmp_path)
    assert path.read_text() == (
        "1\n00:00:00,000 --> 00:00:02,000\nhappiness\n\n2\n00:00:03,000 --> 00:00:04,000\nanger\n\n"
    )
    spans = read_spans(path)
    assert spans["name"].tolist() == ["happiness", "anger"]
    np.testing.assert_allclose(spans["end_s"], [2, 4])


def test_openface_has_its_columns_in_its_order_and_units(run: Run, tmp_path: Path) -> None:
    rows = pd.read_csv(export(run, "openface", tmp_path)[0])
    assert rows.columns.tolist() == [
        *("frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz"),
        *("x_30", "x_48", "x_54", "y_30", "y_48", "y_54"),
    ]
    assert rows["frame"].tolist() == list(range(1, 41)), "frames without a face, too; from 1"
    np.testing.assert_allclose(rows["timestamp"], run.frames("a")["time_s"])
    assert rows["success"].tolist() == [1] * 20 + [0] * 10 + [1] * 10
    assert rows["confidence"][[0, 25]].tolist() == [0.9, 0.0]
    assert rows["face_id"][[0, 25]].tolist() == [1, 0]
    points = rows.loc[0, ["x_30", "y_30", "x_48", "y_48", "x_54", "y_54"]].tolist()
    assert points == [LANDMARKS[f"{name}_{axis}"] for name in ("nose", "right_mouth", "left_mouth") for axis in "xy"]
    assert rows.loc[25, "pose_Rx":].isna().all()
    # As if R = Rz Ry Rx had been taken apart as Rx Ry Rz, by another route.
    ours = Rotation.from_euler("xyz", [POSE["pitch_deg"], POSE["yaw_deg"], POSE["roll_deg"]], degrees=True)
    np.testing.assert_allclose(rows.loc[0, ["pose_Rx", "pose_Ry", "pose_Rz"]].astype(float), ours.as_euler("XYZ"))


@given(st.lists(st.tuples(st.floats(-89, 89), st.floats(-179, 179), st.floats(-179, 179)), min_size=1, max_size=5))
def test_angles_for_openface_are_the_same_rotation(poses: list[tuple[float, float, float]]) -> None:
    given_deg = np.array(poses)
    turned = Rotation.from_euler("XYZ", openface_angles(given_deg)).as_matrix()
    expected = Rotation.from_euler("ZYX", given_deg[:, [2, 0, 1]], degrees=True).as_matrix()
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_unknown_poses_stay_unknown() -> None:
    assert np.isnan(openface_angles(np.array([[np.nan, 0, 0], [10, np.nan, 0]]))).all()
    assert openface_angles(np.zeros((0, 3))).shape == (0, 3)


def test_pyfeat_has_the_names_of_fex(run: Run, tmp_path: Path) -> None:
    rows = pd.read_csv(export(run, "pyfeat", tmp_path)[0])
    boxes = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
    emotions = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    assert rows.columns.tolist() == [
        *("frame", *boxes, "Pitch", "Roll", "Yaw", *emotions),
        *("Identity", "input", "approx_time", "time_s"),
    ]
    assert rows["frame"].tolist() == list(range(40))
    assert rows.loc[0, boxes].tolist() == [0, 0, 100, 100, 0.9]
    assert rows.loc[0, ["Pitch", "Roll", "Yaw"]].tolist() == [-10, -5, 20]
    faces = run.faces("a")
    np.testing.assert_allclose(rows["anger"].dropna(), faces["anger"], atol=1e-6)
    assert rows.loc[25, "FaceRectX":"Identity"].isna().all()
    assert rows["approx_time"][[0, 39]].tolist() == ["00:00", "00:03"]
    np.testing.assert_allclose(rows["time_s"], run.frames("a")["time_s"])


def test_spss_has_a_row_for_each_segment_and_a_codebook(study: Run, tmp_path: Path) -> None:
    data, book = export(study, "spss-friendly-csv", tmp_path)
    rows, codes = pd.read_csv(data), pd.read_csv(book)
    assert rows.columns.tolist() == codes["variable"].tolist()
    assert rows["segment"].fillna("-").tolist() == ["ad", "'@logo", "-"]
    assert rows["video_id"].tolist() == ["a", "a", "b"], "a video without a segment has its row"
    assert rows["respondent"].fillna("-").tolist() == ["'=HYPERLINK(1)"] * 2 + ["-"]
    np.testing.assert_allclose(rows["mean_happiness"][:2], [0.9, 0.9])
    np.testing.assert_allclose(rows["seen_s"][:2], [1.0, 1.0])
    described = codes.set_index("variable")
    assert described.loc["mean_happiness", ["label", "unit"]].tolist() == [
        "mean probability of happiness over the usable time",
        "0 to 1",
    ]
    assert described.loc["score", "label"] == "of the study: score"
    assert (codes["label"] != codes["variable"]).all(), "every variable is explained"


def test_spss_without_segments_has_a_row_for_each_video(run: Run, tmp_path: Path) -> None:
    data, book = export(run, "spss-friendly-csv", tmp_path)
    rows = pd.read_csv(data)
    assert rows["video_id"].tolist() == ["a", "b"]
    np.testing.assert_allclose(rows["share_happiness"], [2 / 3, 0], atol=1e-6)
    assert (pd.read_csv(book)["label"] != pd.read_csv(book)["variable"]).all()


@given(st.lists(st.text(min_size=1, max_size=90), unique=True, max_size=12))
def test_any_names_become_names_that_spss_takes(columns: list[str]) -> None:
    names = list(name_variables(columns).values())
    assert len(names) == len(columns) == len({name.lower() for name in names})
    for name in names:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name)
        assert not name.endswith("_")
        assert name.lower() not in {"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"}


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_no_text_cell_starts_a_formula_and_the_others_stay(texts: list[str]) -> None:
    safe = defuse(pd.DataFrame({"=x": texts, "n": -1.5}))
    assert safe.columns.tolist() == ["'=x", "n"]
    assert safe["n"].tolist() == [-1.5] * len(texts)
    for before, after in zip(texts, safe["'=x"], strict=True):
        risky = before[:1] in ("=", "+", "-", "@", "\t", "\r") and pd.isna(pd.to_numeric(before, errors="coerce"))
        assert after == (f"'{before}" if before and risky else before)


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


def test_csv_opens_with_the_defaults_of_pandas_in_memory(study: Run) -> None:
    text = export(study, "csv")[0].read_text(encoding="utf-8")
    assert len(pd.read_csv(io.StringIO(text))) == 40
    assert "\r" not in text

"""The formats of other programs, read back and compared with the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from exported_runs import LANDMARKS, POSE, write_clip
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from written_runs import write_video

from videmo.findings.elan import read_eaf
from videmo.findings.export import FORMATS, export
from videmo.findings.export.eaf import build_document
from videmo.findings.export.openface import openface_angles
from videmo.findings.export.stretches import find_stretches
from videmo.findings.segment_readers import read_spans
from videmo.findings.tables import Run


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


@pytest.mark.parametrize(
    ("names", "tier_ids"),
    [
        (["segments", "segments"], ["segments", "segments (2)"]),
        (["track 1", "track\b 1", "track 1"], ["track 1", "track 1 (2)", "track 1 (3)"]),
        (["A", "A (2)", "A"], ["A", "A (2)", "A (3)"]),
    ],
)
def test_no_two_tiers_have_one_name(names: list[str], tier_ids: list[str]) -> None:
    spans = pd.DataFrame({"start_s": [0.0], "end_s": [1.0], "value": ["x"]})
    document = build_document([(name, spans) for name in names], "/films/a.mp4")
    assert [tier.get("TIER_ID") for tier in document.iter("TIER")] == tier_ids


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

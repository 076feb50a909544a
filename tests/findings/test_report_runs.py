"""The report of runs of every kind: one video or many, with and without a study, failed, two hours long."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from html_pages import Reader
from hypothesis import given
from hypothesis import strategies as st
from plotly.graph_objects import Figure
from reported_runs import finish, wander, write_face
from written_runs import write_segments, write_study, write_video

from videmo.findings.report.curves import choose_epoch, trace_curves
from videmo.findings.report.figures import draw_groups
from videmo.findings.report.groups import Groups, compare_respondents
from videmo.findings.report.page import write_report
from videmo.findings.report.quality import measure_quality, tabulate_respondents
from videmo.findings.tables import Run


def test_quality_by_hand(tmp_path: Path) -> None:
    faces = pd.DataFrame({"frame_index": [0, 0, 1, 3], "track_id": [1, 2, 1, 1], "usable": [True, False, True, False]})
    write_video(tmp_path, "v", [0.0, 1.0, 2.0, 3.0], faces.assign(exclude_reason=["", "too_dark", "", "cut_off"]))
    found = measure_quality(Run(tmp_path))
    (video,) = found.videos.to_dict("records")
    assert (video["analysed_s"], video["any_face_s"], video["seen_s"], video["usable_s"]) == (4, 3, 4, 2)
    assert (video["usable_share"], video["tracks"], video["end_s"]) == (0.5, 2, 4)
    assert found.exclusions.set_index("exclude_reason")["share"].to_dict() == {"too_dark": 0.25, "cut_off": 0.25}


def test_a_respondent_of_several_videos_is_added_up(tmp_path: Path) -> None:
    for video_id in ("a", "b"):
        write_face(tmp_path, video_id, 2, fps=5)
    write_study(tmp_path, {video_id: {"respondent": "R"} for video_id in ("a", "b")})
    page = Reader(write_report(finish(tmp_path)).read_text(encoding="utf-8"))
    assert page.tables["usable-share-of-each-respondent"][1:] == [["R", "2", "4.0 s", "4.0 s", "100 %"]]


def test_a_respondent_is_one_row_whatever_was_watched(tmp_path: Path) -> None:
    seen = {"a": ("R", "old", "c1"), "b": ("R", "new", "c1"), "c": ("S", "old", None), "d": ("S", "old", "c2")}
    for video_id in seen:
        write_face(tmp_path, video_id, 2, fps=5)
    columns = ("respondent", "condition", "consent_id")
    write_study(tmp_path, {video_id: dict(zip(columns, said, strict=True)) for video_id, said in seen.items()})
    table = tabulate_respondents(measure_quality(finish(tmp_path), columns).videos, columns)
    told = table[[*columns, "videos", "seen_s"]]
    assert told.astype(object).where(told.notna(), None).to_numpy().tolist() == [
        ["R", None, "c1", 2, 4.0],
        ["S", "old", None, 2, 4.0],
    ]
    assert tabulate_respondents(measure_quality(Run(tmp_path)).videos, ()).empty


def test_the_annotated_video_is_linked_from_where_the_page_lies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_face(out, "my film #1", 1, fps=5)
    (out / "annotated").mkdir()
    (out / "annotated" / "my film #1.mp4").touch()
    run = finish(out)
    assert "annotated/my%20film%20%231.mp4" in Reader(write_report(run).read_text(encoding="utf-8")).links
    elsewhere = write_report(run, tmp_path / "pages" / "page.html")
    assert "../out/annotated/my%20film%20%231.mp4" in Reader(elsewhere.read_text(encoding="utf-8")).links


def test_tracks_have_the_names_that_people_gave(tmp_path: Path) -> None:
    faces = pd.concat([wander(20, seed) for seed in (1, 2)]).assign(track_id=np.repeat([1, 2], 20))
    write_video(tmp_path, "v", (np.arange(20) / 5).tolist(), faces.sort_values("frame_index"))
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\nv,2,Anna\n")
    html = write_report(finish(tmp_path)).read_text(encoding="utf-8")
    tracks = json.loads(Reader(html).scripts["report-data"])["videos"]["video-1"]["tracks"]
    assert {track["name"] for track in tracks} == {"track 1 · 4.0 s", "Anna · 4.0 s"}
    assert {track["who"] for track in tracks} == {"track 1", "Anna"}


def test_segments_and_moments_say_who_a_track_is(tmp_path: Path) -> None:
    frames = np.repeat(np.arange(60), 2)
    smiling = (frames >= 20) & (frames < 35)
    faces = pd.DataFrame(
        {"frame_index": frames, "track_id": np.tile([1, 2], 60), "happiness": np.where(smiling, 0.9, 0.1)}
    )
    write_video(tmp_path, "v", (np.arange(60) / 5).tolist(), faces)
    write_segments(tmp_path, ("v", "ad", 0.0, 6.0))
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\nv,2,Anna\n")
    page = Reader(write_report(finish(tmp_path)).read_text(encoding="utf-8"))
    for title in ("segments", "moments-of-each-track"):
        head, *rows = page.tables[title]
        told = {(row[head.index("track")], row[head.index("identity")]) for row in rows}
        assert told == {("1", "–"), ("2", "Anna")}
    written = pd.read_parquet(tmp_path / "findings" / "segment_summary.parquet")
    assert written.set_index("track_id")["identity"].fillna("").to_dict() == {1: "", 2: "Anna"}


def test_a_run_without_a_finished_video_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "faces").mkdir()
    failed = {"video_id": "bad", "path": "/films/bad.mp4", "error": "/films/bad.mp4: not a video"}
    html = write_report(finish(tmp_path, failed)).read_text(encoding="utf-8")
    assert "1 of 1 inputs could not be analysed" in html
    assert "No video is finished." in html
    assert "groups" not in Reader(html).ids


def test_without_a_study_there_are_no_groups(tmp_path: Path) -> None:
    write_face(tmp_path, "v", 3, fps=5)
    page = Reader(write_report(finish(tmp_path)).read_text(encoding="utf-8"))
    assert "groups" not in page.ids
    assert not (tmp_path / "findings" / "group_curves.parquet").exists()


def test_two_respondents_are_too_few_to_compare(tmp_path: Path) -> None:
    for number, video_id in enumerate("ab"):
        write_face(tmp_path, video_id, 3, fps=5, seed=number)
    write_study(tmp_path, {"a": {"respondent": "R1", "condition": "x"}, "b": {"respondent": "R2", "condition": "y"}})
    html = write_report(finish(tmp_path)).read_text(encoding="utf-8")
    assert "Not compared: no two groups of &#39;condition&#39; have 3 usable respondents" in html
    assert "differences-between-groups" not in Reader(html).tables


def test_what_is_not_drawn_is_told_and_no_two_stimuli_are_one(tmp_path: Path) -> None:
    stimuli = ["Ad", "ad", *"bcdefg"]
    for number, _ in enumerate(stimuli):
        write_face(tmp_path, f"v{number}", 2, fps=5, seed=number)
    study = {f"v{number}": {"respondent": "R", "stimulus": name} for number, name in enumerate(stimuli)}
    write_study(tmp_path, study)
    html = write_report(finish(tmp_path)).read_text(encoding="utf-8")
    assert re.findall(r"<h3>Stimulus (\w+)</h3>", html) == stimuli[:6]
    assert re.findall(r"Drawn are [^<]*", html) == ["Drawn are the first 6 of 8 stimuli; the table has all."]
    html = write_report(Run(tmp_path), by="stimulus").read_text(encoding="utf-8")
    assert re.findall(r"Drawn are [^<]*", html) == ["Drawn are the first 6 of 8 groups; the table has all."]


def test_a_long_stimulus_does_not_blur_the_short_ones(tmp_path: Path) -> None:
    lengths_s = {"film": 3600, **{f"ad{number}": 30 for number in range(5)}}
    for number, (stimulus, length_s) in enumerate(lengths_s.items()):
        write_face(tmp_path, stimulus, length_s, fps=0.5, seed=number)
    conditions = dict(zip(lengths_s, "abcabc", strict=True))
    write_study(tmp_path, {name: {"stimulus": name, "condition": group} for name, group in conditions.items()})
    groups = compare_respondents(finish(tmp_path), "condition")
    assert groups is not None
    # 3,750 s of curves, 8 signals, 4 numbers each: 5 s is the shortest epoch with which 30,000 numbers are enough.
    assert groups.epoch_s == 5
    assert groups.curves.groupby("stimulus")["epoch_start_s"].nunique().to_dict() == {
        name: length_s / 5 for name, length_s in lengths_s.items()
    }


def test_two_hours_stay_small(tmp_path: Path) -> None:
    write_face(tmp_path, "long", 7200, fps=10)
    path = write_report(finish(tmp_path))
    data = json.loads(Reader(path.read_text(encoding="utf-8")).scripts["report-data"])
    assert path.stat().st_size < 6_000_000 + 2 * 200_000
    assert data["videos"]["video-1"]["tracks"][0]["rows"] == round(7200 / data["epoch_s"])


@given(st.floats(0, 1e8))
def test_points_are_bounded(face_s: float) -> None:
    assert face_s / choose_epoch(face_s) <= 6_000 + 3_000 * face_s / 3600


def test_faces_that_are_not_usable_are_in_no_curve(tmp_path: Path) -> None:
    hidden = (np.arange(40) >= 20) & (np.arange(40) < 29)  # 0.45 s within 2 s: short enough to be bridged
    faces = pd.DataFrame({"frame_index": np.arange(40), "happiness": np.where(hidden, 1.0, 0.1), "usable": ~hidden})
    write_video(tmp_path, "v", (np.arange(40) / 20).tolist(), faces)
    epochs = trace_curves(Run(tmp_path), ["neutral", "happiness"], 0.5).epochs
    np.testing.assert_allclose(epochs["bridged_s"], [0, 0, 0.45, 0], atol=1e-6)
    np.testing.assert_allclose(epochs[["happiness", "happiness_smoothed"]], 0.1, atol=1e-6)


def test_only_certain_clusters_are_shaded() -> None:
    keys = {"stimulus": "all", "signal": "happiness"}
    curve = pd.DataFrame({**keys, "group": "old", "epoch_start_s": [0.0, 1.0, 2.0], "epoch_end_s": [1.0, 2.0, 3.0]})
    curve = curve.assign(respondents=3, mean=0.5, low=[0.4, np.nan, 0.25], high=[0.6, np.nan, 0.75], showing=1.0)
    found = pd.DataFrame({**keys, "cluster": [0, 1, 2], "start_s": [0.0, 0.0, 2.0], "end_s": [3.0, 1.0, 3.0]})
    found["p_corrected"] = [0.01, 0.01, 0.2]
    groups = Groups(1.0, ("happiness",), curve, found, pd.DataFrame(), pd.DataFrame(), ())
    (chart,) = draw_groups(groups)
    assert [(shape["x0"], shape["x1"]) for shape in chart.figure["layout"]["shapes"]] == [(0.0, 1.0)]
    band = chart.figure["data"][0]
    assert band["x"] == [0.5, 0.5, None, 2.5, 2.5, None]
    assert band["y"] == [0.6, 0.4, None, 0.75, 0.25, None]


def test_an_epoch_alone_between_gaps_is_seen() -> None:
    nan = np.nan
    means = [0.5, nan, 0.2, 0.3, nan, 0.4]
    curve = pd.DataFrame({"epoch_start_s": np.arange(6.0), "epoch_end_s": np.arange(6.0) + 1, "mean": means})
    keys = {"stimulus": "all", "signal": "happiness", "group": "old", "respondents": 3}
    curve = curve.assign(**keys, low=[0.4, nan, 0.1, 0.1, nan, nan], high=[0.7, nan, 0.4, 0.4, nan, nan], showing=nan)
    empty = pd.DataFrame()
    (chart,) = draw_groups(Groups(1.0, ("happiness",), curve, empty, empty, empty, ()))
    (dots,) = [trace for trace in chart.figure["data"] if trace["mode"] == "markers"]
    assert (dots["x"], dots["y"]) == ([0.5, 5.5], [0.5, 0.4])
    assert (dots["error_y"]["array"], dots["error_y"]["arrayminus"]) == ([0.2, None], [0.1, None])
    assert len(Figure(chart.figure).data) == 4  # Plotly knows all of it


def test_a_group_has_one_look_under_all_stimuli() -> None:
    curve = pd.DataFrame({"signal": "happiness", "epoch_start_s": [0.0, 1.0], "epoch_end_s": [1.0, 2.0]})
    curve = curve.assign(respondents=3, mean=0.5, low=0.4, high=0.6, showing=1.0)
    watched = {"ad": ["new", "old"], "film": ["old"], "song": list("abcdef")}
    pairs = [(stimulus, group) for stimulus, groups in watched.items() for group in groups]
    curves = pd.concat([curve.assign(stimulus=stimulus, group=group) for stimulus, group in pairs])
    empty = pd.DataFrame()
    charts = draw_groups(Groups(1.0, ("happiness",), curves, empty, empty, empty, ()))
    lines = [(trace["name"], trace["line"]) for chart in charts for trace in chart.figure["data"] if "line" in trace]
    looks = dict(lines)
    assert all(line == looks[name] for name, line in lines)
    assert len({(line["color"], line["dash"]) for line in looks.values()}) == len(looks) == 8

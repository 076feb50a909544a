from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written_runs import write_study, write_video

from videmo.errors import UsageError
from videmo.findings import tables
from videmo.findings.decisions import clear_decisions, list_tracks, store_decisions, write_template
from videmo.findings.identities import People, read_decisions
from videmo.findings.replay import replay
from videmo.findings.summary import summarize_run
from videmo.findings.tables import Run
from videmo.findings.tracks import summarize_tracks
from videmo.output.names import IDENTITIES
from videmo.output.parquet import write_table

TIMES_S = [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two videos of 5 s, a frame each second. In `a` track 1 is seen at 0 to 2 s, 2 at 0 to 4 s, 4 at 3 and 4 s."""
    out = tmp_path / "out"
    seen = [(0, 1, 0.9), (0, 2, 0.1), (1, 1, 0.6), (1, 2, 0.1), (2, 1, 0.9), (2, 2, 0.1), (3, 2, 0.1), (3, 4, 0.3),
            (4, 2, 0.1), (4, 4, 0.3)]  # fmt: skip
    write_video(out, "a", TIMES_S, pd.DataFrame(seen, columns=["frame_index", "track_id", "happiness"]))
    write_video(out, "b", TIMES_S, pd.DataFrame({"frame_index": [0, 1], "happiness": 0.8}))
    recorded = Run(out, as_recorded=True)
    write_table(out / "tracks.parquet", pa.concat_tables([summarize_tracks(recorded, name) for name in "ab"]), {})
    write_table(out / "videos.parquet", pa.table({"video_id": ["a", "b"], "path": ["/v/a.mp4", "/v/b.mp4"]}), {})
    return Run(out)


def decide(run: Run, *lines: str, header: str = "video_id,track_id,identity,start_s,end_s") -> None:
    path = run.out.parent / "decisions.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    store_decisions(run, path)


def refused(run: Run, *lines: str) -> list[str]:
    with pytest.raises(UsageError) as refusal:
        decide(run, *lines)
    assert not (run.out / IDENTITIES).exists()
    return str(refusal.value).replace(str(run.out.parent / "decisions.csv"), "").splitlines()


def shown(faces: pd.DataFrame) -> list[tuple[float, int, int, object]]:
    rows = faces.assign(identity=faces["identity"].astype(object).where(faces["identity"].notna(), None))
    return list(rows[["time_s", "track_id", "original_track_id", "identity"]].itertuples(index=False, name=None))


def test_tracks_of_one_identity_become_one(run: Run) -> None:
    decide(run, "a,4,Anna,,", "a,1,Anna,,", "b,1,Anna,,")
    anna = [(0.0, 1, 1, "Anna"), (1.0, 1, 1, "Anna"), (2.0, 1, 1, "Anna"), (3.0, 1, 4, "Anna"), (4.0, 1, 4, "Anna")]
    nobody = [(time_s, 2, 2, None) for time_s in TIMES_S]
    assert sorted(shown(run.faces("a"))) == sorted(anna + nobody)
    assert run.faces("a")["track_id"].dtype == np.int32
    assert shown(run.faces("b")) == [(0.0, 1, 1, "Anna"), (1.0, 1, 1, "Anna")]
    assert run.names("a") == run.names("b") == {1: "Anna"}


def test_tracks_are_summed_over_the_merged(run: Run) -> None:
    decide(run, "a,4,Anna,,", "a,1,Anna,,")
    tracks = list_tracks(run)
    keys = ["video_id", "track_id", "identity", "first_time_s", "last_time_s", "rows", "dominant"]
    assert list(tracks[keys].fillna({"identity": "-"}).itertuples(index=False, name=None)) == [
        ("a", 1, "Anna", 0.0, 4.0, 5, "happiness"),
        ("a", 2, "-", 0.0, 4.0, 5, "neutral"),
        ("b", 1, "-", 0.0, 1.0, 2, "happiness"),
    ]
    means = run.tracks().set_index(["video_id", "track_id"])["mean_happiness"]
    assert means["a", 1] == pytest.approx((0.9 + 0.6 + 0.9 + 0.3 + 0.3) / 5)
    assert summarize_run(run).set_index(["video_id", "track_id"])["mean_happiness"]["a", 1] == pytest.approx(0.6)


def test_decisions_are_read_once_until_the_file_changes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(side_effect=read_decisions)
    monkeypatch.setattr(tables, "read_decisions", read)
    decide(run, "a,1,Anna,,", "b,1,Anna,,")
    for video_id in ("a", "b", "a"):
        assert run.names(video_id) == {1: "Anna"} == Run(run.out).names(video_id)
    assert read.call_count == 1
    decide(run, "a,1,Ben,,")
    assert run.names("a") == {1: "Ben"}
    assert read.call_count == 2


def test_a_range_splits_a_track_and_its_end_is_outside(run: Run) -> None:
    decide(run, "a,2,Ben,,2", "a,2,Cleo,2,", "a,1,Anna,1,2")
    assert [row for row in shown(run.faces("a")) if row[2] == 2] == [
        (0.0, 2, 2, "Ben"),
        (1.0, 2, 2, "Ben"),
        (2.0, 5, 2, "Cleo"),
        (3.0, 5, 2, "Cleo"),
        (4.0, 5, 2, "Cleo"),
    ]
    # Anna has id 1; what was recorded under it beside her goes on under a number of its own.
    assert [row for row in shown(run.faces("a")) if row[2] == 1] == [
        (0.0, 6, 1, None),
        (1.0, 1, 1, "Anna"),
        (2.0, 6, 1, None),
    ]
    assert run.tracks()["track_id"].tolist() == [1, 2, 4, 5, 6, 1]


def test_an_identity_leaves_a_smaller_id_to_another(run: Run) -> None:
    decide(run, "a,1,Anna,,1", "a,1,Ben,1,", "a,4,Ben,,")
    assert run.names("a") == {1: "Anna", 4: "Ben"}


def test_columns_can_be_chosen(run: Run) -> None:
    assert "identity" not in run.faces("a")
    assert run.faces("a", ["track_id", "identity"]).columns.tolist() == ["track_id"]
    decide(run, "a,4,Anna,,", "a,1,Anna,,")
    assert run.faces("a", ["track_id", "x1"]).columns.tolist() == ["track_id", "x1"]
    assert run.faces("a", ["identity"])["identity"].isna().tolist() == [False, True] * 3 + [True, False] * 2
    assert run.faces("b").columns.tolist() == run.faces("a").columns.tolist()
    assert all("identity" in faces for _, faces in run.row_groups("b"))


def test_replay_gives_the_merged_ids(run: Run) -> None:
    from scored_frames import scored_frames, video_info

    decide(run, "a,4,Anna,,", "a,1,Anna,,")
    frames = (item.frame for item in scored_frames(video_info(run.out, video_id="a"), [0] * 5))
    assert [item.faces.track_ids.tolist() for item in replay(frames, run, "a")] == [[1, 2]] * 3 + [[2, 1]] * 2


def test_stored_tables_stay_and_clear_takes_all_back(run: Run) -> None:
    before = {path: path.read_bytes() for path in run.out.rglob("*.parquet")}
    tracks = run.tracks()
    decide(run, "a,4,Anna,,", "a,1,Anna,,")
    assert {path: path.read_bytes() for path in run.out.rglob("*.parquet")} == before
    pd.testing.assert_frame_equal(Run(run.out, as_recorded=True).tracks(), tracks)
    clear_decisions(run)
    clear_decisions(run)
    pd.testing.assert_frame_equal(run.tracks(), tracks)
    assert "identity" not in run.faces("a")


def test_the_stored_decisions_and_the_template_give_the_same_again(run: Run, tmp_path: Path) -> None:
    decide(run, "a,4,Zoë,,", "a,1,Zoë,,1.5", "a,1,Ben,1.5,")
    stored, tracks = (run.out / IDENTITIES).read_bytes(), run.tracks()
    store_decisions(run, run.out / IDENTITIES)
    assert (run.out / IDENTITIES).read_bytes() == stored
    write_template(run, tmp_path / "template.csv")
    template = pd.read_csv(tmp_path / "template.csv")
    assert template[["video_id", "track_id"]].apply(tuple, axis=1).tolist() == [
        ("a", 1), ("a", 1), ("a", 2), ("a", 4), ("b", 1)
    ]  # fmt: skip
    assert template["identity"].fillna("").tolist() == ["Zoë", "Ben", "", "Zoë", ""]
    store_decisions(run, tmp_path / "template.csv")
    pd.testing.assert_frame_equal(run.tracks(), tracks)
    with pytest.raises(UsageError, match=r"template\.csv: is there already"):
        write_template(run, tmp_path / "template.csv")


def test_a_template_of_nothing_decided_decides_nothing(run: Run, tmp_path: Path) -> None:
    write_template(run, tmp_path / "template.csv")
    with pytest.raises(UsageError, match="no row has an identity"):
        store_decisions(run, tmp_path / "template.csv")


def test_the_study_stays_at_the_right(run: Run) -> None:
    write_study(run.out, {"a": {"respondent": "r1"}})
    decide(run, "a,4,Anna,,")
    tracks = run.tracks()
    assert tracks.columns.tolist()[-2:] == ["identity", "respondent"]
    assert tracks["respondent"].fillna("-").tolist() == ["r1", "r1", "r1", "-"]


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (["c,1,Anna,,"], [", line 2: no track in a video 'c'"]),
        (["a,3,Anna,,"], [", line 2: 'a' has no track 3, its ids go from 1 to 4"]),
        (["a,one,Anna,,"], [", line 2: track_id 'one' is not a whole number"]),
        (["a,1.5,Anna,,"], [", line 2: track_id '1.5' is not a whole number"]),
        (["a,99999999999999999999,Anna,,"],
         [", line 2: track_id 99999999999999999999 is larger than any id of a track"]),
        (["a,1,Anna,soon,"], [", line 2: start_s 'soon' is not a number of seconds"]),
        (["a,1,Anna,2,2"], [", line 2: end_s 2 is not after start_s 2"]),
        (["a,1,,2,3", "a,2,Ben,,"], [f", line 2: {name} without an identity: name whom this time belongs to"
                                     for name in ("start_s", "end_s")]),
        (["a,1,Anna,,3", "b,1,Anna,,", "a,1,Ben,2,"],
         [", lines 2 and 4: track 1 of 'a' is named twice at 2 s: part the times"]),
        (["a,1,Anna,,", "a,1,Anna,,"], [", lines 2 and 3: track 1 of 'a' is named twice at 0 s: part the times"]),
        (["a,1,Anna,,", "a,2,Anna,,", "a,4,Anna,,"],
         [f", lines {lines}: tracks {ids} of 'a' cannot both be 'Anna': both are seen at {at}"
          for lines, ids, at in (("2 and 3", "1 and 2", "0.00 s, in 3 frames"),
                                 ("3 and 4", "2 and 4", "3.00 s, in 2 frames"))]),
    ],
)  # fmt: skip
def test_wrong_decisions_are_named_line_by_line(run: Run, lines: list[str], problems: list[str]) -> None:
    assert refused(run, *lines) == problems


def test_a_missing_column_is_named(run: Run) -> None:
    with pytest.raises(UsageError, match=r"decisions\.csv: no column 'identity' in the header"):
        decide(run, "a,1,Anna", header="video_id,track_id,name")


def test_a_refused_file_leaves_what_held(run: Run) -> None:
    decide(run, "a,1,Anna,,")
    with pytest.raises(UsageError):
        decide(run, "a,9,Anna,,")
    assert run.names("a") == {1: "Anna"}


def test_tracks_that_share_no_frame_within_their_ranges_may_be_one(run: Run) -> None:
    decide(run, "a,1,Anna,,3", "a,2,Anna,3,")
    assert {row[:3] for row in shown(run.faces("a")) if row[3] == "Anna"} == {
        (0.0, 1, 1), (1.0, 1, 1), (2.0, 1, 1), (3.0, 1, 2), (4.0, 1, 2)
    }  # fmt: skip


@given(
    rows=st.lists(st.tuples(st.integers(1, 4), st.sampled_from("ABC"), st.integers(0, 4)), max_size=6, unique=True),
    faces=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 5)), max_size=30),
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_and_people_stand_for_each_other(
    rows: list[tuple[int, str, int]], faces: list[tuple[int, float]], tmp_path: Path
) -> None:
    """Rows share an id when they share an identity, or when neither has one and both were recorded under one id."""
    starts = {(track, start): name for track, name, start in rows}
    lines = [f"v,{track},{name},{start},{start + 1}" for (track, start), name in starts.items()]
    path = tmp_path / "decisions.csv"
    path.write_text("\n".join(["video_id,track_id,identity,start_s,end_s", *lines]))
    table = pd.DataFrame(faces, columns=["track_id", "time_s"]).astype({"track_id": np.int32, "time_s": float})
    people = People.of(read_decisions(path), table["track_id"].to_numpy(np.int64))
    found = people.apply(table)
    identity = found["identity"].astype(object)
    who = identity.where(identity.notna(), found["original_track_id"])
    assert found["original_track_id"].tolist() == table["track_id"].tolist()
    assert who.groupby(found["track_id"]).nunique().max() in (1, np.nan) or found.empty
    assert found["track_id"].groupby(who).nunique().max() in (1, np.nan) or found.empty
    expected = [starts.get((track, int(time_s)) if time_s < 5 else (0, 0)) for track, time_s in faces]
    assert identity.where(identity.notna(), None).tolist() == expected

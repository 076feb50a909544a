from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored_frames import scored_frames, video_info

from videmo.emotion.labels import EMOTIONS
from videmo.errors import UsageError
from videmo.findings.study import STUDY_KEY, carry_study, check_names
from videmo.findings.tables import Run
from videmo.output import rows
from videmo.output.parquet import TablesSink

COUNTS = (1, 2, 0, 0, 0, 3, 1)


def study(**columns: object) -> pd.DataFrame:
    """Return the study of one video, `clip`, as `match_videos` gives it."""
    return pd.DataFrame(
        {"respondent": ["José"], "offset_s": [0.5], **columns}, index=pd.Index(["clip"], name="video_id")
    )


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The faces table of seven frames in four row groups, the second of them without a face."""
    monkeypatch.setattr(rows, "FRAMES_PER_GROUP", 2)
    video = video_info(tmp_path)
    sink = TablesSink(tmp_path, video, EMOTIONS, {"videmo.preset": "tiny"})
    for item in scored_frames(video, COUNTS):
        sink.write(item)
    sink.annotate({"videmo.report": "{}"})
    sink.close()
    return tmp_path / "faces" / "clip.parquet"


def test_columns_come_to_the_right_and_all_else_stays(faces: Path) -> None:
    before, file = pq.read_table(faces), pq.ParquetFile(faces)
    groups = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
    assert groups == [3, 0, 3, 1]
    assert carry_study(faces, study(town=["Köln"]))
    after = pq.ParquetFile(faces)
    table = after.read()
    assert table.column_names == [*before.column_names, "respondent", "offset_s", "town"]
    assert table.select(before.column_names).equals(before)
    assert [after.metadata.row_group(at).num_rows for at in range(after.num_row_groups)] == groups
    text = pa.dictionary(pa.int32(), pa.string())
    assert [table.schema.field(name).type for name in table.column_names[-3:]] == [text, pa.float64(), text]
    assert set(zip(*(table[name].to_pylist() for name in table.column_names[-3:]), strict=True)) == {
        ("José", 0.5, "Köln")
    }
    assert [table.schema.field(name).metadata[b"unit"] for name in ("x1", "offset_s")] == [b"px", b"s"]
    footer = {name: text for name, text in after.metadata.metadata.items() if name.startswith(b"videmo.")}
    old = {name: text for name, text in file.metadata.metadata.items() if name.startswith(b"videmo.")}
    assert footer == old | {STUDY_KEY.encode(): b'["respondent", "offset_s", "town"]'}


def test_the_same_study_again_leaves_the_file_alone(faces: Path) -> None:
    assert carry_study(faces, study())
    written = faces.read_bytes(), faces.stat().st_mtime_ns
    assert not carry_study(faces, study())
    assert (faces.read_bytes(), faces.stat().st_mtime_ns) == written
    assert not carry_study(faces, pd.DataFrame(index=pd.Index([], name="video_id")))


@pytest.mark.parametrize(
    "later",
    [
        study(respondent=["r2"]),
        study(offset_s=[0.25]),
        study(condition=["new"]),
        study()[["respondent"]],
        study().rename(index={"clip": "other"}),
    ],
    ids=["value", "number", "more columns", "fewer columns", "no row"],
)
def test_another_study_takes_the_place_of_the_first(later: pd.DataFrame, faces: Path) -> None:
    own = pq.read_schema(faces).names
    carry_study(faces, study())
    assert carry_study(faces, later)
    table = pd.read_parquet(faces)
    assert table.columns.tolist() == [*own, *later.columns]
    for name in later.columns:
        kept = table[name].astype(object).where(table[name].notna(), None).unique().tolist()
        assert kept == [later[name].get("clip")]


def test_videos_without_a_row_have_no_value(tmp_path: Path) -> None:
    path = tmp_path / "videos.parquet"
    table = pa.table({"video_id": ["a", "clip", "b", "clip"], "path": ["a.mp4", "c.mp4", "b.mp4", "d.mp4"]})
    pq.write_table(table.replace_schema_metadata({"videmo.schema_version": "1.2"}), path)
    assert carry_study(path, study())
    videos = pd.read_parquet(path)
    assert videos["respondent"].astype(object).where(videos["respondent"].notna(), "-").tolist() == ["-", "José"] * 2
    np.testing.assert_array_equal(videos["offset_s"], [np.nan, 0.5, np.nan, 0.5])


def test_a_crash_leaves_the_table_as_it_was(faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = faces.read_bytes()

    def killed(_: object, __: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_study(faces, study())
    assert faces.read_bytes() == before
    assert list(faces.parent.iterdir()) == [faces]


def test_readers_take_tables_with_further_columns(faces: Path) -> None:
    run = Run(faces.parents[1])
    for part in ("faces", "frames"):
        carry_study(run.out / part / "clip.parquet", study())
    assert run.labels == EMOTIONS
    assert [len(found) for _, found in run.row_groups("clip")] == [3, 0, 3, 1]
    assert run.faces("clip", ["respondent"])["respondent"].unique().tolist() == ["José"]
    assert run.frames("clip")["offset_s"].tolist() == [0.5] * len(COUNTS)


def test_no_column_may_have_the_name_of_one_of_ours() -> None:
    path = Path("study.csv")
    check_names(study(town=["Köln"]), EMOTIONS, path)
    taken = ("happiness", "time_s", "identity", "segment", "signal", "seen_s", "share_fear", "peak_fear_s")
    with pytest.raises(UsageError) as refused:
        check_names(study(**{name: ["1"] for name in taken}), EMOTIONS, path)
    assert str(refused.value).splitlines() == [
        f"study.csv: column {name!r}: videmo's tables have a column of this name: rename it" for name in taken
    ]
    check_names(study(share_code=["x"], mean_age=["9"], peak_hour=["noon"]), EMOTIONS, path)


def test_a_run_without_a_study_has_empty_answers(faces: Path) -> None:
    run = Run(faces.parents[1])
    assert (run.study().shape, run.study().index.name) == ((0, 0), "video_id")
    assert run.segments().columns.tolist() == ["video_id", "segment", "start_s", "end_s"]
    assert run.segments().empty

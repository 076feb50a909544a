"""The formats that hold every row, or a row for each video and segment, read back and compared with the tables."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_runs import write_study

from videmo.errors import UsageError
from videmo.findings.export import export
from videmo.findings.export.csv_files import defuse, spell_csv
from videmo.findings.export.spss import describe_variables, name_variables
from videmo.findings.tables import Run


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


def test_the_codebook_takes_no_column_of_the_study_for_ours() -> None:
    columns = ["mean_age", "share_code", "dominant", "offset_s", "mean_fear"]
    book = describe_variables(name_variables(columns), columns[:4]).set_index("column")
    assert book["label"].tolist() == [
        *(f"of the study: {column}" for column in columns[:3]),
        "where in the video the stimulus starts",
        "mean probability of fear over the usable time",
    ]
    assert book["unit"].tolist() == ["", "", "", "s", "0 to 1"]


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


def test_csv_opens_with_the_defaults_of_pandas_in_memory(study: Run) -> None:
    text = export(study, "csv")[0].read_text(encoding="utf-8")
    assert len(pd.read_csv(io.StringIO(text))) == 40
    assert "\r" not in text


def test_lines_end_alike_on_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.linesep", "\r\n")
    assert spell_csv(pd.DataFrame({"name": ["a\r\nb"], "n": [1]})) == 'name,n\n"a\nb",1\n'

"""Targets: what lies in the folder of a run. The bytes of each table, what tables say, run.json, checksums, names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fuzz.choices import Choices
from fuzz.target import Target
from reported_runs import finish
from written_runs import write_segments, write_study, write_video

from videmo.analysis.folder import FINGERPRINT, REPORT, RunFolder, report_to_json
from videmo.analysis.verification import verify
from videmo.datatypes import Frame, VideoInfo, VideoReport
from videmo.findings.decisions import store_decisions
from videmo.findings.replay import read_sightings, replay
from videmo.findings.report.provenance import read_record, tabulate_provenance, tabulate_sources
from videmo.findings.study import STUDY_KEY, carries
from videmo.findings.tables import SETTINGS_KEY, Run
from videmo.findings.tracks import summarize_tracks
from videmo.output.checksums import Checksums
from videmo.output.parquet import write_table
from videmo.output.schema import LABELS_KEY, SCHEMA_VERSION_KEY

LABELS = ("neutral", "happiness")
TABLES = ("faces/a", "frames/a", "tracks", "videos", "study", "segments")
FRAMES = 6
VALUES = (None, float("nan"), float("inf"), -1, 0, 2**31 - 1, -(2**31), 1e308, "", "a", "ü\u0000\n", True)
TYPES = (pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.dictionary(pa.int8(), pa.string()), pa.binary())
FOOTERS = (LABELS_KEY, SETTINGS_KEY, SCHEMA_VERSION_KEY, STUDY_KEY, REPORT, "videmo.table", "videmo.source_path")
LAST = Frame(VideoInfo("a", Path("a.mp4"), 64, 48, Fraction(25), Fraction(1, 25)), 5, 5, 0.2, None)
IDENTITIES_CSV = b"video_id,track_id,identity,start_s,end_s\na,1,Ann,,0.1\na,1,Ben,0.1,\na,2,Ann,0.16,\n"
IDENTITIES_TSV = "video_id\ttrack_id\tidentity\na\t1\tJosé\na\t2\t\n".encode("utf-16")


def write_run(out: Path) -> None:
    """Write a run with everything that can lie in its folder: a video with two tracks, and one that failed."""
    times_s = [0.0, 0.04, 0.08, 0.12, 0.2, 0.24]
    faces = pd.DataFrame({"frame_index": np.arange(FRAMES), "track_id": [1, 1, 1, 1, 2, 2], "happiness": 0.25})
    write_video(out, "a", times_s, faces, LABELS)
    told = {"videmo.source_path": "/films/a.mp4", "videmo.source_sha256": "0" * 64, SETTINGS_KEY: '{"fps": 5.0}'}
    told |= {"videmo.preset_sha256": "0" * 64, "videmo.detector": "haar"}
    add_to_footer(out / "frames" / "a.parquet", told | {REPORT: report_to_json(VideoReport("a", "/films/a.mp4"))})
    add_to_footer(out / "faces" / "a.parquet", {})
    write_table(out / "tracks.parquet", summarize_tracks(Run(out, as_recorded=True), "a"), {})
    write_study(out, {"a": {"respondent": "p1", "purpose": "study", "consent_id": "c1", "offset_s": 0.5}})
    write_segments(out, ("a", "ad", 0.0, 0.1))
    finish(out, {"video_id": "c", "path": "/films/c.mp4", "error": "empty"})
    (out / "identities.csv").write_bytes(IDENTITIES_CSV)
    checksums = Checksums(out)
    checksums.add(path for path in sorted(out.rglob("*")) if path.is_file())
    checksums.write()


def add_to_footer(path: Path, values: dict[str, str]) -> None:
    table = pq.read_table(path)
    footer = table.schema.metadata | {key.encode(): value.encode() for key, value in values.items()}
    pq.write_table(table.replace_schema_metadata(footer), path, row_group_size=FRAMES // 2)


@cache
def written(name: str) -> bytes:
    """Return the bytes of a file in the folder of a good run."""
    with TemporaryDirectory() as folder:
        write_run(Path(folder))
        return (Path(folder) / name).read_bytes()


def read_all(out: Path) -> None:
    """Read the whole of a run, as its readers do."""
    run, recorded = Run(out), Run(out, as_recorded=True)
    recorded.tracks(), run.videos(), run.study(), run.segments(), run.labels, run.settings("a"), run.frames("a")
    recorded.faces("a"), recorded.faces("a", ["time_s", "track_id"])
    summarize_tracks(recorded, "a")
    list(read_sightings(recorded, "a"))
    list(replay([LAST], recorded, "a"))
    run.tracks(), run.faces("a", ["time_s"])
    tabulate_sources(run)
    tabulate_provenance(run, read_record(run))
    carries(out / "frames" / "a.parquet", run.study())
    RunFolder(out).finished("a", run.footer("a"), FINGERPRINT)


def read_changed_tables(path: Path) -> None:
    """Read a run in which one table was changed as the bytes say, and written again without a fault."""
    choices = Choices(path.read_bytes())
    name = f"{choices.pick(TABLES)}.parquet"
    whole = path.parent / name
    kept = whole.read_bytes()
    try:
        table = pq.read_table(whole)
        for _ in range(choices.below(3)):
            table = choices.pick(CHANGES)(table, choices)
        pq.write_table(table, whole, row_group_size=1 + choices.below(FRAMES))
        read_all(path.parent)
    finally:
        whole.write_bytes(kept)


def read_changed_footer(path: Path) -> None:
    """Read a run in which one value in the footer of a table is what the bytes say."""
    choices = Choices(path.read_bytes())
    whole = path.parent / choices.pick([f"{name}.parquet" for name in TABLES])
    kept = whole.read_bytes()
    try:
        add_to_footer(whole, {choices.pick(FOOTERS): choices.text()})
        read_all(path.parent)
    finally:
        whole.write_bytes(kept)


def _drop(table: pa.Table, choices: Choices) -> pa.Table:
    return table.remove_column(choices.below(table.num_columns)) if table.num_columns > 1 else table


def _rename(table: pa.Table, choices: Choices) -> pa.Table:
    names = table.column_names
    names[choices.below(len(names))] = choices.pick([*names, "", "identity", "usable"])
    return table.rename_columns(names)


def _retype(table: pa.Table, choices: Choices) -> pa.Table:
    at = choices.below(table.num_columns)
    values = pd.Series(table.column(at).to_pylist()).astype(str)
    type_ = choices.pick(TYPES)
    numbers = values if type_ in TYPES[:1] + TYPES[4:] else pd.to_numeric(values, errors="coerce").fillna(0)
    return table.set_column(at, table.column_names[at], pa.array(numbers).cast(type_, safe=False))


def _put(table: pa.Table, choices: Choices) -> pa.Table:
    at, value = choices.below(table.num_columns), choices.pick(VALUES)
    values = table.column(at).to_pylist()
    if values:
        values[choices.below(len(values))] = value
    type_ = table.schema.field(at).type
    try:
        changed = pa.array(values, type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return table  # no table can hold this value in this column
    return table.set_column(at, pa.field(table.column_names[at], type_), changed)


def _cut(table: pa.Table, choices: Choices) -> pa.Table:
    return table.slice(choices.below(FRAMES + 1), choices.below(FRAMES + 1))


def _repeat(table: pa.Table, choices: Choices) -> pa.Table:
    return pa.concat_tables([table] * (1 + choices.below(3)))


CHANGES: Sequence[Callable[[pa.Table, Choices], pa.Table]] = (_drop, _rename, _retype, _put, _cut, _repeat)


def read_checksums(path: Path) -> None:
    verify(path.parent)
    Checksums(path.parent).drop([path.parent / "tracks.parquet"])


def read_identities(path: Path) -> None:
    run = Run(path.parent)
    store_decisions(run, path)
    run.tracks(), run.names("a"), run.faces("a")


def _read_frames(run: Run) -> None:
    run.labels, run.settings("a"), run.frames("a"), list(replay([LAST], run, "a"))


def _read_faces(run: Run) -> None:
    run.faces("a"), list(read_sightings(run, "a"))


def _read_videos(run: Run) -> None:
    run.videos(), tabulate_sources(run)


READERS: Mapping[str, Callable[[Run], object]] = {
    "frames/a": _read_frames,
    "faces/a": _read_faces,
    "tracks": Run.tracks,
    "videos": _read_videos,
    "study": Run.study,
    "segments": Run.segments,
}


def _table(name: str, read: Callable[[Run], object]) -> Target:
    """Return the target of a table whose bytes are damaged."""
    file = f"{name}.parquet"

    def feed(path: Path) -> None:
        read(Run(path.parents[name.count("/")], as_recorded=True))

    return Target(f"table-{name.split('/')[0]}", file, feed, lambda: [written(file)], write_run, ("PAR1", "videmo."))


_CELLS = (",", ";", "\t", '"', "\n", "video_id", "track_id", "identity", "start_s", "end_s", "1e400", "nan", "-1")
TARGETS = (
    *(_table(name, read) for name, read in READERS.items()),
    Target(
        "changed-tables", "changes", read_changed_tables, lambda: [b"\x03\x00\x00", b"\x02\x01\x05\x00\x05"], write_run
    ),
    Target(
        "changed-footers",
        "footer",
        read_changed_footer,
        lambda: [b"\x00\x00" + b'["neutral", "happiness"]', b"\x01\x01" + b'{"fps": 2.5, "detector_model": "a.xml"}'],
        write_run,
        ('["', '"]', "neutral", "null", '{"', '": ', "detector_model", "1.3", "2", "1e999", "NaN"),
    ),
    Target(
        "run-record",
        "run.json",
        lambda path: tabulate_provenance(Run(path.parent), read_record(Run(path.parent))),
        lambda: [written("run.json")],
        write_run,
        ('"settings"', '"versions"', "{", "}", "[", "]", "null", "1e999", '"machine"'),
    ),
    Target(
        "checksums", "checksums.sha256", read_checksums, lambda: [written("checksums.sha256")], write_run, ("  ", "../")
    ),
    Target("identities", "told.csv", read_identities, lambda: [IDENTITIES_CSV, IDENTITIES_TSV], write_run, _CELLS),
    Target(
        "stored-identities",
        "identities.csv",
        lambda path: read_all(path.parent),
        lambda: [IDENTITIES_CSV, IDENTITIES_TSV],
        write_run,
        _CELLS,
    ),
)

"""Copies of the golden runs, as they are or as another videmo might have written them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from golden.make import GOLDEN

from videmo.findings.tables import SETTINGS_KEY
from videmo.output.checksums import CHECKSUMS
from videmo.output.names import STUDY
from videmo.output.schema import SCHEMA_VERSION_KEY
from videmo.presets import hash_file

VERSIONS = sorted(path.name for path in GOLDEN.glob("[0-9]*"))


def copy_run(version: str, out: Path) -> Path:
    """Copy the golden run of a version to `out`; returns `out`."""
    return shutil.copytree(GOLDEN / version / "run", out)


def rewrite(path: Path, version: str | None) -> None:
    """Let a table or run.json say that it is of schema `version`; None: say nothing of it."""
    if path.suffix == ".json":
        values = json.loads(path.read_text()) | {"schema": version}
        path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
        return
    table = pq.read_table(path)
    metadata = {**table.schema.metadata, SCHEMA_VERSION_KEY.encode(): (version or "").encode()}
    if version is None:
        del metadata[SCHEMA_VERSION_KEY.encode()]
    pq.write_table(table.replace_schema_metadata(metadata), path)


def tables_of(out: Path) -> list[Path]:
    """Return the files of a run that say a version."""
    return sorted([*out.rglob("*.parquet"), out / "run.json"])


def rewrite_all(out: Path, version: str | None) -> None:
    """Let every table of a run say that it is of schema `version`, and the checksums agree with it."""
    for path in tables_of(out):
        rewrite(path, version)
    record_checksums(out)


def add_novelties(out: Path) -> None:
    """Put into every table a column, and into every footer a setting, that this videmo does not know.

    The columns of study.parquet are those of a manifest: none of them is known to any videmo.
    """
    for path in set(out.rglob("*.parquet")) - {out / STUDY}:
        table = pq.read_table(path)
        settings = json.loads(table.schema.metadata.get(SETTINGS_KEY.encode(), b"{}")) | {"novelty": 3}
        metadata = table.schema.metadata | {SETTINGS_KEY.encode(): json.dumps(settings).encode()}
        novel = table.append_column("novelty", pa.array([f"row {row}" for row in range(len(table))]))
        pq.write_table(novel.replace_schema_metadata(metadata), path)
    record_checksums(out)


def record_checksums(out: Path) -> None:
    """Write checksums of the tables as they are now."""
    lines = [f"{hash_file(path)}  {path.relative_to(out).as_posix()}\n" for path in tables_of(out)]
    (out / CHECKSUMS).write_text("".join(lines))

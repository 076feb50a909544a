"""Where the numbers come from: programs, models and settings of a run, and the hashes of its sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from videmo.errors import UsageError
from videmo.findings.tables import Run
from videmo.output.schema import check_version

_FOOTER_KEYS = ("videmo.preset", "videmo.preset_sha256", "videmo.detector", "videmo.detector_version", "videmo.labels")
_PARTS = ("settings", "versions", "machine")


def read_record(run: Run) -> dict[str, Any]:
    """Return run.json; raises UsageError where it is missing, damaged or of an unknown major version."""
    path = run.out / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{path}: missing: the run was not finished; go on with `videmo analyze --resume`") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({error}): analyse again with --overwrite") from error
    values: dict[str, Any] = record if isinstance(record, dict) else {}
    check_version(values.get("schema"), path)
    if not all(isinstance(values.get(part, {}), dict) for part in _PARTS):
        raise UsageError(f"{path}: {', '.join(_PARTS)} are not what a run records: analyse again with --overwrite")
    return values


def tabulate_provenance(run: Run, record: Mapping[str, Any]) -> pd.DataFrame:
    """Return `topic`, `name` and `value`, all text.

    Args:
        run: the run.
        record: from `read_record`.
    """
    rows = [*_list_run(record), *_list_models(run)]
    rows += _list_study(run.study())
    rows += [("settings", name, _spell(value)) for name, value in record.get("settings", {}).items()]
    rows += [("versions", name, _spell(value)) for name, value in record.get("versions", {}).items()]
    rows += [("machine", name, _spell(value)) for name, value in record.get("machine", {}).items()]
    return pd.DataFrame(rows, columns=["topic", "name", "value"])


def tabulate_sources(run: Run) -> pd.DataFrame:
    """Return `video_id`, `file` (its name) and `sha256` of each finished video."""
    videos = run.videos().reindex(columns=["video_id", "path", "sha256"]).set_index("video_id")
    rows = [
        (video_id, Path(str(videos.loc[video_id, "path"])).name, videos.loc[video_id, "sha256"])
        for video_id in run.video_ids
        if video_id in videos.index
    ]
    return pd.DataFrame(rows, columns=["video_id", "file", "sha256"])


def _list_run(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "run", "analysed by", f"videmo {record.get('versions', {}).get('videmo', 'unknown')}"
    yield "run", "reported by", f"videmo {version('videmo')}"
    for name in ("started", "seconds", "status", "schema"):
        if name in record:
            yield "run", {"schema": "schema version", "seconds": "seconds taken"}.get(name, name), _spell(record[name])


def _list_study(study: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield what the study states of purpose and consent."""
    for purpose, videos in study.get("purpose", pd.Series(dtype=str)).value_counts().items():
        yield "study", "purpose", f"{purpose} ({videos} of {len(study)} videos)"
    if "consent_id" in study:
        yield "study", "consent stated for", f"{study['consent_id'].notna().sum()} of {len(study)} videos"


def _list_models(run: Run) -> Iterator[tuple[str, str, str]]:
    """Yield what the footers say of the models, once for each value: a resumed run agrees in all of it."""
    found: dict[tuple[str, str], None] = {}
    for video_id in run.video_ids:
        footer = run.footer(video_id)
        found |= {(key, footer[key]): None for key in _FOOTER_KEYS if key in footer}
    for key, value in found:
        yield "models", key.removeprefix("videmo.").replace("_", " "), value


def _spell(value: object) -> str:
    return "not set" if value is None else str(value)

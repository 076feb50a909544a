"""The output folder of a run: where things lie, what is finished in it, and the tables over all videos."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from videmo.datatypes import VideoReport
from videmo.errors import UsageError
from videmo.findings.tracks import summarize_tracks
from videmo.output.files import explained, replacing
from videmo.output.parquet import write_table
from videmo.output.schema import tracks_schema, videos_schema
from videmo.settings import Existing

FINGERPRINT = ("videmo.source_sha256", "videmo.preset_sha256", "videmo.detector_version", "videmo.settings")
"""Footer values that must agree for a finished video to be taken over by `--resume`."""

REPORT = "videmo.report"
TABLES = ("videos.parquet", "tracks.parquet", "run.json")
PARTS = {"frames": ".parquet", "faces": ".parquet", "annotated": ".mp4", "charts": ".png"}


class RunFolder:
    """OUT: one file per video and part, and the tables over all of them.

    A video is finished when `frames/<video_id>.parquet` exists: that file is renamed last and its footer holds the
    video's report, so that the tables over all videos can always be written again from what lies in the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def part(self, part: str, video_id: str) -> Path:
        """Return the file of one video in `part` (frames, faces, annotated, charts)."""
        return self.path / part / f"{video_id}{PARTS[part]}"

    def prepare(self, existing: Existing) -> None:
        """Make the folder ready: results that are there are refused, removed or kept to go on with.

        Raises UsageError when they are refused, OutputError when the folder cannot be written to.
        """
        held = [path for path in self._ours() if path.suffix != ".partial"]
        if held and existing == "refuse":
            raise UsageError(f"{self.path} already holds results: use --resume to go on, --overwrite to start again")
        with explained(self.path):
            for path in self._ours():
                if existing == "overwrite" or path.suffix == ".partial":
                    path.unlink()
            for part in PARTS:
                (self.path / part).mkdir(parents=True, exist_ok=True)

    def finished(self, video_id: str, metadata: Mapping[str, str]) -> VideoReport | None:
        """Return the report of a video that was finished under the same `metadata`, None if it was not."""
        frames, faces = self.part("frames", video_id), self.part("faces", video_id)
        if not (frames.exists() and faces.exists()):
            return None
        footer = _footer(frames)
        if REPORT not in footer or any(footer.get(key) != metadata[key] for key in FINGERPRINT):
            return None
        return report_from_json(footer[REPORT])

    def write_tables(self, reports: Sequence[VideoReport], labels: Sequence[str], metadata: Mapping[str, str]) -> None:
        """Write videos.parquet and tracks.parquet, rows in the order of `reports`."""
        names = videos_schema().names
        rows = [{name: getattr(report, name) for name in names} for report in reports]
        write_table(self.path / "videos.parquet", pa.Table.from_pylist(rows, videos_schema()), metadata)
        done = [report.video_id for report in reports if report.status == "done"]
        found = (summarize_tracks(self.part("frames", name), self.part("faces", name)) for name in done)
        tracks = [tracks_schema(labels).empty_table(), *found]
        write_table(self.path / "tracks.parquet", pa.concat_tables(tracks), metadata)

    def write_run(self, values: Mapping[str, Any]) -> None:
        """Write run.json whole."""
        with replacing(self.path / "run.json") as partial:
            partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def _ours(self) -> Iterator[Path]:
        """Yield the files of videmo that lie in the folder, half-written ones too."""
        names = [name for table in TABLES for name in (table, f"{table}.partial")]
        yield from (path for name in names if (path := self.path / name).is_file())
        for part, suffix in PARTS.items():
            for pattern in (f"*{suffix}", f"*{suffix}.partial"):
                yield from sorted((self.path / part).glob(pattern))


def report_to_json(report: VideoReport) -> str:
    """Return a report as JSON for a footer, without what holds for one run only."""
    values = asdict(report)
    for name in ("resumed", "outputs"):
        values.pop(name)
    return json.dumps(values, ensure_ascii=False)


def report_from_json(text: str) -> VideoReport:
    """Return the report written by `report_to_json`."""
    known = {item.name for item in fields(VideoReport)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    return VideoReport(**{**values, "warnings": tuple(values["warnings"])})


def _footer(path: Path) -> dict[str, str]:
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}
    return {key.decode(): value.decode() for key, value in metadata.items() if key.startswith(b"videmo.")}

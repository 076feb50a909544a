"""The output folder of a run: where things lie, and what is finished in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from videmo.datatypes import VideoReport
from videmo.errors import UsageError
from videmo.findings.table_file import TableFile
from videmo.output.checksums import CHECKSUMS, Checksums
from videmo.output.files import explained, replacing
from videmo.output.names import IDENTITIES, REPORT_PAGE, REPORT_TABLES, SEGMENTS, STUDY
from videmo.output.parquet import retell
from videmo.output.schema import SCHEMA_VERSION, SCHEMA_VERSION_KEY, check_version, videos_schema
from videmo.settings import Existing

if TYPE_CHECKING:
    from videmo.analysis.overall import OverallTables

HIDDEN = "videmo.anonymize"
"""How the faces of the annotated video are hidden; absent where they are not."""

_SOURCE, _PRESET = "videmo.source_path", "videmo.preset_sha256"

FINGERPRINT = (
    *("videmo.source_sha256", _PRESET, "videmo.detector_version", "videmo.settings", HIDDEN),
    SCHEMA_VERSION_KEY,
)
"""Footer values that must agree for a finished video to be taken over by `--resume`."""

REPORT = "videmo.report"
RUN = "run.json"
OVER_ALL = ("videos.parquet", "tracks.parquet", RUN)
"""What every run writes anew about all of its videos."""

TABLES = (CHECKSUMS, *OVER_ALL, STUDY, SEGMENTS, IDENTITIES, REPORT_PAGE)
PARTS = {"frames": ".parquet", "faces": ".parquet", "annotated": ".mp4", "charts": ".png"}


class RunFolder:
    """OUT: one file per video and part, and the tables over all of them.

    A video is finished when `frames/<video_id>.parquet` exists: that file is renamed last and its footer holds the
    video's report, so that the tables over all videos can always be written again from what lies in the folder.
    `checksums.sha256` says what the files were when they were finished; it is written after all others.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Kept here, for lanes that end at the same time may each make `overall` anew.
        self._tracks: dict[str, pa.Table] = {}

    @cached_property
    def checksums(self) -> Checksums:
        """What the files of the folder are; asked for once the folder is ready."""
        return Checksums(self.path)

    @cached_property
    def overall(self) -> OverallTables:
        """What is told of all videos together."""
        # pandas comes with it, which the first frames of a run need not wait for.
        from videmo.analysis.overall import OverallTables

        return OverallTables(self.path, self.checksums, self._tracks)

    def part(self, part: str, video_id: str) -> Path:
        """Return the file of one video in `part` (frames, faces, annotated, charts)."""
        return self.path / part / f"{video_id}{PARTS[part]}"

    def video_ids(self) -> set[str]:
        """Return the videos of which files lie in the folder, finished or not."""
        found = ((path, suffix) for part, suffix in PARTS.items() for path in (self.path / part).glob(f"*{suffix}"))
        return {path.name.removesuffix(suffix) for path, suffix in found}

    def check(self, existing: Existing, sources: Mapping[str, str]) -> None:
        """Raise UsageError where results are there and refused, or cannot be gone on with; nothing is touched.

        They cannot if a newer videmo wrote them, or if some are of none of the `sources` (paths by video id): they
        would stay among the new ones, and no table over all videos would know them.
        """
        held = [path for path in self._ours() if path.suffix != ".partial"]
        if held and existing == "refuse":
            raise UsageError(f"{self.path} already holds results: use --resume to go on, --overwrite to start again")
        if existing == "resume":
            self._check_versions()
            paths = set(sources.values())
            others = [name for name, said in self._footers() if name not in sources and said.get(_SOURCE) not in paths]
            if others:
                named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
                way_out = "name their files as well, or another folder with --out"
                raise UsageError(f"{self.path} holds results of {named}, which no input stands for: {way_out}")

    def prepare(self, existing: Existing, sources: Mapping[str, str], preset_sha256: str) -> None:
        """Make the folder ready: results that are there are removed or kept to go on with.

        Those of another model go, lest a run that is stopped leave videos of other columns side by side; so do those
        of a source that goes by another id now.

        Raises OutputError when the folder cannot be written to.
        """
        if existing == "resume":
            for video_id, said in list(self._footers()):
                if video_id not in sources or said.get(_PRESET) != preset_sha256:
                    self.withdraw(video_id)
        with explained(self.path):
            for path in self._ours():
                if existing == "overwrite" or path.suffix == ".partial":
                    path.unlink()
            for part in PARTS:
                (self.path / part).mkdir(parents=True, exist_ok=True)
        self.checksums.drop(self.path / name for name in OVER_ALL)

    def _footers(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the videos that lie finished in the folder and what their tables say; nothing of a damaged one."""
        for path in sorted((self.path / "frames").glob(f"*{PARTS['frames']}")):
            yield path.name.removesuffix(PARTS["frames"]), _footer(path) or {}

    def withdraw(self, video_id: str) -> None:
        """Remove the files of a video that is about to get others, the one that marks it as finished first.

        So a crash between the new files finds a video that is not finished, never old files beside new ones.
        """
        paths = [self.part(part, video_id) for part in PARTS]
        self.checksums.drop(paths)
        for path in paths:
            with explained(path):
                path.unlink(missing_ok=True)

    def retell(self, report: VideoReport) -> None:
        """Say in the tables of a finished video where its source lies by now."""
        paths = [self.part(part, report.video_id) for part in ("faces", "frames")]
        self.checksums.drop(paths)
        for path in paths:
            retell(path, {_SOURCE: report.path, REPORT: report_to_json(report)})

    def complete(self, video_id: str) -> None:
        """Take down what the run's own files say of a finished video: a run that is stopped has no time to look."""
        self.checksums.add(self.part(part, video_id) for part in PARTS)
        self.overall.add(video_id)

    def finished(
        self, video_id: str, metadata: Mapping[str, str], keys: Sequence[str] = FINGERPRINT
    ) -> VideoReport | None:
        """Return the report of a video that was finished under a `metadata` that agrees in `keys`, else None."""
        frames, faces = self.part("frames", video_id), self.part("faces", video_id)
        if not (frames.exists() and faces.exists()):
            return None
        footer, expected = _footer(frames) or {}, {**metadata, SCHEMA_VERSION_KEY: SCHEMA_VERSION}
        if REPORT not in footer or any(footer.get(key) != expected.get(key) for key in keys):
            return None
        try:
            return report_from_json(footer[REPORT])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None  # damaged, as a file that cannot be opened: the video is analysed again

    def carry_study(self, video_ids: Iterable[str]) -> None:
        """Put the columns of the study into the tables of finished videos, see `OverallTables.carry_study`."""
        self.overall.carry_study(self.part(part, video_id) for video_id in video_ids for part in ("faces", "frames"))

    def write_run(self, values: Mapping[str, Any]) -> None:
        """Write run.json whole."""
        with replacing(self.path / RUN) as partial:
            partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def write_checksums(self) -> None:
        """Write what the files of the run are, once all others are written."""
        self.checksums.add(self.path / name for name in (*OVER_ALL, STUDY, SEGMENTS))
        self.checksums.write()

    def _check_versions(self) -> None:
        """Raise UsageError where a table is not damaged, yet unknown to this videmo or newer: it would be lost."""
        for path in self._ours():
            if path.suffix != ".parquet" or path.parent.name == REPORT_TABLES or (said := _footer(path)) is None:
                continue
            version = said.get(SCHEMA_VERSION_KEY)
            if check_version(version, path) > check_version(SCHEMA_VERSION, path):
                raise UsageError(
                    f"{path}: tables of version {version} are newer than this videmo, which writes {SCHEMA_VERSION}: "
                    "update videmo, or name another folder with --out"
                )

    def _ours(self) -> Iterator[Path]:
        """Yield the files of videmo that lie in the folder, half-written ones too; none where it never ran."""
        if not any((self.path / name).exists() for name in (RUN, f"{RUN}.partial", CHECKSUMS, "frames")):
            return  # a folder of the user's may be called charts
        names = [name for table in TABLES for name in (table, f"{table}.partial")]
        yield from (path for name in names if (path := self.path / name).is_file())
        for part, suffix in (PARTS | {REPORT_TABLES: ".parquet"}).items():
            for pattern in (f"*{suffix}", f"*{suffix}.partial"):
                yield from sorted((self.path / part).glob(pattern))


def report_to_json(report: VideoReport) -> str:
    """Return a report as JSON for a footer, without what holds for one run only."""
    values = asdict(report)
    for name in ("resumed", "outputs"):
        values.pop(name)
    return json.dumps(values, ensure_ascii=False)


def report_from_json(text: str) -> VideoReport:
    """Return the report written by `report_to_json`; raises ValueError, TypeError or KeyError where it is none."""
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError("not a report")
    values = {item.name: told[item.name] for item in fields(VideoReport) if item.name in told}
    pa.Table.from_pylist([values], videos_schema())  # of the types that its row will need
    return VideoReport(**{**values, "warnings": tuple(values["warnings"])})


def _footer(path: Path) -> dict[str, str] | None:
    """Return what videmo says in the footer of a table; None where the table is damaged."""
    try:
        with TableFile(path) as file:
            return file.footer
    except UsageError:
        return None

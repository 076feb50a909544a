"""The output folder of a run: where things lie, and what is finished in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from videmo.analysis.ownership import FILES, RUN, Ownership, read_footer, read_run
from videmo.datatypes import VideoReport
from videmo.errors import UsageError
from videmo.output.checksums import CHECKSUMS, Checksums
from videmo.output.files import explained, replacing
from videmo.output.names import IDENTITIES, REPORT_PAGE, REPORT_TABLES, SEGMENTS, STUDY
from videmo.output.parquet import retell
from videmo.output.schema import SCHEMA_VERSION, SCHEMA_VERSION_KEY, check_version, videos_schema
from videmo.settings import Settings
from videmo.video.discover import Input

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
OVER_ALL = ("videos.parquet", "tracks.parquet", RUN)
"""What every run writes anew about all of its videos."""

_OF_A_RUN = (CHECKSUMS, *OVER_ALL, STUDY, SEGMENTS)
TABLES = (*_OF_A_RUN, IDENTITIES, REPORT_PAGE)
PARTS = {"frames": ".parquet", "faces": ".parquet", "annotated": ".mp4", "charts": ".png"}


class RunFolder:
    """OUT: one file per video and part, and the tables over all of them.

    A video is finished when `frames/<video_id>.parquet` exists: that file is renamed last and its footer holds the
    video's report, so that the tables over all videos can always be written again from what lies in the folder.
    `checksums.sha256` says what the files were when they were finished; it is written after all others.

    What videmo did not write (see `Ownership`) is never removed or replaced.
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
    def owned(self) -> Ownership:
        """Which files of the folder are videmo's."""
        return Ownership(self.path)

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

    def check(self, settings: Settings, sources: Sequence[Input]) -> None:
        """Raise UsageError where results are there and refused, or cannot be gone on with; nothing is touched.

        They cannot if a newer videmo wrote them, or if some are of none of the `sources`: they would stay among the new
        ones, and no table over all videos would know them. Nor can a run begin that would read what it writes, or
        replace a file that videmo did not write.
        """
        self._check_inputs(sources)
        held = [path for path in self._ours() if path.suffix != ".partial"]
        if held and settings.existing == "refuse":
            raise UsageError(f"{self.path} already holds results: use --resume to go on, --overwrite to start again")
        if settings.existing == "resume":
            self._check_versions()
            self._check_others(sources)
        self.check_owned(self._planned(settings, sources))

    def check_owned(self, paths: Iterable[Path]) -> None:
        """Raise UsageError where a file is there that videmo did not write; for those that are to be written."""
        for path in paths:
            if os.path.lexists(path) and path not in self.owned:
                way_out = "move it away, or name another folder with --out"
                raise UsageError(f"{path}: is there already and was not written by videmo: {way_out}")

    def take(self, settings: Settings, sources: Sequence[Input]) -> None:
        """Claim what a run is to write, once `check` has passed; `write_run` must follow before anything is removed."""
        self.owned.claim([*self._ours(), *self._planned(settings, sources)])
        if settings.existing == "overwrite":
            with explained(self.path):
                (self.path / CHECKSUMS).unlink(missing_ok=True)
        self.checksums.drop(self.path / name for name in OVER_ALL)

    def prepare(self, settings: Settings, sources: Sequence[Input], preset_sha256: str) -> None:
        """Make the folder ready: results that are there are removed or kept to go on with.

        Those of another model go, lest a run that is stopped leave videos of other columns side by side; so do those
        of a source that goes by another id now.

        Raises OutputError when the folder cannot be written to.
        """
        if settings.existing == "resume":
            ids = {source.video_id for source in sources}
            for video_id, said in list(self._footers()):
                if video_id not in ids or said.get(_PRESET) != preset_sha256:
                    self.withdraw(video_id)
        planned = set(self._planned(settings, sources))
        with explained(self.path):
            for path in self._ours():
                # run.json is written already, and names what is videmo's.
                if path.suffix == ".partial" or (settings.existing == "overwrite" and path.name != RUN):
                    path.unlink()
                    if path not in planned:
                        self.owned.forget(path)
            for part in PARTS:
                (self.path / part).mkdir(parents=True, exist_ok=True)

    def claim(self, path: Path) -> None:
        """Have run.json name a file of videmo's that is written beside a run; see `check_owned`.

        Raises:
            OutputError: the folder cannot be written to.
        """
        run = read_run(self.path)
        if run is None or self.owned.name(path) in run.get(FILES, ()):
            return
        self.owned.claim([*self._ours(), path])
        self.checksums.drop([self.path / RUN])
        self.write_run(run, ended=False)
        self.checksums.add([self.path / RUN])
        self.checksums.write()

    def _check_inputs(self, sources: Sequence[Input]) -> None:
        """Raise UsageError for an input that lies where results go."""
        places = {os.path.realpath(self.path / part): self.path / part for part in PARTS}
        for path in (path for source in sources for path in source.paths):
            if place := places.get(os.path.dirname(os.path.realpath(path))):  # noqa: PTH120 (no path to be resolved)
                raise UsageError(f"{path}: lies in {place}, where results go: name another folder with --out")

    def _check_others(self, sources: Sequence[Input]) -> None:
        """Raise UsageError for finished videos that no input stands for."""
        ids, paths = {source.video_id for source in sources}, {source.shown_path for source in sources}
        others = [name for name, said in self._footers() if name not in ids and said.get(_SOURCE) not in paths]
        if others:
            named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            way_out = "name their files as well, or another folder with --out"
            raise UsageError(f"{self.path} holds results of {named}, which no input stands for: {way_out}")

    def _planned(self, settings: Settings, sources: Sequence[Input]) -> Iterator[Path]:
        """Yield the files that a run may write."""
        yield from (self.path / name for name in _OF_A_RUN)
        left_out = {"annotated": not settings.annotated_video, "charts": not settings.charts}
        parts = [part for part in PARTS if not left_out.get(part)]
        yield from (self.part(part, source.video_id) for source in sources for part in parts)

    def _footers(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the videos that lie finished in the folder and what their tables say; nothing of a damaged one."""
        for path in sorted((self.path / "frames").glob(f"*{PARTS['frames']}")):
            yield path.name.removesuffix(PARTS["frames"]), read_footer(path) or {}

    def withdraw(self, video_id: str) -> None:
        """Remove the files of a video that is about to get others, the one that marks it as finished first.

        So a crash between the new files finds a video that is not finished, never old files beside new ones.
        """
        paths = self._owned_parts(video_id)
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
        self.checksums.add(self._owned_parts(video_id))
        self.overall.add(video_id)

    def finished(
        self, video_id: str, metadata: Mapping[str, str], keys: Sequence[str] = FINGERPRINT
    ) -> VideoReport | None:
        """Return the report of a video that was finished under a `metadata` that agrees in `keys`, else None."""
        frames, faces = self.part("frames", video_id), self.part("faces", video_id)
        if not (frames.exists() and faces.exists()):
            return None
        footer, expected = read_footer(frames) or {}, {**metadata, SCHEMA_VERSION_KEY: SCHEMA_VERSION}
        if REPORT not in footer or any(footer.get(key) != expected.get(key) for key in keys):
            return None
        try:
            return report_from_json(footer[REPORT])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None  # damaged, as a file that cannot be opened: the video is analysed again

    def carry_study(self, video_ids: Iterable[str]) -> None:
        """Put the columns of the study into the tables of finished videos, see `OverallTables.carry_study`."""
        self.overall.carry_study(self.part(part, video_id) for video_id in video_ids for part in ("faces", "frames"))

    def write_run(self, values: Mapping[str, Any], *, ended: bool) -> None:
        """Write run.json whole, with the files that are videmo's; once a run has `ended`, those that came to be."""
        names = sorted(name for name in self.owned.names if not ended or (self.path / name).exists())
        with replacing(self.path / RUN) as partial:
            text = json.dumps({**values, FILES: names}, indent=2, ensure_ascii=False)
            partial.write_text(text + "\n", encoding="utf-8")

    def write_checksums(self) -> None:
        """Write what the files of the run are, once all others are written."""
        self.checksums.add(self.path / name for name in (*OVER_ALL, STUDY, SEGMENTS))
        self.checksums.write()

    def _check_versions(self) -> None:
        """Raise UsageError where a table is not damaged, yet unknown to this videmo or newer: it would be lost."""
        for path in self._ours():
            if path.suffix != ".parquet" or path.parent.name == REPORT_TABLES or (said := read_footer(path)) is None:
                continue
            version = said.get(SCHEMA_VERSION_KEY)
            if check_version(version, path) > check_version(SCHEMA_VERSION, path):
                raise UsageError(
                    f"{path}: tables of version {version} are newer than this videmo, which writes {SCHEMA_VERSION}: "
                    "update videmo, or name another folder with --out"
                )

    def _owned_parts(self, video_id: str) -> list[Path]:
        """Return the files of a video, there or not, that are videmo's."""
        return [path for part in PARTS if (path := self.part(part, video_id)) in self.owned]

    def _ours(self) -> Iterator[Path]:
        """Yield the files of videmo that lie in the folder, half-written ones too."""
        names = [name for table in TABLES for name in (table, f"{table}.partial")]
        lying = [path for name in names if (path := self.path / name).is_file()]
        for part, suffix in (PARTS | {REPORT_TABLES: ".parquet"}).items():
            for pattern in (f"*{suffix}", f"*{suffix}.partial"):
                lying += sorted((self.path / part).glob(pattern))
        return (path for path in lying if path in self.owned)


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

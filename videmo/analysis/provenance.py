"""run.json: what was run, with what, on which machine, and how it ended."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import videmo
from videmo.analysis.folder import RunFolder
from videmo.datatypes import StageStatistics, VideoReport
from videmo.filenames import show_name
from videmo.output.schema import SCHEMA_VERSION
from videmo.pipeline.meters import bottleneck
from videmo.presets import Preset
from videmo.settings import Settings

LIBRARIES = ("av", "keras", "numpy", "opencv-python", "openvino", "pandas", "pyarrow", "scipy", "tensorflow")


class RunRecord:
    """Keeps run.json of one run; its clock starts when it is made. `metadata` is the footer of the run's own tables."""

    def __init__(self, folder: RunFolder, settings: Settings, preset: Preset) -> None:
        self._folder, self._settings, self._preset = folder, settings, preset
        self._began = datetime.now(UTC)
        self._clock_s = time.monotonic()
        self.metadata = {
            "videmo.version": videmo.__version__,
            "videmo.preset": preset.name,
            "videmo.preset_sha256": preset.sha256,
        }

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._clock_s

    def end(
        self,
        status: str,
        reports: Sequence[VideoReport],
        labels: Sequence[str],
        stages: Sequence[StageStatistics] = (),
    ) -> None:
        """Write the tables over all videos, run.json with how it ended, then the checksums of all files."""
        self._folder.overall.write(reports, labels, self.metadata)
        self.write(status, reports, stages)
        self._folder.write_checksums()

    def write(self, status: str, reports: Sequence[VideoReport], stages: Sequence[StageStatistics] = ()) -> None:
        """Write run.json as things stand."""
        values: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "status": status,
            "started": self._began.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "settings": {name: _as_text(value) for name, value in self._settings.describe().items()},
            "preset": {"name": show_name(self._preset.name), "sha256": self._preset.sha256},
            "versions": {"videmo": videmo.__version__, **{name: _version_of(name) for name in LIBRARIES}},
            "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
            "videos": {
                state: sum(report.status == state for report in reports) for state in ("done", "failed", "cancelled")
            },
            "stages": [asdict(stage) for stage in stages],
            "bottleneck": bottleneck(tuple(stages)),
        }
        self._folder.write_run(values, ended=status != "running")


def _as_text(value: Any) -> Any:
    """Return a setting as JSON in UTF-8 takes it: the path of a model may hold other bytes."""
    return show_name(value) if isinstance(value, str) else value


def _version_of(library: str) -> str | None:
    """Return the version of a library, None where another package stands in for it (opencv-python-headless, say)."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None

"""Whose the files in the folder of a run are: videmo removes and replaces none but its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from videmo.errors import UsageError
from videmo.findings.table_file import TableFile
from videmo.output.checksums import CHECKSUMS, read_checksums
from videmo.output.names import IDENTITIES, REPORT_PAGE

RUN: Final = "run.json"
FILES: Final = "files"
"""Key of run.json: the files of the run below its folder; while it goes on, also those that are still to come."""

_OPTIONAL: Final = {"annotated": "annotated_video", "charts": "charts"}
"""Folders whose files say nothing of who wrote them, and the setting by which a run writes into them."""
_BEGINS: Final = {REPORT_PAGE: b"videmo report</title>", IDENTITIES: b"video_id,track_id,identity"}
_BEGINNING_BYTES: Final = 4096


class Ownership:
    """What videmo wrote into a folder, as far as the folder tells.

    run.json names the files of a run before the first of them is written, so that those of a run that was killed are
    known as well. An older videmo named none: there it is the files in checksums.sha256, and annotated videos and
    charts of videos whose tables are there. A table of videmo says itself that it is one; one that is damaged
    counts as videmo's where videmo ran, and an empty file holds nothing to lose.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        run = read_run(out)
        self._ran = run is not None or any(read_footer(path) for path in (out / "frames").glob("*.parquet"))
        settings = (run or {}).get("settings")
        self._settings = settings if isinstance(settings, dict) else {}
        listed = _listed(run or {})
        # Where no older videmo ran, nothing is owned but by name: not what lies there before a first run.
        self._is_listed = listed is not None or not self._ran
        self.names = set(listed or ()) if self._is_listed else set(_recorded(out))
        """Of files that are videmo's; they need not be there."""

    def __contains__(self, path: Path) -> bool:
        """Tell whether a file, half-written ones too, is videmo's."""
        name = self.name(path)
        if name in self.names:
            return True
        if name in (RUN, CHECKSUMS) or path.suffix == ".partial":
            return self._ran or name == f"{RUN}.partial"
        if name in _BEGINS:
            return self._ran and _BEGINS[name] in _beginning(path)
        if path.suffix == ".parquet":
            said = read_footer(path)
            return bool(said) if said is not None else self._ran or (path.is_file() and not path.stat().st_size)
        return self._goes_with_tables(path)

    def name(self, path: Path) -> str:
        """Return the name by which a file goes in run.json."""
        return path.relative_to(self._out).as_posix()

    def claim(self, paths: Iterable[Path]) -> None:
        """Take files for videmo's from now on: with those that are its own already, for no others are from then on."""
        self.names.update([self.name(path) for path in paths])
        self._is_listed = True

    def forget(self, path: Path) -> None:
        """Take a file that was removed for videmo's no more: the next of its name may be the user's."""
        self.names.discard(self.name(path))

    def _goes_with_tables(self, path: Path) -> bool:
        """Tell whether an older videmo wrote a file, for it has the name of tables and the run was to write it."""
        setting = _OPTIONAL.get(path.parent.name)
        if self._is_listed or setting is None or not self._settings.get(setting, True):
            return False
        return any(read_footer(self._out / part / f"{path.stem}.parquet") for part in ("frames", "faces"))


def read_run(out: Path) -> dict[str, Any] | None:
    """Return what run.json says; None where there is none, or one that videmo did not write."""
    try:
        run = json.loads((out / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return run if isinstance(run, dict) and {"schema", "settings", "preset"} <= run.keys() else None


def read_footer(path: Path) -> Mapping[str, str] | None:
    """Return what videmo says in the footer of a table, empty where it says nothing; None where it is damaged."""
    try:
        with TableFile(path) as file:
            return file.footer
    except UsageError:
        return None


def _listed(run: Mapping[str, Any]) -> list[str] | None:
    names = run.get(FILES)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else None


def _recorded(out: Path) -> Iterable[str]:
    try:
        return read_checksums(out)
    except UsageError:
        return ()


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING_BYTES)
    except OSError:
        return b""

"""A run held against its provenance: inputs, presets and outputs hashed again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pandas as pd

from videmo.analysis.folder import TABLES
from videmo.detection.neural import PRESET as DETECTOR_PRESET
from videmo.errors import PresetError, UsageError, VideoError
from videmo.filenames import find_shown, show_name
from videmo.findings.tables import Run
from videmo.output.checksums import CHECKSUMS, read_checksums
from videmo.output.lock import LOCK
from videmo.output.names import IDENTITIES, REPORT_PAGE, REPORT_TABLES
from videmo.presets import find_preset, hash_file
from videmo.video.discover import discover
from videmo.video.files import hash_source

Status = Literal["unchanged", "changed", "missing", "added"]

ADDED_BY: Final = {
    IDENTITIES: "videmo identities",
    REPORT_PAGE: "videmo report",
    REPORT_TABLES: "videmo report",
    "export": "videmo export",
}
"""What further commands put into a run, by its first name in the folder."""

_MADE_FROM: Final = ("videmo.source_path", "videmo.source_sha256", "videmo.preset_sha256", "videmo.detector")
"""What the footer of every table of a video says."""

READ_WHOLE: Final = ("faces", "frames")
"""Folders of which each table is taken for one of the run."""

_RESUME = "go on with `videmo analyze --resume`"


class Check(NamedTuple):
    """One file or preset held against its hash."""

    kind: Literal["input", "preset", "output"]
    name: str
    status: Status
    cause: str | None = None
    harms: bool = False


def verify(out: str | Path) -> pd.DataFrame:
    """Hash what a run was made from and what it wrote, and tell what is no longer as it was.

    Outputs are held against checksums.sha256, inputs and presets against the footers of the tables that are unchanged.
    Nothing is written.

    Args:
        out: the folder of a run.

    Returns:
        One row per file in the folder, per input and per preset of its finished videos: `kind` (input, preset, output),
        `name` (path of an input, name of a preset, path of an output below `out`), `status` (unchanged, changed,
        missing, added), `cause` (why, or by what it was added; missing where there is nothing to tell), `harms`
        (whether the run is no longer what it was: a file that was added harms only where it is read with the tables).

    Raises:
        UsageError: the folder holds no run, or the run never ended, so that nothing says what its files were.

    Example:
        >>> checks = verify("results")  # doctest: +SKIP
        >>> checks[checks["harms"]]  # doctest: +SKIP
    """
    run = Run(Path(out))
    recorded = read_checksums(run.out)
    if not recorded:
        raise UsageError(f"{run.out / CHECKSUMS}: missing: no run has ended here, or an older videmo's: {_RESUME}")
    checks = list(_check_outputs(run.out, recorded))
    intact = {check.name for check in checks if check.status == "unchanged"}
    videos = [video_id for video_id in run.video_ids if f"frames/{video_id}.parquet" in intact]
    checks = [*_check_inputs(run, videos), *_check_presets(run, videos), *checks]
    return pd.DataFrame(checks, columns=list(Check._fields)).astype({"cause": "string"})


def _check_inputs(run: Run, video_ids: Sequence[str]) -> Iterator[Check]:
    """Yield a check for what each video was made from."""
    for video_id in video_ids:
        footer = _read_footer(run, video_id)
        path = footer["videmo.source_path"]
        try:
            found = hash_source(discover([find_shown(path)])[0].paths)
        except (VideoError, UsageError) as error:
            yield Check("input", path, "missing", show_name(str(error)), harms=True)
        else:
            yield _compare("input", path, found, footer["videmo.source_sha256"])


def _read_footer(run: Run, video_id: str) -> dict[str, str]:
    footer = run.footer(video_id)
    if lacking := [key for key in _MADE_FROM if key not in footer]:
        path = run.out / "frames" / f"{video_id}.parquet"
        raise UsageError(f"{path}: its footer lacks {', '.join(lacking)}: analyse it again with --overwrite")
    return footer


def _check_presets(run: Run, video_ids: Sequence[str]) -> Iterator[Check]:
    """Yield a check for each preset that a video was made with."""
    wanted = set()
    for video_id in video_ids:
        footer = _read_footer(run, video_id)
        settings = run.settings(video_id)
        wanted.add((settings.model, "emotion", footer["videmo.preset_sha256"]))
        if footer["videmo.detector"] == "neural":
            name = str(settings.detector_model or DETECTOR_PRESET)
            wanted.add((name, "detection", footer.get("videmo.detector_version", "")))
    for name, task, sha256 in sorted(wanted):
        yield _check_preset(name, task, sha256)


def _check_preset(name: str, task: str, sha256: str) -> Check:
    """Return the check of a preset: there, as its own card says, and the one that was used."""
    try:
        preset = find_preset(name, task)
    except PresetError as error:
        return Check("preset", show_name(name), "missing", str(error), harms=True)
    try:
        preset.check_weights()
        if preset.has_openvino:
            preset.check_openvino()
    except PresetError as error:
        return Check("preset", show_name(name), "changed", str(error), harms=True)
    versions = {preset.version("keras"), preset.version("openvino")}
    return _compare("preset", show_name(name), sha256 if sha256 in versions else preset.sha256, sha256)


def _check_outputs(out: Path, recorded: Mapping[str, str]) -> Iterator[Check]:
    """Yield a check for each file that was recorded or lies in the folder, in the order of their names."""
    lying = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} - {CHECKSUMS, LOCK}
    for name in sorted(recorded.keys() | lying):
        if name not in recorded:
            yield _judge_added(name)
        elif name not in lying:
            yield Check("output", name, "missing", "removed after the run", harms=True)
        else:
            try:
                yield _compare("output", name, hash_file(out / name), recorded[name])
            except OSError as error:
                yield Check("output", name, "missing", f"cannot be read ({error.strerror})", harms=True)


def _judge_added(name: str) -> Check:
    """Return the check of a file that no run recorded; it harms where every reader of the run takes it for a table."""
    first = name.split("/")[0]
    if first in ADDED_BY:
        return Check("output", show_name(name), "added", f"by `{ADDED_BY[first]}`")
    if first in READ_WHOLE or name in TABLES:
        return Check("output", show_name(name), "added", f"no run recorded it; was one killed? {_RESUME}", harms=True)
    return Check("output", show_name(name), "added", "not by the run")


def _compare(kind: Literal["input", "preset", "output"], name: str, found: str, recorded: str) -> Check:
    """Return the check of two hashes."""
    if found == recorded:
        return Check(kind, name, "unchanged")
    return Check(kind, name, "changed", f"sha256 {found[:12]}…, was {recorded[:12]}…", harms=True)

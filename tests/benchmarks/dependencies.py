"""Writes videmo/licences.md: what videmo installs, under which licences, and what pip-audit knows of it.

    python tests/benchmarks/dependencies.py [--audit PATH_OF_PIP_AUDIT]

Packages, versions and licences are those of the environment that runs it, which must have all extras for users.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "videmo" / "licences.md"
FOR_DEVELOPERS = ("test", "fuzz")
"""Extras that no user installs."""

NOTES = {
    "av": "its wheels hold FFmpeg with libx264 and libx265, which are GPL-2.0-or-later: see below",
    "certifi": "a list of certificates; files that are changed stay under MPL-2.0",
    "matplotlib": "BSD-like; holds the DejaVu fonts under a licence of their own",
    "opencv-python": "its wheels hold FFmpeg (LGPL-2.1) and Qt (LGPL-3.0), see its LICENSE-3RD-PARTY.txt",
    "openvino-telemetry": "tells Google Analytics of each import of openvino; videmo keeps it from being imported",
    "tqdm": "files that are changed stay under MPL-2.0",
}
GPL = """\
## FFmpeg inside PyAV

videmo itself is MIT and holds no FFmpeg; `pip install` fetches PyAV's wheel, which does. Measured in av {version} by
`av._core.library_meta`: FFmpeg {ffmpeg}, "{licence}",
configured with {enabled}.

x264 and x265 are GPL-2.0-or-later (or under a commercial licence), whatever FFmpeg says of itself; PyAV's maintainer
says to keep to the GPL or to come to terms with their holders (github.com/PyAV-Org/PyAV/issues/2270 and 2408). So
whoever passes on an environment or an image with this wheel in it passes on GPL software and has to keep to the GPL
for it; whoever only runs videmo has not. videmo uses libx264 to write the annotated video; reading videos, tables and
charts do without. H.264 and H.265 may need a patent licence besides, where they are used commercially. This is not
legal advice.
"""


def direct() -> Iterator[tuple[str, Requirement]]:
    """Yield what pyproject.toml requires for users, each beside what requires it: videmo, or an extra of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"videmo": project["dependencies"]}
    for extra, lines in project["optional-dependencies"].items():
        if extra not in FOR_DEVELOPERS:
            groups[f"videmo[{extra}]"] = lines
    for why, lines in groups.items():
        yield from ((why, needed) for needed in map(Requirement, lines) if needed.name != "videmo")


def closure() -> dict[str, tuple[Distribution, set[str]]]:
    """Return each installed package that videmo needs, and what requires it."""
    found: dict[str, tuple[Distribution, set[str]]] = {}
    wanted, done = list(direct()), set()
    while wanted:
        why, asked = wanted.pop()
        package, name = distribution(asked.name), canonicalize_name(asked.name)
        found.setdefault(name, (package, set()))[1].add(why)
        for extra in {"", *asked.extras} - {extra for known, extra in done if known == name}:
            done.add((name, extra))
            own = map(Requirement, package.requires or [])
            wanted += [(name, one) for one in own if one.marker is None or one.marker.evaluate({"extra": extra})]
    return dict(sorted(found.items()))


def licence_of(package: Distribution) -> str:
    """Return the licence that a package states of itself."""
    said = package.metadata
    stated = said["License-Expression"] or ""
    classes = [name.split("::")[-1].strip() for name in said.get_all("Classifier", []) if name.startswith("License ::")]
    text = (said["License"] or "").strip()
    short = text if text and "\n" not in text and len(text) < 60 else ""
    return stated or short.removeprefix("OSI Approved :: ") or ", ".join(classes) or "not stated in its metadata"


def audit(tool: Path, packages: Mapping[str, tuple[Distribution, set[str]]]) -> list[dict[str, Any]]:
    """Return what pip-audit says of each package, by PyPI's advisories, or else what the page of its project says."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{name}=={package.version}\n" for name, (package, _) in packages.items()))
        options = ["--disable-pip", "--no-deps", "-s", "pypi", "-f", "json", "--progress-spinner", "off", "-r"]
        told = subprocess.run([tool, *options, pins], capture_output=True, text=True, check=False)
    if not told.stdout:
        raise SystemExit(told.stderr)
    answers = json.loads(told.stdout)["dependencies"]
    versions = {name: package.version for name, (package, _) in packages.items()}
    return [ask_project(a["name"], versions[a["name"]]) if "skip_reason" in a else a for a in answers]


def ask_project(name: str, version: str) -> dict[str, Any]:
    """Return what PyPI knows against the newest version of a package, in pip-audit's words, if that is the one here.

    Some mirrors serve these pages only, not those of single versions, which pip-audit asks for.
    """
    with urllib.request.urlopen(f"https://pypi.org/pypi/{name}/json", timeout=30) as page:
        told = json.load(page)
    found: dict[str, Any] = {"name": name, "version": version, "asked": "project"}
    if told["info"]["version"] != version:
        return found | {"skip_reason": f"{told['info']['version']} is the newest version"}
    return found | {"vulns": [{"id": v["id"], "fix_versions": v["fixed_in"]} for v in told["vulnerabilities"]]}


def spell_audit(answers: Sequence[Mapping[str, Any]], today: str) -> str:
    """Return the section on known vulnerabilities: a package that was skipped was not found harmless."""
    skipped = [answer for answer in answers if "skip_reason" in answer]
    answered = [answer for answer in answers if "skip_reason" not in answer]
    projects = sum("asked" in answer for answer in answered)
    flaws = []
    for answer in answered:
        for flaw in answer["vulns"]:
            mended = ", ".join(flaw["fix_versions"]) or "no version yet"
            flaws.append(f"- {answer['name']} {answer['version']}: {flaw['id']}, mended in {mended}")
    head = [
        f"Asked on {today} about {len(answers)} packages, PyPI's advisories answered for {len(answered)}, of these for",
        f"{projects} through the page of the project, which speaks of its newest version only, not through pip-audit.",
        f"Known flaws among those answered for: {len(flaws) or 'none'}.",
    ]
    unknown = [f"- {answer['name']} {answer['version']}: {answer['skip_reason']}" for answer in skipped]
    return "\n".join([*head, "", *flaws, *(["Nothing is known of:", "", *unknown] if unknown else [])])


def spell_gpl() -> str:
    """Return the section on what PyAV's wheel holds."""
    import av
    from av import _core

    codecs = _core.library_meta["libavcodec"]
    enabled = [part for part in codecs["configuration"].split() if part.endswith(("gpl", "x264", "x265", "version3"))]
    options = {"version": av.__version__, "ffmpeg": av.ffmpeg_version_info, "licence": codecs["license"]}
    return GPL.format(**options, enabled=", ".join(f"`{part}`" for part in enabled))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audit", type=Path, help="pip-audit; without it the section says that none was run")
    tool = parser.parse_args().audit
    today = datetime.now(UTC).date().isoformat()
    packages = closure()
    rows = [
        f"| {name} | {', '.join(sorted(by))} | {package.version} | {licence_of(package)} | {NOTES.get(name, '')} |"
        for name, (package, by) in packages.items()
    ]
    audited = spell_audit(audit(tool, packages), today) if tool else "No pip-audit was run."
    text = [
        "# Licences of what videmo installs",
        "",
        f"Written by `tests/benchmarks/dependencies.py` on {today} (Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}), from what each package states of itself.",
        "",
        "| package | required by | version | licence | note |",
        "|---|---|---|---|---|",
        *rows,
        "",
        spell_gpl(),
        "## Known vulnerabilities",
        "",
        audited,
    ]
    PAGE.write_text("\n".join(text) + "\n", encoding="utf-8")
    print(f"{PAGE}: {len(packages)} packages")


if __name__ == "__main__":
    main()

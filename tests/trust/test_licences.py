"""The list of licences names what is installed, and the record of the audit claims no more than was answered."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "videmo" / "licences.md").read_text(encoding="utf-8")
ROWS = {cells[1]: cells[2:] for line in PAGE.splitlines() if len(cells := [c.strip() for c in line.split("|")]) == 7}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dependencies", ROOT / "tests" / "benchmarks" / "dependencies.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def direct_dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for name in extras if name not in ("test", "fuzz") for line in extras[name]),
    ]
    return sorted({canonicalize_name(Requirement(line).name) for line in lines} - {"videmo"})


@pytest.mark.parametrize("name", direct_dependencies())
def test_every_dependency_has_its_row(name: str) -> None:
    by, version, licence, _, _ = ROWS[name]
    assert "videmo" in by
    assert re.match(r"\d+\.\d+", version)
    assert licence not in ("", "not stated in its metadata")


def test_the_page_says_when_and_with_what_it_was_made() -> None:
    assert re.search(r"on 20\d\d-\d\d-\d\d \(Python 3\.\d+", PAGE)
    assert "x264 and x265 are GPL-2.0-or-later" in PAGE


def test_packages_that_were_not_answered_for_do_not_count_as_harmless(script: ModuleType) -> None:
    skipped = {"name": "a", "version": "2.0", "skip_reason": "not found"}
    alone = script.spell_audit([skipped], "2026-11-20")
    assert "about 1 packages, PyPI's advisories answered for 0" in alone
    assert "Nothing is known of:\n\n- a 2.0: not found" in alone
    flaw = {"name": "b", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
    harmless = {"name": "c", "version": "3.0", "vulns": [], "asked": "project"}
    said = script.spell_audit([skipped, flaw, harmless], "2026-11-20")
    assert "about 3 packages, PyPI's advisories answered for 2, of these for\n1 through the page" in said
    assert "answered for: 1.\n\n- b 1.0: PYSEC-1, mended in 1.1\n" in said
    assert "- a 2.0: not found" in said
    assert "- c" not in said


def test_the_licence_that_a_package_states_is_found(script: ModuleType) -> None:
    packages = script.closure()
    assert script.licence_of(packages["numpy"][0]).startswith("BSD")
    assert packages["jinja2"][1] >= {"videmo[report]"}
    assert "videmo" not in packages

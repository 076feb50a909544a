"""What the documentation names exists, and its examples give what they say."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted(path for path in (ROOT / "videmo").rglob("*.py") if ">>>" in path.read_text(encoding="utf-8"))
PAGES = ("README.md", "videmo/README.md", ".github/CONTRIBUTING.md", "models/README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).exists()]
    assert not missing


def test_the_map_names_files_that_exist() -> None:
    named = re.findall(r"`((?:[a-z_0-9]+/)+(?:[a-z_0-9.]+)?)`", (ROOT / "videmo" / "README.md").read_text("utf-8"))
    assert len(named) > 30
    missing = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "videmo"))]
    assert not missing


def test_the_line_that_ci_runs_is_the_readmes() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    tests = [line for line in lines if line.startswith("python3 -m venv .venv-test ")]
    assert len(tests) == 1
    assert "pytest -n auto" in tests[0]
    assert "grep -m1 '^python3 -m venv .venv-test ' README.md" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_examples_in_docstrings_give_what_they_say(path: Path) -> None:
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))

    result = doctest.testmod(module, extraglobs={"np": np})

    assert result.attempted or "+SKIP" in path.read_text(encoding="utf-8")
    assert not result.failed  # doctest prints what differs

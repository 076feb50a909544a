"""The public names are those that are said, and cost nothing until they are used."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import videmo

HEAVY = ("tensorflow", "keras", "av", "matplotlib", "pandas", "pyarrow", "cv2", "scipy", "numpy", "tqdm")


def test_all_lists_what_can_be_had() -> None:
    for name in videmo.__all__:
        assert getattr(videmo, name) is not None
    assert dir(videmo) == sorted(videmo.__all__)


def test_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("videmo") == videmo.__version__


def test_import_and_help_load_nothing_heavy() -> None:
    code = f"""
import sys
import videmo, videmo.cli.app
loaded = sorted(set({HEAVY!r}) & set(sys.modules))
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

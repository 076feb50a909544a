"""The public names are those that are said, and cost nothing until they are used."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import synthetic

import videmo

HEAVY = ("tensorflow", "keras", "av", "matplotlib", "pandas", "pyarrow", "cv2", "scipy", "numpy", "tqdm")


def test_all_lists_what_can_be_had() -> None:
    for name in videmo.__all__:
        assert getattr(videmo, name) is not None
    assert dir(videmo) == sorted(videmo.__all__)


def test_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("videmo") == videmo.__version__


def loaded_by(line: str, modules: tuple[str, ...]) -> list[str]:
    """Return which of the modules a line of Python brings into a process of its own."""
    code = f"import sys; {line}; print(*sorted(set({modules!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_and_help_load_nothing_heavy() -> None:
    assert loaded_by("import videmo, videmo.cli.app", HEAVY) == []


def test_an_analysis_begins_without_waiting_for_what_it_needs_at_its_end() -> None:
    assert loaded_by("import videmo.analysis.run", ("matplotlib", "pandas", "scipy", "openvino")) == []


def test_a_command_ends_without_looking_through_all_objects_once_more() -> None:
    # What is registered first is called last.
    says = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0))"
    code = f"{says}; import sys; sys.argv = ['videmo', '--version']; from videmo.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["videmo", videmo.__version__, "True"]


def test_one_face_on_a_cpu_starts_without_what_only_others_need(tmp_path: Path) -> None:
    clip = synthetic.moving_face_clip(tmp_path / "face.mp4", duration_s=0.5)
    settings = "videmo.Settings(annotated_video=False, charts=False, runtime='openvino')"
    line = f"import videmo; assert not videmo.analyze([{str(clip)!r}], {str(tmp_path / 'out')!r}, {settings}).failed"
    assert loaded_by(line, ("tensorflow", "keras", "matplotlib", "scipy")) == []

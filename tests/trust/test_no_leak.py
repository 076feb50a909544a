"""A run seen from the system: it writes where it was told to, asks no network, and runs no foreign program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import synthetic
from system_calls import Call, read_calls, watch, why_not

pytestmark = pytest.mark.timeout(300)  # whole programs are started and every call of theirs is looked at

AUDITED = Path(__file__).with_name("audited.py")
PROGRAMS = {
    "uname": "Python's platform module asks for the processor, which run.json names",
    "lscpu": "NumPy before 2.2 asks for the processor when numpy.testing is imported",
    "fc-list": "Matplotlib asks for the fonts there are, once, before it draws its first chart",
}
BESIDE_OUT = {
    r"/dev/null": "what is thrown away",
    r"/proc/.*/task/\d+/comm": "TensorFlow names its threads",
    r"/dev/shm/sem\.\w+(-\w+)*": "a lock between processes that scikit-learn, which Keras imports, tries out; empty",
    r"HOME/\.(cache|config)(/matplotlib(/fontlist-v[\d.]+\.json(\.matplotlib-lock)?)?)?": "Matplotlib's list of fonts",
    r"TMPDIR(/\w+)?": "what TensorFlow says on stderr, in a file without a name; a name tried and removed at once",
}
NUMBERS = {
    "checksums.sha256",
    "faces/clip.parquet",
    "frames/clip.parquet",
    "run.json",
    "tracks.parquet",
    "videos.parquet",
}
PICTURES = {"annotated/clip.mp4", "charts/clip.png"}


@dataclass(frozen=True, slots=True)
class Watched:
    """A command that was run in a home, a folder and a place for temporary files of its own."""

    root: Path
    calls: Sequence[Call]

    @property
    def out(self) -> Path:
        return self.root / "out"

    def beside_out(self) -> Iterator[str]:
        """Yield what was written outside of OUT, as the patterns of `BESIDE_OUT` name places."""
        places = {str(self.root / name): name.upper() for name in ("home", "tmpdir", "here")}
        for call in self.calls:
            for path in call.paths if call.changes_files else ():
                if not path.is_relative_to(self.out):
                    text = str(path)
                    for place, name in places.items():
                        text = text.replace(place, name)
                    yield text


def run_watched(root: Path, *arguments: object) -> Watched:
    """Run videmo under strace; what it left out of OUT in earlier commands is gone."""
    if reason := why_not():
        pytest.skip(reason)
    return Watched(root, watch([sys.executable, "-m", "videmo", *arguments], root / "log", **surroundings(root)))


def surroundings(root: Path) -> dict[str, object]:
    for name in ("home", "tmpdir", "here"):
        (root / name).mkdir(exist_ok=True)
    # Python's own cache of compiled modules is kept where videmo is installed, not where it runs.
    settings = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmpdir"), "PYTHONDONTWRITEBYTECODE": "1"}
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    return {"env": {**path, **settings, "CUDA_VISIBLE_DEVICES": "-1"}, "cwd": root / "here"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a face that moves, with sound."""
    pictures = (picture for picture, _ in synthetic.moving_face(25))
    times_s = [0.04 * index for index in range(25)]
    return synthetic.write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", pictures, times_s=times_s, audio=True)


@pytest.fixture(scope="module")
def analysed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    root = tmp_path_factory.mktemp("analysed")
    return run_watched(root, "analyze", clip, "--out", root / "out", "--progress", "none")


@pytest.fixture(scope="module")
def numbers_only(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    root = tmp_path_factory.mktemp("numbers")
    return run_watched(root, "analyze", clip, "--out", root / "out", "--progress", "none", "--no-video", "--no-charts")


def explained(places: Iterator[str], allowed: Sequence[str] = tuple(BESIDE_OUT)) -> list[str]:
    """Return the places that nothing explains."""
    return sorted({place for place in places if not any(re.fullmatch(pattern, place) for pattern in allowed)})


def foreign_programs(calls: Sequence[Call]) -> set[str]:
    """Return the programs run beside Python and those explained."""
    run = {path for call in calls if call.name.startswith("exec") and call.result == 0 for path in call.paths[:1]}
    return {path.name for path in run if path != Path(sys.executable) and path.name not in PROGRAMS}


def network_calls(calls: Sequence[Call]) -> list[str]:
    """Return what was asked of a network; a socket alone sends nothing, and `::1` is the machine itself."""
    asked = ("connect", "sendto", "sendmsg", "sendmmsg", "bind")
    return [
        f"{call.name}({call.arguments})"
        for call in calls
        if call.name in asked and not (call.name == "bind" and '"::1"' in call.arguments)
    ]


def is_picture(path: Path) -> bool:
    """Return whether a file decodes as a picture or a video."""
    if cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) is not None:
        return True
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.video) and container.format.name != "tty"
    except (av.FFmpegError, OSError):
        return False


def pictures_below(root: Path) -> set[str]:
    files = (path for path in root.rglob("*") if path.is_file() and path.stat().st_size)
    return {path.relative_to(root).as_posix() for path in files if is_picture(path)}


def test_the_watch_sees_files_sockets_and_programs(tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    script = (
        "import os, socket, subprocess, tempfile, threading\n"
        "threading.Thread(target=lambda: open('caf\u00e9.txt', 'w').close()).start()\n"
        "os.close(os.open('private', os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)); os.rename('private', 'moved')\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n"
        "subprocess.run(['uname']); subprocess.run(['true'])\n"
    )
    calls = watch([sys.executable, "-c", script], tmp_path / "log", env=dict(os.environ), cwd=tmp_path)
    changed = {path for call in calls if call.changes_files for path in call.paths}
    assert {tmp_path / "caf\u00e9.txt", tmp_path / "private", tmp_path / "moved"} <= changed
    assert {call.made_mode for call in calls if tmp_path / "private" in call.paths} >= {0o600}
    assert foreign_programs(calls) == {"true"}
    assert ["AF_INET" in asked and "9" in asked for asked in network_calls(calls)] == [True]


def test_a_call_that_another_thread_interrupts_is_put_together_again() -> None:
    log = (
        '7 openat(AT_FDCWD</a>, "x", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600 <unfinished ...>\n'
        '8 mkdir("/b", 0777) = -1 EEXIST (File exists)\n'
        "7 <... openat resumed>) = 5</a/x>\n"
    )
    made, refused = sorted(read_calls(log, Path("/")), key=lambda call: call.name, reverse=True)
    assert (made.paths, made.made_mode, made.changes_files) == ((Path("/a/x"),), 0o600, True)
    assert not refused.changes_files


def test_a_run_writes_into_its_folder_and_nowhere_else(analysed: Watched) -> None:
    written = {path for call in analysed.calls if call.changes_files for path in call.paths}
    inside = {path.relative_to(analysed.out).as_posix() for path in written if path.is_relative_to(analysed.out)}
    folders = {".", "annotated", "charts", "faces", "frames"}
    assert inside - folders == {n for name in NUMBERS | PICTURES for n in (name, f"{name}.partial")} | {".videmo.lock"}
    assert explained(analysed.beside_out()) == []


def test_numbers_alone_touch_nothing_but_their_folder(numbers_only: Watched) -> None:
    assert explained(numbers_only.beside_out(), ["/dev/null"]) == []
    assert {path.relative_to(numbers_only.out).as_posix() for path in files_below(numbers_only.out)} == NUMBERS
    assert list(files_below(numbers_only.root / "home")) == []


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_only_the_named_outputs_are_pictures(analysed: Watched, numbers_only: Watched) -> None:
    assert pictures_below(analysed.root) == {f"out/{name}" for name in PICTURES}
    assert pictures_below(numbers_only.root) == set()


def test_no_network_is_asked_and_no_foreign_program_run(analysed: Watched, numbers_only: Watched) -> None:
    for calls in (analysed.calls, numbers_only.calls):
        assert network_calls(calls) == []
        assert not [call for call in calls if call.name in ("socket", "memfd_create")]
        assert foreign_programs(calls) == set()


def test_files_are_private_while_they_are_made(analysed: Watched) -> None:
    made = [call for call in analysed.calls if call.made_mode is not None and call.paths[-1].suffix == ".partial"]
    assert {call.paths[-1].name.removesuffix(".partial") for call in made} == {
        Path(name).name for name in NUMBERS | PICTURES
    }
    assert {call.made_mode for call in made} == {0o600}
    begun: set[Path] = set()
    for call in analysed.calls:
        if call.changes_files and call.paths and call.paths[-1].suffix == ".partial":
            begun |= {call.paths[-1]} if call.made_mode is not None else set()
            assert call.paths[-1] in begun or call.name.startswith(("rename", "chmod", "unlink"))


def test_finished_files_have_the_permissions_of_any_new_file(analysed: Watched, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    assert {oct(path.stat().st_mode) for path in files_below(analysed.out)} == {
        oct((tmp_path / "usual").stat().st_mode)
    }


@pytest.mark.parametrize("command", ["render", "report"])
def test_later_commands_write_into_the_folder_and_ask_no_network(analysed: Watched, command: str) -> None:
    watched = run_watched(analysed.root, command, analysed.out)
    assert explained(watched.beside_out()) == []
    assert network_calls(watched.calls) == []
    assert foreign_programs(watched.calls) == set()
    assert pictures_below(watched.root) == {f"out/{name}" for name in PICTURES}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_keras_writes_and_asks_nothing_more(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    watched = run_watched(tmp_path, "analyze", clip, "--out", out, "--progress", "none", "--runtime", "keras")
    assert explained(watched.beside_out()) == []
    assert network_calls(watched.calls) == []
    assert foreign_programs(watched.calls) == set()
    assert pictures_below(tmp_path) == {f"out/{name}" for name in PICTURES}


def test_python_itself_loads_no_pickle_and_opens_no_connection(clip: Path, tmp_path: Path) -> None:
    assert set(audit(tmp_path, "analyze", clip, "--out", tmp_path / "out", "--progress", "none")) <= expected_events()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("arguments", [["--runtime", "keras"], ["--detector", "haar"]])
def test_python_loads_no_pickle_with_other_models(clip: Path, tmp_path: Path, arguments: Sequence[str]) -> None:
    out = tmp_path / "out"
    assert set(audit(tmp_path, "analyze", clip, "--out", out, "--progress", "none", *arguments)) <= expected_events()
    for command in ("report", "render", "verify"):
        assert set(audit(tmp_path, command, out)) <= expected_events()


def expected_events() -> set[tuple[str, str]]:
    return {("subprocess.Popen", program) for program in PROGRAMS}


def audit(root: Path, *arguments: object) -> list[tuple[str, str]]:
    """Run a command and return the events that `audited.py` watches for."""
    command = [sys.executable, AUDITED, *arguments]
    told = subprocess.run(list(map(str, command)), capture_output=True, text=True, **surroundings(root))  # type: ignore[call-overload]
    assert told.returncode == 0, told.stderr
    lines = (line.removeprefix("AUDIT ") for line in told.stderr.splitlines() if line.startswith("AUDIT "))
    return [tuple(json.loads(line)) for line in lines]


def test_the_audit_sees_a_pickle_and_a_connection(tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(AUDITED.parent)!r})\n"
        "import atexit, audited, pickle, collections, socket\n"
        "sys.addaudithook(audited.note)\n"
        "pickle.loads(pickle.dumps(collections.OrderedDict()))\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n"
        "audited.tell()\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pickle.find_class" in told.stderr
    assert "socket.connect" in told.stderr

"""What a command asks the system for, as strace sees it: files made and written, programs run, sockets used."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILES = "open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
_REST = "unlink,unlinkat,chmod,fchmod,fchmodat,execve,execveat,memfd_create,socket,bind,connect,sendto,sendmsg,sendmmsg"
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_OPENS = ("open", "openat", "openat2", "creat")
_CHANGES = ("mkdir", "mknod", "rename", "link", "symlink", "unlink", "chmod", "fchmod")


@functools.cache
def why_not() -> str | None:
    """Return why strace cannot be used here, None where it can."""
    if shutil.which("strace") is None:
        return "needs strace: apt-get install strace"
    told = subprocess.run(["strace", "-f", "-qq", "-e", "trace=none", "true"], capture_output=True, text=True)
    return f"strace is not allowed to trace here: {told.stderr.strip()}" if told.returncode else None


@dataclass(frozen=True, slots=True)
class Call:
    """One finished call; `paths` are absolute."""

    name: str
    arguments: str
    result: int
    paths: tuple[Path, ...]

    @property
    def changes_files(self) -> bool:
        """Whether it made, opened for writing, renamed or removed a file or folder; not whether that was refused."""
        if self.name in _OPENS:
            return self.result >= 0 and re.search("O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE", self.arguments) is not None
        return self.result >= 0 and self.name.removesuffix("at").removesuffix("at2") in _CHANGES

    @property
    def made_mode(self) -> int | None:
        """The permissions asked for where a file was made, not only opened."""
        made = self.result >= 0 and "O_EXCL" in self.arguments and self.name in _OPENS
        mode = re.search(r"O_CREAT.*, (0[0-7]+)$", self.arguments) if made else None
        return int(mode[1], 8) if mode else None


def watch(command: Sequence[object], log: Path, *, env: Mapping[str, str], cwd: Path) -> list[Call]:
    """Run a command to its end, which must be a good one, and return its calls and those of all its children."""
    options = ["-f", "-qq", "-y", "-s", "64", "-e", "signal=none", "--seccomp-bpf", "-e", f"trace={_FILES},{_REST}"]
    told = subprocess.run(
        ["strace", *options, "-o", log, *map(str, command)], env=dict(env), cwd=cwd, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return list(read_calls(log.read_text(encoding="utf-8", errors="replace"), cwd))


def read_calls(log: str, cwd: Path) -> Iterator[Call]:
    """Yield the calls in a log of strace; those that others interrupted are put together again."""
    begun: dict[str, str] = {}
    for line in log.splitlines():
        process, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[process] = text.removesuffix("<unfinished ...>").rstrip()
            continue
        if resumed := re.match(r"<\.\.\. \w+ resumed>,? ?", text):
            start = begun.pop(process)
            text = start + (", " if text[: resumed.end()].rstrip().endswith(",") else "") + text[resumed.end() :]
        if call := _CALL.match(text):
            name, arguments, result = call.groups()
            yield Call(name, arguments, -1 if result == "?" else int(result), tuple(_paths(arguments, cwd)))


def _paths(arguments: str, cwd: Path) -> Iterator[Path]:
    for folder, name in _PATH.findall(arguments):
        yield Path(folder or cwd, name.encode().decode("unicode_escape").encode("latin-1").decode(errors="replace"))

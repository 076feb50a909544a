"""Runs videmo's command line and tells, at its end, what Python was asked to do that no analysis needs.

Run as `python audited.py analyze ...`; prints one JSON line for each event on stderr, after the word AUDIT.
"""

from __future__ import annotations

import atexit
import json
import sys

WATCHED = (
    "pickle.",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.sendto",
    "socket.sendmsg",
    "urllib.Request",
    "http.client.",
    "ftplib.",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "webbrowser.open",
)
_SEEN: list[tuple[str, str]] = []


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(WATCHED):
        _SEEN.append((event, str(arguments[0]) if arguments else ""))


def tell() -> None:
    for seen in _SEEN:
        sys.stderr.write(f"AUDIT {json.dumps(seen)}\n")


if __name__ == "__main__":
    atexit.register(tell)
    sys.addaudithook(note)
    from videmo.cli.app import main

    main()

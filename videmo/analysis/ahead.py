"""Modules imported while something else runs, before they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Event, Thread


@contextmanager
def imported_ahead(*modules: str) -> Iterator[None]:
    """Import modules, one after the other, in a thread of its own while the block runs.

    When this returns the thread has ended; modules that it has not come to by then are not wanted any more. What is
    wrong with a module is told where it is used, for there it is imported again.
    """
    over = Event()
    thread = Thread(target=_import, args=(modules, over), name="videmo-import")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _import(modules: tuple[str, ...], over: Event) -> None:
    for module in modules:
        if over.is_set():
            return
        with suppress(Exception):
            import_module(module)

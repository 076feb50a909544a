"""Modules imported while something else runs, before they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Thread


@contextmanager
def imported_ahead(*modules: str) -> Iterator[None]:
    """Import modules in a thread of its own while the block runs; the thread has ended when this returns.

    What is wrong with a module is told where it is used, for there it is imported again.
    """
    thread = Thread(target=_import, args=modules, name="videmo-import")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _import(*modules: str) -> None:
    for module in modules:
        with suppress(Exception):
            import_module(module)

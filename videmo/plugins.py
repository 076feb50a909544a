"""Backends found by name through entry points: built-ins and plug-ins of other packages register the same way."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from videmo.errors import UsageError

Kind = Literal["detectors", "trackers", "classifiers"]


def names(kind: Kind) -> list[str]:
    """Return the names of the backends of a kind that are installed, sorted."""
    return sorted({entry.name for entry in entry_points(group=f"videmo.{kind}")})


def load(kind: Kind, name: str) -> Any:
    """Return the builder registered as `name`.

    Raises:
        UsageError: nothing of that name is installed, or a package that it needs is missing.
    """
    return _import(kind, _find(kind, name))


def _find(kind: Kind, name: str) -> EntryPoint:
    found = entry_points(group=f"videmo.{kind}", name=name)
    if not found:
        raise UsageError(f"unknown {kind[:-1]} {name!r}: known are {', '.join(names(kind)) or 'none'}")
    return next(iter(found))


def _import(kind: Kind, entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except ImportError as error:
        raise UsageError(
            f"{kind[:-1]} {entry.name!r} needs a package that is missing ({error.name}): pip install {error.name}"
        ) from error

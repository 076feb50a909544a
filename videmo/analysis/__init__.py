"""The composition root: `analyze` many videos, `stream` one, `render` and `verify` what a run left."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from videmo.analysis.lane import stream
from videmo.analysis.run import analyze

if TYPE_CHECKING:
    from videmo.analysis.rendering import render
    from videmo.analysis.verification import verify

__all__ = ["analyze", "render", "stream", "verify"]

_HOMES = {"render": "videmo.analysis.rendering", "verify": "videmo.analysis.verification"}


def __getattr__(name: str) -> Any:
    """Load on first use what needs pandas (PEP 562), so that an analysis does not wait for it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'videmo.analysis' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

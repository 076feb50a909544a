"""The composition root: `analyze` many videos, `stream` one, `render` and `verify` what a run left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from videmo.analysis.lane import stream
from videmo.analysis.run import analyze

if TYPE_CHECKING:
    from videmo.analysis.rendering import render
    from videmo.analysis.verification import verify

__all__ = ["analyze", "render", "stream", "verify"]


def __getattr__(name: str) -> Any:
    """Load on first use what needs pandas (PEP 562), so that an analysis does not wait for it."""
    if name == "render":
        from videmo.analysis.rendering import render

        return render
    if name == "verify":
        from videmo.analysis.verification import verify

        return verify
    raise AttributeError(f"module 'videmo.analysis' has no attribute {name!r}")

"""videmo: a batch video analytics processor. Public names are loaded on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["RunReport", "Settings", "VidemoError", "VideoReport", "__version__", "analyze", "stream"]

if TYPE_CHECKING:
    from videmo.analysis import analyze, stream
    from videmo.datatypes import RunReport, VideoReport
    from videmo.errors import VidemoError
    from videmo.settings import Settings

_HOMES = {
    "analyze": "videmo.analysis",
    "stream": "videmo.analysis",
    "RunReport": "videmo.datatypes",
    "VideoReport": "videmo.datatypes",
    "VidemoError": "videmo.errors",
    "Settings": "videmo.settings",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562), so that `import videmo` stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module 'videmo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The composition root: `analyze` many videos, `stream` one, `render` and `verify` what a run left."""

from videmo.analysis.lane import stream
from videmo.analysis.rendering import render
from videmo.analysis.run import analyze
from videmo.analysis.verify import verify

__all__ = ["analyze", "render", "stream", "verify"]

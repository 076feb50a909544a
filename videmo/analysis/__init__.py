"""The composition root: settings become lanes; many videos (`analyze`), one video (`stream`), tables (`render`)."""

from videmo.analysis.lane import stream
from videmo.analysis.rendering import render
from videmo.analysis.run import analyze

__all__ = ["analyze", "render", "stream"]

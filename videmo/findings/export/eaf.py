"""Documents of ELAN: a tier for each track with its dominant expressions, and one with the segments.

The format is that of the EAF schema 3.0 (Max Planck Institute for Psycholinguistics, https://archive.mpi.nl/tla/elan).
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pandas as pd

from videmo.filenames import find_shown
from videmo.findings.export.format import Format, for_each_video
from videmo.findings.export.stretches import SMOOTHING_NOTE, find_stretches
from videmo.findings.tables import Run

Tier = tuple[str, pd.DataFrame]

_TYPE: Final = "default-lt"
_SCHEMA: Final = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def build_document(tiers: list[Tier], source: str) -> ElementTree.ElementTree[ElementTree.Element]:
    """Return an ELAN document.

    Args:
        tiers: name, and `start_s`, `end_s`, `value` of the annotations of each tier; within a tier they do not overlap.
            Tiers of one name are told apart by a number.
        source: path of the video.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "videmo",
            "DATE": datetime.now(UTC).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = ElementTree.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    ElementTree.SubElement(header, "MEDIA_DESCRIPTOR", _describe_media(source))
    order = ElementTree.SubElement(root, "TIME_ORDER")
    numbers = count(1)
    tier_ids = _tell_apart(name for name, _ in tiers)
    for tier_id, (_, spans) in zip(tier_ids, tiers, strict=True):
        attributes = {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": tier_id}
        _add_annotations(order, ElementTree.SubElement(root, "TIER", attributes), spans, numbers)
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true"},
    )
    return ElementTree.ElementTree(root)


def list_tiers(run: Run, video_id: str) -> list[Tier]:
    """Return the tiers of a video: the segments, then each track under its identity or number."""
    segments = run.segments()
    own = segments[segments["video_id"] == video_id].sort_values("start_s").rename(columns={"segment": "value"})
    lanes = enumerate(_part_overlaps(own), start=1)
    tiers = [("segments" if number == 1 else f"segments {number}", lane) for number, lane in lanes]
    stretches = find_stretches(run.frames(video_id), run.faces(video_id), run.labels_of(video_id))
    names = run.names(video_id)
    for track_id, spans in stretches.rename(columns={"expression": "value"}).groupby("track_id"):
        tiers.append((names.get(int(str(track_id)), f"track {track_id}"), spans))
    return tiers


def _tell_apart(names: Iterable[str]) -> Iterator[str]:
    """Yield the names without what XML cannot hold; the second of a name gets (2): tiers are known by their names."""
    taken: set[str] = set()
    for name in map(_clean, names):
        choices = chain([name], (f"{name} ({number})" for number in count(2)))
        unique = next(choice for choice in choices if choice not in taken)
        taken.add(unique)
        yield unique


def _part_overlaps(spans: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield spans in as many parts as it takes for none to overlap: ELAN's tiers hold one annotation at a time."""
    ends_s: list[float] = []
    lanes = []
    for start_s, end_s in zip(spans["start_s"], spans["end_s"], strict=True):
        free = next((lane for lane, taken_s in enumerate(ends_s) if taken_s <= start_s), len(ends_s))
        ends_s[free : free + 1] = [end_s]
        lanes.append(free)
    for lane in range(len(ends_s)):
        yield spans[[own == lane for own in lanes]]


def _add_annotations(
    order: ElementTree.Element, tier: ElementTree.Element, spans: pd.DataFrame, numbers: Iterator[int]
) -> None:
    """Add annotations to a tier and their times to the time order; what is shorter than a millisecond is left out."""
    edges_ms = (spans[["start_s", "end_s"]].to_numpy(float) * 1000).round().astype(int)
    for (start_ms, end_ms), value in zip(edges_ms.tolist(), spans["value"], strict=True):
        if end_ms <= start_ms or end_ms <= 0:
            continue
        number = next(numbers)
        slots = {f"ts{2 * number - 1}": max(start_ms, 0), f"ts{2 * number}": end_ms}
        for slot, time_ms in slots.items():
            ElementTree.SubElement(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": str(time_ms)})
        refs = dict(zip(("TIME_SLOT_REF1", "TIME_SLOT_REF2"), slots, strict=True))
        holder = ElementTree.SubElement(tier, "ANNOTATION")
        item = ElementTree.SubElement(holder, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{number}", **refs})
        ElementTree.SubElement(item, "ANNOTATION_VALUE").text = _clean(str(value))


def _describe_media(source: str) -> dict[str, str]:
    path = find_shown(source).absolute()
    kind = mimetypes.guess_type(path.name)[0] or "unknown"
    return {"MEDIA_URL": path.as_uri(), "MIME_TYPE": kind}


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _write(run: Run, video_id: str, path: Path) -> None:
    source = run.footer(video_id).get("videmo.source_path", video_id)
    document = build_document(list_tiers(run, video_id), source)
    ElementTree.indent(document)
    document.write(path, encoding="UTF-8", xml_declaration=True)


ELAN = Format(for_each_video(".eaf", _write), (SMOOTHING_NOTE, "times are from the first frame, to the millisecond"))

"""Annotations of ELAN: its own .eaf documents.

The format is that of the EAF schema (Max Planck Institute for Psycholinguistics, https://archive.mpi.nl/tla/elan). XML
is read with the standard library: a document type is refused before parsing, so no entity can be declared, let alone
expanded or fetched, and defusedxml is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from videmo.errors import UsageError
from videmo.findings.delimited import read_text

Elements = Mapping[str | None, ElementTree.Element]


def read_eaf(path: Path, tier: str | None = None) -> pd.DataFrame:
    """Return the annotations of an ELAN document as spans, see `segment_readers.read_spans`.

    An annotation without times of its own has those of the annotation it refers to.

    Raises:
        UsageError: not an ELAN document, or no such tier.
    """
    root = _parse(path)
    annotations = {item.get("ANNOTATION_ID"): item for item in root.iterfind("TIER/ANNOTATION/*")}
    slots = list(root.iter("TIME_SLOT"))
    times_ms = pd.to_numeric(pd.Series([slot.get("TIME_VALUE") for slot in slots], dtype=object), errors="coerce")
    slots_s = dict(zip((slot.get("TIME_SLOT_ID") for slot in slots), times_ms.astype(float) / 1000, strict=True))
    rows = []
    for group in root.iter("TIER"):
        for item in group.iterfind("ANNOTATION/*"):
            timed = _timed(item, annotations)
            edges_s = (slots_s.get(timed.get(f"TIME_SLOT_REF{edge}"), float("nan")) for edge in (1, 2))
            value = (item.findtext("ANNOTATION_VALUE") or "").strip()
            rows.append((f", annotation {item.get('ANNOTATION_ID')}", *edges_s, group.get("TIER_ID"), value))
    return name_by_tier(path, pd.DataFrame(rows, columns=["where", "start_s", "end_s", "tier", "value"]), tier)


def name_by_tier(path: Path, spans: pd.DataFrame, tier: str | None) -> pd.DataFrame:
    """Return spans with `name` for their `tier` and `value`; a tier that is asked for is the only one taken.

    The name is the annotation's value; where there are several tiers the tier comes before it ("tier: value").

    Raises:
        UsageError: there are no annotations, or none in the tier asked for.
    """
    tiers = list(dict.fromkeys(spans["tier"]))
    if not tiers:
        raise UsageError(f"{path}: no annotation in it")
    if tier is not None and tier not in tiers:
        raise UsageError(f"{path}: no annotation in tier {tier!r}: there are {', '.join(map(str, tiers))}")
    spans = spans[spans["tier"] == tier] if tier is not None else spans
    alone = tier is not None or len(tiers) == 1
    name = spans["value"] if alone else spans["tier"] + ": " + spans["value"]
    # An annotation left empty marks a time by its tier.
    name = name.where(spans["value"] != "", spans["tier"])
    return spans.drop(columns=["tier", "value"]).assign(name=name).reset_index(drop=True)


def _parse(path: Path) -> ElementTree.Element:
    text, _, _ = read_text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UsageError(f"{path}: declares a document type or entities, which ELAN never does: not read")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise UsageError(f"{path}: not an ELAN document: {error}") from error
    units = root.find("HEADER")
    if root.tag != "ANNOTATION_DOCUMENT" or (
        units is not None and units.get("TIME_UNITS", "milliseconds") != "milliseconds"
    ):
        raise UsageError(f"{path}: not an ELAN document with times in milliseconds")
    return root


def _timed(item: ElementTree.Element, annotations: Elements) -> ElementTree.Element:
    """Return the annotation that holds the times of `item`: itself, or what it refers to, over any number of steps."""
    passed: set[str | None] = set()
    while item.get("ANNOTATION_REF") in annotations and item.get("ANNOTATION_REF") not in passed:
        passed.add(item.get("ANNOTATION_REF"))
        item = annotations[item.get("ANNOTATION_REF")]
    return item

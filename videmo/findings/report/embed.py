"""Tables as the page's scripts read them: small, exact, and safe inside HTML."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from videmo.findings.series import SMOOTHED
from videmo.palette import expression_colours

SCALE: Final = 1000
"""Values are whole thousandths, so that they take two bytes."""

MISSING: Final = 65535


def spell_json(values: object) -> str:
    r"""Return JSON that can stand in a script element: `<`, `>` and `&` are written as \u003c, \u003e and \u0026.

    Example:
        >>> spell_json("</script>")
        '"\\u003c/script\\u003e"'
    """
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def spell_in_chart(text: str) -> str:
    """Return a text that Plotly draws as it is: it takes some of HTML for its own, links among it.

    Example:
        >>> spell_in_chart("<a href='https://example.org'>R&D</a>")
        "&lt;a href='https://example.org'>R&amp;D&lt;/a>"
    """
    return text.replace("&", "&amp;").replace("<", "&lt;")


def embed_labels(labels: Sequence[str]) -> list[dict[str, str]]:
    """Return name and colour (#rrggbb) of each label."""
    colours = expression_colours(labels)
    return [{"name": label, "colour": spell_colour(colour)} for label, colour in zip(labels, colours, strict=True)]


def spell_colour(rgb: Sequence[int]) -> str:
    """Return a colour as #rrggbb."""
    return "#" + "".join(f"{int(part):02x}" for part in rgb)


def embed_curves(curves: pd.DataFrame, labels: Sequence[str], epoch_s: float) -> dict[str, Any]:
    """Return the curves of one video as columns in base64, and which rows are of which track.

    `tracks` are in the order of `seen_s`, the longest first; `first` is the first of their `rows`. `epochs` are
    uint32, an epoch k covers [k, k + 1) * `epoch_s`; `raw` and `smoothed` hold for each label uint16 in units of
    1 / `SCALE`, `MISSING` where there is no value.
    """
    tracks = curves["track_id"].to_numpy()
    ids, first, rows = np.unique(tracks, return_index=True, return_counts=True)
    seen_s = np.add.reduceat(curves["seen_s"].to_numpy(float), first) if len(first) else np.zeros(0)
    longest = np.argsort(-seen_s, kind="stable")
    epochs = np.rint(curves["epoch_start_s"].to_numpy(float) / epoch_s)
    return {
        "tracks": [
            {"id": int(ids[i]), "first": int(first[i]), "rows": int(rows[i]), "seen_s": round(float(seen_s[i]), 3)}
            for i in longest
        ],
        "epochs": _pack(epochs, np.uint32),
        "raw": [_pack_values(curves[label]) for label in labels],
        "smoothed": [_pack_values(curves[f"{label}{SMOOTHED}"]) for label in labels],
    }


def embed_spans(table: pd.DataFrame, columns: Sequence[str], most: int) -> dict[str, Any]:
    """Return the columns of the first rows, numbers to the thousandth, and how many `more` rows there are."""
    rows = table[list(columns)].head(most).round(3)
    return {"rows": [list(row) for row in rows.itertuples(index=False, name=None)], "more": max(len(table) - most, 0)}


def _pack_values(values: pd.Series[float]) -> str:
    """Return probabilities in thousandths; a filter may leave 0..1 by a little, the picture shows it at the edge."""
    numbers = values.to_numpy(float)
    return _pack(np.where(np.isnan(numbers), MISSING, np.rint(numbers.clip(0, 1) * SCALE)), np.uint16)


def _pack(numbers: np.ndarray[Any, Any], kind: type[np.unsignedinteger[Any]]) -> str:
    return base64.b64encode(numbers.astype(np.dtype(kind).newbyteorder("<")).tobytes()).decode()

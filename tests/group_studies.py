"""Epochs of many respondents, made without any run: the table that `build_timelines` would give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from videmo.emotion.labels import EMOTIONS
from videmo.findings.affect import derive_affect
from videmo.findings.timeline import Float64Array


def epochs_of(values: Float64Array, signal: str = "happiness", epoch_s: float = 1.0, **study: object) -> pd.DataFrame:
    """Return a table of one signal (n, e): a respondent r00, r01, ... for each row, NaN where not seen.

    Args:
        values: (n, e) respondents by epochs.
        signal: what the column is called.
        epoch_s: length of an epoch.
        **study: further columns; a value for all, or one for each respondent.
    """
    n, length = values.shape
    columns = {name: np.repeat(np.broadcast_to(np.asarray(given, object), n), length) for name, given in study.items()}
    who = np.repeat([f"r{i:02}" for i in range(n)], length)
    epoch = np.tile(np.arange(length), n)
    seen_s = np.where(np.isnan(values), 0.0, epoch_s).ravel()
    table = {"video_id": who, "track_id": 0, "epoch_start_s": epoch * epoch_s, "epoch_end_s": (epoch + 1) * epoch_s}
    return pd.DataFrame(
        {**table, "seen_s": seen_s, "bridged_s": 0.0, signal: values.ravel(), "respondent": who} | columns
    )


def autocorrelated(rng: np.random.Generator, n: int, length: int, memory: float = 0.8) -> Float64Array:
    """Return (n, length) values of mean 0 and variance 1 that change slowly, as expressions do."""
    values = rng.normal(size=(n, length))
    for k in range(1, length):
        values[:, k] = memory * values[:, k - 1] + np.sqrt(1 - memory**2) * values[:, k]
    return values


def study(n: int, length: int = 90, *, conditions: Sequence[str] = ("a", "b"), seed: int = 0) -> pd.DataFrame:
    """Return epochs of n respondents in conditions by turns: all smile at 30 to 45 s, under the first one far more.

    One in eight epochs is missing, in stretches, and everybody is away from 60 to 65 s.
    """
    rng = np.random.default_rng(seed)
    group = np.arange(n) % len(conditions)
    logits = 1.2 * np.stack([autocorrelated(rng, n, length, 0.9) for _ in EMOTIONS], axis=2)
    logits[..., 0] += 2.5
    smile = np.exp(-(((np.arange(length) - 37) / 6) ** 2))
    logits[..., 1] += smile * np.where(group == 0, 5.0, 2.5)[:, None]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    away = autocorrelated(rng, n, length, 0.95) > 1.15
    away[:, 60:65] = True
    probabilities[away] = np.nan
    names = np.asarray(conditions, object)[group]
    tables = [epochs_of(probabilities[..., i], label, condition=names) for i, label in enumerate(EMOTIONS)]
    table = pd.concat(
        [tables[0], *(part[[label]] for part, label in zip(tables[1:], EMOTIONS[1:], strict=True))], axis=1
    )
    keys = ["respondent", "condition"]
    whole = pd.concat([table.drop(columns=keys), derive_affect(table, EMOTIONS), table[keys]], axis=1)
    return whole.assign(stimulus="spot")

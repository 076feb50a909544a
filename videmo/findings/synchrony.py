"""How alike respondents go through a stimulus: inter-subject correlation.

Each respondent is correlated with the mean of the others (U. Hasson et al., "Intersubject synchronization of cortical
activity during natural vision", Science 303 (2004) 1634-1640; S. Nastase et al., "Measuring shared responses across
subjects using intersubject correlation", Social Cognitive and Affective Neuroscience 14 (2019) 667-685). Chance is what
is left when every respondent is shifted by a random time of their own, around the end: each keeps their pace, what they
have in common is gone. All are shifted, not only the one left out: otherwise each pair of respondents would count twice
by chance but once in what was seen, and p values would come out too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from videmo.findings.aggregate import stimuli
from videmo.findings.bootstrap import LEAST_RESPONDENTS
from videmo.findings.permutation import holm
from videmo.findings.timeline import Float64Array, IntArray

LEAST_EPOCHS: Final = 10
"""Epochs that a respondent and the mean of the others must share; with fewer, a correlation says next to nothing."""

LEAST_OTHERS: Final = 2
"""Respondents that must be usable in an epoch for a mean of the others."""

_CELLS_AT_ONCE = 200_000  # permutations times respondents times epochs: what the arrays of a batch hold, each 1.6 MB
_NO_SPREAD = 1e-9


def leave_one_out(values: Float64Array) -> Float64Array:
    """Return each respondent's Pearson correlation with the mean of the others.

    Args:
        values: (..., n, e) respondents by epochs, NaN where not usable.

    Returns:
        (..., n) -1..1 over the epochs in which the respondent and at least 2 others are usable; NaN where these are
        fewer than 10 or one of the two does not change.

    Example:
        >>> rise = np.linspace(0, 1, 12)
        >>> leave_one_out(np.stack([rise, 2 * rise, -0.5 * rise])).round(3).tolist()
        [1.0, 1.0, -1.0]
    """
    known = ~np.isnan(values)
    own = np.where(known, values, 0.0)
    counts = known.sum(axis=-2, keepdims=True) - known
    shared = known & (counts >= LEAST_OTHERS)
    others = np.where(shared, (own.sum(axis=-2, keepdims=True) - own) / np.maximum(counts, 1), 0.0)
    n = shared.sum(axis=-1)
    enough = n >= LEAST_EPOCHS
    own = _centred(np.where(shared, own, 0.0), shared, n)
    others = _centred(others, shared, n)
    products = np.einsum("...e,...e->...", own, others)
    spread = np.sqrt(np.einsum("...e,...e->...", own, own) * np.einsum("...e,...e->...", others, others))
    usual = np.where(known, np.abs(values), 0.0).max(initial=0.0) ** 2 * n
    moves = enough & (spread > _NO_SPREAD * usual)
    return np.where(moves, products / np.where(moves, spread, 1.0), np.nan).clip(-1, 1)


def synchrony_test(values: Float64Array, *, permutations: int = 2000, seed: int = 0) -> tuple[float, float]:
    """Return the mean correlation of respondents with the others, and its one-sided p value.

    The mean is taken of Fisher's z and turned back. Epochs before the first and after the last with 3 usable
    respondents are left out. The shifts suppose that chance is the same all along the stimulus. A shift under which no
    respondent has a correlation any more says nothing about chance, and does not count: where all miss the same long
    stretch, few shifts are left and p stays high.

    Args:
        values: (n, e) respondents by epochs, NaN where not usable.
        permutations: how often all respondents are shifted.
        seed: the same seed gives the same p value.

    Returns:
        The mean, -1..1, and p, at least 1 / (shifts that count + 1); NaN where no respondent has a correlation.
    """
    values = values[:, _covered(values)]
    observed = _fisher_mean(leave_one_out(values))
    if np.isnan(observed):
        return float("nan"), float("nan")
    n, length = values.shape
    shifts = np.random.default_rng(seed).integers(0, length, (permutations, n))
    batches = np.array_split(shifts, min(max(permutations * n * length // _CELLS_AT_ONCE, 1), permutations))
    chance = np.concatenate([_fisher_mean(leave_one_out(_shift(values, batch))) for batch in batches])
    chance = chance[~np.isnan(chance)]
    reached = int((chance >= observed - 1e-12).sum())
    return float(np.tanh(observed)), (reached + 1) / (len(chance) + 1)


def synchrony(
    epochs: pd.DataFrame, signals: Sequence[str], *, by: str | None = None, permutations: int = 2000, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return how alike respondents are on stimulus time (from 0), by stimulus, group and signal.

    Args:
        epochs: epochs on stimulus time (`build_timelines` with `epoch_s` and `person="largest"`).
        signals: the columns to correlate.
        by: the study's column that makes the groups; None pools all respondents.
        permutations: of each test.
        seed: of each test.

    Returns:
        Groups of 3 respondents or more: stimulus, group, signal, `respondents` (with a correlation), `epochs` (that
        were compared), `isc` (mean), `p`, `p_corrected` (Holm over all signals and groups of the stimulus);
        `attrs["notes"]` says where there are too few epochs for a correlation.
        Their respondents: stimulus, group, signal, respondent, `isc` (with the mean of the others, NaN where fewer than
        10 epochs are shared).

    Raises:
        UsageError: the table lacks a signal or the column `by`.
    """
    tables, people = [_empty("respondents", "epochs", "isc", "p", "p_corrected")], [_empty("respondent", "isc")]
    notes: dict[str, None] = {}
    for stimulus in stimuli(epochs, by, from_s=0):
        rows = []
        for group in stimulus.groups:
            for signal in signals:
                matrix = stimulus.matrix(group, signal).dropna(how="all")
                if len(matrix) < LEAST_RESPONDENTS:
                    continue
                values = matrix.to_numpy()
                keys = {"stimulus": stimulus.name, "group": group, "signal": signal}
                alone = leave_one_out(values[:, _covered(values)])
                mean, p = synchrony_test(values, permutations=permutations, seed=seed)
                size = {"respondents": int((~np.isnan(alone)).sum()), "epochs": int(_covered(values).sum())}
                rows.append({**keys, **size, "isc": mean, "p": p})
                if size["epochs"] < LEAST_EPOCHS:
                    notes[_too_short(stimulus.name, group, size["epochs"])] = None
                people.append(pd.DataFrame({**keys, "respondent": matrix.index, "isc": alone}))
        tables.append(_corrected(pd.DataFrame(rows)))
    alike = _stack(tables)
    alike.attrs["notes"] = list(notes)
    return alike, _stack(people)


def _too_short(stimulus: str, group: str, epochs: int) -> str:
    return (
        f"stimulus {stimulus}: group {group!r} has {epochs} epochs with {LEAST_RESPONDENTS} usable respondents, a "
        f"correlation needs {LEAST_EPOCHS}: take shorter epochs"
    )


def _centred(values: Float64Array, shared: NDArray[np.bool_], n: IntArray) -> Float64Array:
    means = values.sum(axis=-1) / np.maximum(n, 1)
    return np.asarray((values - means[..., None]) * shared)


def _covered(values: Float64Array) -> NDArray[np.bool_]:
    """Return the epochs (e,) from the first to the last with enough usable respondents."""
    enough = (~np.isnan(values)).sum(axis=0) >= LEAST_RESPONDENTS
    return np.asarray(np.maximum.accumulate(enough) & np.maximum.accumulate(enough[::-1])[::-1])


def _shift(values: Float64Array, shifts: IntArray) -> Float64Array:
    """Return (m, n, e): each respondent's row turned by the shifts (m, n)."""
    n, length = values.shape
    # Row by row from a table of all turns, which is a view: far faster than cell by cell.
    turns = np.lib.stride_tricks.sliding_window_view(np.concatenate([values, values], axis=1), length, axis=1)
    return np.asarray(turns[np.arange(n), -shifts % length])


def _fisher_mean(correlations: Float64Array) -> Float64Array:
    """Return the mean of Fisher's z over the last axis, NaN left out; NaN where nothing is left."""
    known = ~np.isnan(correlations)
    z = np.arctanh(np.where(known, correlations, 0.0).clip(-1 + 1e-12, 1 - 1e-12))
    counts = known.sum(axis=-1)
    return np.asarray(z.sum(axis=-1) / np.where(counts, counts, np.nan))


def _corrected(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return rows
    tested = rows["p"].notna()
    corrected = pd.Series(holm(rows["p"][tested].tolist()), rows.index[tested])
    return rows.assign(p_corrected=corrected)


def _empty(*names: str) -> pd.DataFrame:
    return pd.DataFrame(columns=["stimulus", "group", "signal", *names])


def _stack(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]

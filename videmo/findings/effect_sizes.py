"""How large a difference between two groups is, whatever its p value: Hedges' g and Cliff's delta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, nctdtrinc

from videmo.findings.timeline import Float64Array

_NOISE = 1e-6  # of the largest value: a spread below it is rounding of float32
_LEAST_ERROR = 1e-4  # of the difference: beyond a t of 10,000 the search for the interval goes astray or never ends


@dataclass(frozen=True, slots=True)
class EffectSize:
    """A difference of first minus second.

    Attributes:
        n_first, n_second: respondents with a value.
        difference: of the means.
        g: Hedges' g, the difference in standard deviations, corrected for small samples; NaN without any spread to
            speak of, and for two pairs, for which there is no correction.
        g_low, g_high: its interval of confidence.
        cliffs_delta: -1..1, how much likelier it is that a value of the first is above one of the second than below.
    """

    n_first: int
    n_second: int
    difference: float
    g: float
    g_low: float
    g_high: float
    cliffs_delta: float


def effect_size(
    first: Float64Array, second: Float64Array, *, paired: bool = False, confidence: float = 0.95
) -> EffectSize:
    """Return the effect size of two groups of values; all but n is NaN with fewer than two values in one of them.

    g is the difference over the pooled standard deviation, paired over the root of the mean variance, so that both
    kinds compare; times the exact correction for small samples. The interval comes from noncentral t. L. Hedges,
    J. of Educational Statistics 6 (1981) 107-128; paired: J. Algina, H. Keselman, Educational and Psychological
    Measurement 63 (2003) 537-553. Delta: N. Cliff, Psychological Bulletin 114 (1993) 494-509.

    Args:
        first: (n,) a value for each respondent, NaN where there is none.
        second: (m,) the same; of the same respondents in the same order where `paired`.
        paired: respondents with one value only are left out.
        confidence: of the interval of g.

    Example:
        >>> effect = effect_size(np.array([2.0, 4.0, 6.0]), np.array([1.0, 3.0, 5.0]))
        >>> effect.difference, round(effect.g, 3), round(effect.cliffs_delta, 3)
        (1.0, 0.399, 0.333)
    """
    if paired:
        both = ~np.isnan(first + second)
        first, second = first[both], second[both]
    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    n, m, nan = len(first), len(second), float("nan")
    if min(n, m) < 2:
        return EffectSize(n, m, nan, nan, nan, nan, nan)
    difference = float(first.mean() - second.mean())
    delta = float(np.sign(first[:, None] - second).mean())
    spread, error, freedom = _spreads(first, second, paired=paired)
    least = max(_NOISE * max(np.abs(first).max(), np.abs(second).max()), _LEAST_ERROR * abs(difference))
    if freedom < 2 or not min(spread, error) > least:
        return EffectSize(n, m, difference, g=nan, g_low=nan, g_high=nan, cliffs_delta=delta)
    correction = np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
    tail = (1 - confidence) / 2
    noncentralities = nctdtrinc(freedom, np.array([1 - tail, tail]), difference / error)
    low, high = (float(value) for value in correction * error / spread * noncentralities)
    return EffectSize(n, m, difference, float(correction * difference / spread), low, high, delta)


def _spreads(first: Float64Array, second: Float64Array, *, paired: bool) -> tuple[float, float, int]:
    """Return the standard deviation, the standard error of the difference and its degrees of freedom."""
    n, m = len(first), len(second)
    variances = np.array([first.var(ddof=1), second.var(ddof=1)])
    if paired:
        return float(np.sqrt(variances.mean())), float((first - second).std(ddof=1) / np.sqrt(n)), n - 1
    spread = float(np.sqrt(variances @ [n - 1, m - 1] / (n + m - 2)))
    return spread, float(spread * np.sqrt(1 / n + 1 / m)), n + m - 2

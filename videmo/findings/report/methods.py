"""How each number of the page is computed, in words, with the values that hold for this run."""

from __future__ import annotations

from collections.abc import Iterator

from videmo.findings.aggregate import SHOWN
from videmo.findings.report.curves import BRIDGE_S, MOMENTS, SMOOTHER
from videmo.findings.report.tables import ReportTables


def explain_methods(tables: ReportTables) -> Iterator[tuple[str, str]]:
    """Yield what is explained and how it is computed."""
    yield (
        "Probabilities",
        "A neural network gives each face of each analysed frame a probability for every expression; they add up to 1. "
        "They say how sure the network is, not how strong an expression is.",
    )
    yield (
        "Time",
        "Presentation timestamps of the file, in seconds from its start. A frame stands for the time until the next "
        "analysed one, at most for three usual steps or a second, whichever is longer. Means and shares are over this "
        "time, not over frames, so that variable frame rates count right.",
    )
    yield (
        "Usable",
        "A face counts while it breaks no limit of the settings quality_*: size, share cut off, brightness, contrast, "
        "sharpness, turn of the head, occlusion, score of the detector. Its other time is left out everywhere.",
    )
    yield (
        "Tracks",
        "A face is followed from frame to frame; its track ends at every cut and when it is away for long. Tracks that "
        "people joined or named (videmo identities) are shown as decided.",
    )
    yield (
        "Smoothed curves",
        f"{SMOOTHER!r} over each track; it trails behind by {SMOOTHER.lag_s:.2g} s. Gaps of up to {BRIDGE_S:g} s are "
        "bridged by a straight line, no filter reaches across longer ones. Both curves are means over "
        f"{tables.epoch_s:g} s, weighted by time.",
    )
    yield "Segments", "Means over the usable time within the span; a frame across its edge counts by its share."
    yield (
        "Moments",
        f"Local maxima of a smoothed curve, at least {MOMENTS.min_strength:g} above the track's median and "
        f"{MOMENTS.min_prominence:g} above the valleys beside them, {MOMENTS.min_duration_s:g} s or longer. They begin "
        "and end half of their prominence below the peak.",
    )
    if tables.groups:
        yield from _explain_groups(tables.groups.epoch_s)


def _explain_groups(epoch_s: float) -> Iterator[tuple[str, str]]:
    yield (
        "Mean curves",
        f"Means over {epoch_s:g} s of the largest usable face of each frame (of those named as the respondent, where "
        "there are any), on the time of the stimulus, averaged over respondents, each counting once. Bands hold 95 %, "
        "from 2,000 resamples of respondents (BCa at a level widened for few of them); below 3 respondents there is "
        "none, below 12 they are somewhat too narrow.",
    )
    yield (
        "Showing",
        f"Share of the respondents seen in an epoch whose mean probability in it is {SHOWN:g} or more.",
    )
    yield (
        "Shared moments",
        "Moments of the mean curve, which is not smoothed further, where at least half as many respondents are seen as "
        f"at most. The same on the command line: videmo moments DIR --by stimulus --smooth none --epoch {epoch_s:g}s "
        "(--signal expressiveness adds that); curves, differences and correlations: videmo aggregate DIR --epoch "
        f"{epoch_s:g}s.",
    )
    yield (
        "Differences",
        "Cluster-based permutation tests over time (Maris and Oostenveld 2007), 2,000 permutations, two-sided, from 3 "
        "respondents a group; corrected over all expressions and pairs of groups of a stimulus: the whole time after "
        "Holm, each cluster after Bonferroni. Hedges' g compares each respondent's mean over the span.",
    )
    yield (
        "Inter-subject correlation",
        "Each respondent is correlated with the mean of the others (Hasson et al. 2004), from 3 respondents and 10 "
        "epochs; p from 2,000 random shifts of every respondent in time, corrected after Holm.",
    )

"""Shares and their intervals, p-values of two-by-two tables, and how many of many findings are by chance.

Counts may be fractions: of votes that depend on each other fewer count (see ``clusters``). Everything takes arrays and
answers with an array of the same shape.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Numbers: TypeAlias = NDArray[np.float64]


def wilson(successes: Numbers, trials: Numbers, *, level: float = 0.95) -> tuple[Numbers, Numbers]:
    """Wilson's score interval of a share (Wilson 1927); 0 to 1 where there are no trials."""
    z = _quantile(level)
    safe = np.maximum(trials, 1e-12)
    share = successes / safe
    middle = (share + z * z / (2 * safe)) / (1 + z * z / safe)
    half = z / (1 + z * z / safe) * np.sqrt(np.maximum(share * (1 - share), 0) / safe + z * z / (4 * safe * safe))
    has_any = trials > 0
    return (
        np.where(has_any, np.clip(middle - half, 0, 1), 0.0),
        np.where(has_any, np.clip(middle + half, 0, 1), 1.0),
    )


def newcombe(
    successes_1: Numbers, trials_1: Numbers, successes_2: Numbers, trials_2: Numbers, *, level: float = 0.95
) -> tuple[Numbers, Numbers]:
    """The interval of the difference of two independent shares, first less second (Newcombe 1998, method 10)."""
    share_1, share_2 = successes_1 / np.maximum(trials_1, 1e-12), successes_2 / np.maximum(trials_2, 1e-12)
    low_1, high_1 = wilson(successes_1, trials_1, level=level)
    low_2, high_2 = wilson(successes_2, trials_2, level=level)
    difference = share_1 - share_2
    low = difference - np.sqrt((share_1 - low_1) ** 2 + (high_2 - share_2) ** 2)
    high = difference + np.sqrt((high_1 - share_1) ** 2 + (share_2 - low_2) ** 2)
    return low, high


def katz(
    successes_1: Numbers, trials_1: Numbers, successes_2: Numbers, trials_2: Numbers, *, level: float = 0.95
) -> tuple[Numbers, Numbers]:
    """The interval of the ratio of two independent shares, first to second.

    Katz's (1978) log interval; a half is added to each count, so that it ends where no success was seen (Walter 1975).
    """
    a, n, b, m = successes_1 + 0.5, trials_1 + 0.5, successes_2 + 0.5, trials_2 + 0.5
    middle = np.log((a / n) / (b / m))
    half = _quantile(level) * np.sqrt(np.maximum(1 / a - 1 / n + 1 / b - 1 / m, 0))
    return np.exp(middle - half), np.exp(middle + half)


def fisher(successes_1: Numbers, trials_1: Numbers, successes_2: Numbers, trials_2: Numbers) -> Numbers:
    """Fisher's exact test that two shares are equal: twice the smaller tail, at most 1. Fractions are rounded."""
    a, n = np.rint(successes_1), np.rint(trials_1)
    b, m = np.rint(successes_2), np.rint(trials_2)
    a, b = np.minimum(a, n), np.minimum(b, m)
    # SciPy sums the tail term by term; of few draws there are few terms, so the smaller margin counts as drawn.
    total, drawn, marked = n + m, np.minimum(n, a + b), np.maximum(n, a + b)
    below = stats.hypergeom.cdf(a, total, marked, drawn)
    above = stats.hypergeom.sf(a - 1, total, marked, drawn)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)), dtype=np.float64)


def benjamini_hochberg(p_values: Numbers) -> Numbers:
    """Each test's q: the smallest share of false ones among those found at which it is found, too (1995)."""
    return np.asarray(stats.false_discovery_control(p_values, method="bh") if len(p_values) else p_values)


def _quantile(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2))

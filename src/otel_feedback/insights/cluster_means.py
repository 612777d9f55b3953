"""Means and quantiles of two sides whose rows come in clusters, and how far apart they are.

Rows of one person are alike, so what is seen between people is what an interval rests on (see ``clusters``). A cluster
may have rows on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from otel_feedback.insights import clusters, statistics
from otel_feedback.insights.statistics import Numbers

FEWEST_CLUSTERS: Final = 5
"""On each side; of fewer no interval is made."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the two sides have, and the second less the first.

    Attributes:
        control: the mean, quantile or share of the one side; ``treated`` of the other.
        difference: ``treated`` less ``control``, with its interval ``low`` to ``high``; these are None where too few
            clusters are on one of the sides.
    """

    control: float
    treated: float
    difference: float
    low: float | None
    high: float | None


def compare_means(
    values: Numbers, is_treated: NDArray[np.bool_], who: NDArray[np.int64], *, level: float = 0.95
) -> Difference | None:
    """The difference of two means, by the variance between clusters (Liang, Zeger 1986); None where a side is empty."""
    sides = is_treated.astype(float), 1.0 - is_treated
    counts = [float(each.sum()) for each in sides]
    if not min(counts):
        return None
    treated, control = (float(values @ each / count) for each, count in zip(sides, counts, strict=True))
    influence = sides[0] * (values - treated) / counts[0] - sides[1] * (values - control) / counts[1]
    return _with_interval(control, treated, influence, is_treated, who, level)


def compare_shares(
    is_case: Numbers, is_treated: NDArray[np.bool_], who: NDArray[np.int64], *, level: float = 0.95
) -> Difference | None:
    """The difference of two shares with Newcombe's interval, counted as ``clusters.weigh`` does."""
    if is_treated.all() or not is_treated.any():
        return None
    found = clusters.weigh(sparse.csc_array(is_treated[:, None].astype(float)), is_case, who)
    treated, control = found.cases_with / found.calls_with, found.cases_without / found.calls_without
    low, high = statistics.newcombe(
        found.cases_with, found.calls_with, found.cases_without, found.calls_without, level=level
    )
    has_enough = min(found.clusters_with[0], found.clusters_without[0]) >= FEWEST_CLUSTERS
    ends = (float(low[0]), float(high[0])) if has_enough else (None, None)
    return Difference(float(control[0]), float(treated[0]), float((treated - control)[0]), *ends)


def compare_quantiles(
    values: Numbers, is_treated: NDArray[np.bool_], who: NDArray[np.int64], quantile: float, *, level: float = 0.95
) -> Difference | None:
    """The difference of two quantiles; None where a side is empty.

    Each one's interval is where the clusters' share of smaller values may be (Woodruff 1952); that of the difference
    comes of both (Zou and Donner 2008, as Newcombe's), and is wide rather than narrow where clusters are on both sides.
    """
    treated, control = (_Quantile.of(values[side], who[side], quantile, level) for side in (is_treated, ~is_treated))
    if treated is None or control is None:
        return None
    difference = treated.value - control.value
    if min(treated.clusters, control.clusters) < FEWEST_CLUSTERS:
        return Difference(control.value, treated.value, difference, None, None)
    low = difference - float(np.hypot(treated.value - treated.low, control.high - control.value))
    high = difference + float(np.hypot(treated.high - treated.value, control.value - control.low))
    return Difference(control.value, treated.value, difference, low, high)


@dataclass(frozen=True, slots=True)
class _Quantile:
    value: float
    low: float
    high: float
    clusters: int

    @classmethod
    def of(cls, values: Numbers, who: NDArray[np.int64], quantile: float, level: float) -> _Quantile | None:
        if not len(values):
            return None
        value = float(np.quantile(values, quantile, method="inverted_cdf"))
        _, own = np.unique(who, return_inverse=True)
        groups = int(own.max()) + 1
        surplus = np.bincount(own, weights=(values <= value) - quantile)
        spread = quantile * (1 - quantile)
        variance = float((surplus**2).sum()) / len(values) ** 2 * groups / max(groups - 1, 1)
        # Few clusters tell their own spread badly: as if there were fewer rows still.
        wider = (stats.t.ppf(0.5 + level / 2, max(groups - 1, 1)) / stats.norm.ppf(0.5 + level / 2)) ** 2
        rows = min(spread / variance, len(values)) / wider if variance > 0 else groups / wider
        ends = statistics.wilson(np.array([quantile * rows]), np.array([rows]), level=level)
        low, high = (float(np.quantile(values, float(end[0]), method="inverted_cdf")) for end in ends)
        return cls(value, low, high, groups)


def _with_interval(
    control: float,
    treated: float,
    influence: Numbers,
    is_treated: NDArray[np.bool_],
    who: NDArray[np.int64],
    level: float,
) -> Difference:
    sizes = [len(np.unique(who[side])) for side in (is_treated, ~is_treated)]
    if min(sizes) < FEWEST_CLUSTERS:
        return Difference(control, treated, treated - control, None, None)
    _, own = np.unique(who, return_inverse=True)
    sums = np.bincount(own, weights=influence)
    error = float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)))
    half = float(stats.t.ppf(0.5 + level / 2, min(sizes) - 1)) * error
    return Difference(control, treated, treated - control, treated - control - half, treated - control + half)

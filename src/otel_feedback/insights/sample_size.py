"""How many more ratings it takes to tell a difference, from what is known of the ratings so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from otel_feedback.insights import clusters
from otel_feedback.insights.sequential import pairs_needed
from otel_feedback.insights.statistics import Numbers


@dataclass(frozen=True, slots=True)
class Needed:
    """What finds a difference of this size with this power.

    Attributes:
        difference: of the shares of positive ratings, 0 to 1.
        power: how often it would be found.
        more_control: ratings that the control lacks for one look; ``more_treated`` those that the other arm lacks.
        ratings_per_person: as it has been so far, on average.
        likeness: of the votes of one person, 0 to 1; the more they are alike, the more ratings it takes.
        pairs: pairs of people, one of each arm, that it takes for as many looks as one likes.
    """

    difference: float
    power: float
    more_control: int
    more_treated: int
    ratings_per_person: float
    likeness: float
    pairs: int


def needed(
    is_positive: Numbers,
    is_treated: NDArray[np.bool_],
    who: NDArray[np.int64],
    *,
    difference: float,
    alpha: float,
    power: float = 0.8,
) -> Needed:
    """By the normal approximation (Fleiss 1981), times how much less dependent votes tell (Kish 1965).

    Args:
        is_positive: of each vote 1.0 or 0.0.
        is_treated: whether it is on the arm in question.
        who: its cluster.
        difference: that is to be found; above 0, at most 1.
        alpha: the level of the test, two-sided.
        power: how often it is to be found.
    """
    likeness, counted, effects = 0.0, [0.0, 0.0], [1.0, 1.0]
    if len(who):
        _, own = np.unique(who, return_inverse=True)
        sizes = np.bincount(own).astype(float)
        likeness = clusters.intraclass_correlation(np.bincount(own, weights=is_positive).astype(float), sizes)
    for number, side in enumerate((~is_treated, is_treated)):
        if side.any():
            _, own = np.unique(who[side], return_inverse=True)
            sizes = np.bincount(own).astype(float)
            # A person's later votes count less, as in clusters.weigh: what the mean vote is worth is known so far.
            counted[number] = float((sizes / (1 + (sizes - 1) * likeness)).sum())
            effects[number] = float(sizes.sum()) / counted[number]
    base = is_positive[~is_treated] if (~is_treated).any() else is_positive
    share = float(base.mean()) if len(base) else 0.5
    other = share + difference if share + difference <= 1 else share - difference
    other = float(np.clip(other, 0, 1))
    z = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    each = z**2 * (share * (1 - share) + other * (1 - other)) / difference**2
    more = [int(np.ceil(max(each - has, 0) * effect)) for has, effect in zip(counted, effects, strict=True)]
    spread = max(share * (1 - other) + other * (1 - share), difference)
    return Needed(
        difference,
        power,
        more[0],
        more[1],
        len(who) / max(len(np.unique(who)), 1),
        likeness,
        pairs_needed(difference, spread, alpha, power),
    )

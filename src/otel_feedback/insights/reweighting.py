"""What ratings would say if everybody rated: rated calls are weighed so that they are mixed as all calls are.

Post-stratification: calls are divided by service, model and how long they took, and each rated call of a stratum stands
for as many calls as there are for each rated one. It mends what these columns tell of who rates, and nothing else: if
only angry people rate, whatever they were served, no weight can know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from otel_feedback.insights.statistics import Numbers

FEWEST_RATED: Final = 20
"""Rated calls in a stratum; one with fewer is joined with others of its service, then with all that are left."""


def call_weights(
    services: Sequence[str], models: Sequence[str], seconds: Numbers, is_rated: Numbers, stands_for: Numbers
) -> Numbers:
    """For each call how many calls it stands for among the rated ones; 0 for calls without a rating.

    Args:
        services: of each call.
        models: of each call.
        seconds: how long each took.
        is_rated: 1.0 where it is rated.
        stands_for: how many calls each drawn one stands for.
    """
    quarter = np.searchsorted(np.quantile(seconds, (0.25, 0.5, 0.75)), seconds) if len(seconds) else seconds
    strata: list[tuple[object, ...]] = list(zip(services, models, quarter.tolist(), strict=True))
    for keep in (2, 1, 0):
        rated = Counter(stratum for stratum, told in zip(strata, is_rated, strict=True) if told)
        strata = [each if rated[each] >= FEWEST_RATED else each[:keep] for each in strata]
    _, numbers = np.unique(np.array([repr(each) for each in strata], dtype=object), return_inverse=True)
    everyone = np.bincount(numbers, weights=stands_for)
    rated_ones = np.bincount(numbers, weights=is_rated * stands_for)
    factor = np.divide(everyone, rated_ones, out=np.zeros_like(everyone), where=rated_ones > 0)
    return np.asarray(factor[numbers] * is_rated * stands_for)

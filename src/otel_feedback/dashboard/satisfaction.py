"""Shares of ratings with an honest interval, and what can be said of how a share changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
LEAST_TO_COMPARE: Final = 10
"""Positive and negative ratings that each of two times needs before they are compared at all."""


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` with its Wilson interval; every figure is None when there is nothing to divide."""

    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """How a share changed from one time to the next, with the interval of the difference."""

    before: Share
    recent: Share
    value: float
    low: float
    high: float

    @property
    def is_worse(self) -> bool:
        """Whether the fall is more than chance, at the confidence that it was made with."""
        return self.high < 0

    @property
    def is_better(self) -> bool:
        """Whether the rise is more than chance."""
        return self.low > 0


def share(part: int, whole: int, confidence: float = CONFIDENCE) -> Share:
    """The share with its Wilson score interval (Wilson 1927), which stays sound for few ratings and at 0 or 100 %."""
    if whole <= 0:
        return Share(part, whole, None, None, None)
    low, high = _wilson(part, whole, confidence)
    return Share(part, whole, part / whole, low, high)


def change(before: tuple[int, int], recent: tuple[int, int], comparisons: int = 1) -> Change | None:
    """How the share rose from ``before`` to ``recent``, each (part, whole); None where either has too few.

    The interval is Newcombe's (1998, method 10). It holds at once for as many ``comparisons`` as are looked at together
    (Bonferroni): who looks at twenty rows must not take the one that chance moved for news.
    """
    if min(before[1], recent[1]) < LEAST_TO_COMPARE:
        return None
    confidence = 1 - (1 - CONFIDENCE) / max(comparisons, 1)
    first, second = before[0] / before[1], recent[0] / recent[1]
    first_low, first_high = _wilson(*before, confidence)
    second_low, second_high = _wilson(*recent, confidence)
    value = second - first
    low = value - math.hypot(second - second_low, first_high - first)
    high = value + math.hypot(second_high - second, first - first_low)
    return Change(share(*before), share(*recent), value, max(-1.0, low), min(1.0, high))


def _wilson(part: int, whole: int, confidence: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    estimate = part / whole
    centre = (estimate + z * z / (2 * whole)) / (1 + z * z / whole)
    spread = z * math.sqrt(estimate * (1 - estimate) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return max(0.0, centre - spread), min(1.0, centre + spread)

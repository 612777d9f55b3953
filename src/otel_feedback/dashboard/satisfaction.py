"""Shares of ratings with an honest interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

Z_95_PERCENT: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` with its 95 % Wilson interval; every figure is None when there is nothing to divide."""

    part: int
    whole: int
    value: float | None
    low: float | None
    high: float | None


def share(part: int, whole: int) -> Share:
    """The share with its Wilson score interval (Wilson 1927), which stays sound for few ratings and at 0 or 100 %."""
    if whole <= 0:
        return Share(part, whole, None, None, None)
    estimate = part / whole
    z_squared = Z_95_PERCENT**2
    centre = (estimate + z_squared / (2 * whole)) / (1 + z_squared / whole)
    spread = (
        Z_95_PERCENT
        * math.sqrt(estimate * (1 - estimate) / whole + z_squared / (4 * whole * whole))
        / (1 + z_squared / whole)
    )
    return Share(part, whole, estimate, max(0.0, centre - spread), min(1.0, centre + spread))

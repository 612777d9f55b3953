"""What must not get worse while ratings get better: time, tokens, errors, and how many answers are rated at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from otel_feedback.insights.cluster_means import Difference, compare_means, compare_quantiles, compare_shares
from otel_feedback.insights.statistics import Numbers

_QUANTILES: Final = (
    ("latency p50", "seconds", 0.5),
    ("latency p95", "seconds", 0.95),
    ("time to first chunk p50", "seconds_to_first_chunk", 0.5),
)
_MEANS: Final = (("input tokens", "input_tokens"), ("output tokens", "output_tokens"))


@dataclass(frozen=True, slots=True)
class Guard:
    """A figure of two arms' calls.

    Attributes:
        name: what it is, e.g. ``latency p95``.
        unit: ``s``, ``tokens``, or ``share`` (0 to 1).
        control: of the control's calls; ``treated`` of the other arm's.
        difference: ``treated`` less ``control``, with its interval ``low`` to ``high``; None of too few people.
        changed: ``worse`` or ``better`` where the interval leaves out 0, else "". Of the response rate ``lower`` or
            ``higher``: neither is good or bad.
    """

    name: str
    unit: str
    control: float
    treated: float
    difference: float
    low: float | None
    high: float | None
    changed: str


def guards(
    calls: pa.Table, is_treated: NDArray[np.bool_], who: NDArray[np.int64], *, level: float
) -> tuple[Guard, ...]:
    """The figures of two arms' calls, as ``insights/experiment_calls.sql`` answers them.

    A time or a number of tokens that is 0 was not told, and is left out.
    """
    return tuple(_guards(calls, is_treated, who, level))


def _guards(calls: pa.Table, is_treated: NDArray[np.bool_], who: NDArray[np.int64], level: float) -> Iterator[Guard]:
    for name, column, quantile in _QUANTILES:
        values, told = _told(calls, column)
        found = compare_quantiles(values[told], is_treated[told], who[told], quantile, level=level)
        if found is not None:
            yield _guard(name, "s", found)
    for name, column in _MEANS:
        values, told = _told(calls, column)
        found = compare_means(values[told], is_treated[told], who[told], level=level)
        if found is not None:
            yield _guard(name, "tokens", found)
    for name, column in (("errors", "IsError"), ("response rate", "IsRated")):
        found = compare_shares(calls.column(column).to_numpy().astype(float), is_treated, who, level=level)
        if found is not None:
            yield _guard(name, "share", found, words=("lower", "higher") if column == "IsRated" else _BETTER_IF_LESS)


_BETTER_IF_LESS: Final = ("better", "worse")


def _guard(name: str, unit: str, found: Difference, words: tuple[str, str] = _BETTER_IF_LESS) -> Guard:
    changed = ""
    if found.low is not None and found.high is not None:
        changed = words[0] if found.high < 0 else words[1] if found.low > 0 else ""
    return Guard(name, unit, found.control, found.treated, found.difference, found.low, found.high, changed)


def _told(calls: pa.Table, column: str) -> tuple[Numbers, NDArray[np.bool_]]:
    values = calls.column(column).to_numpy().astype(float)
    return values, np.isfinite(values) & (values > 0)

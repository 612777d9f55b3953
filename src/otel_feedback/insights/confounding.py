"""What else than the arm itself may be behind a difference: when, where and to whom the arms' answers were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from otel_feedback.insights.reweighting import call_weights

_LEAST_OVERLAP: Final = 0.5
_LEAST_SHIFT: Final = 0.1
_SURE: Final = 0.001
"""A p-value small enough to be believed of a test that is asked at every look (Fabijan and others 2019)."""
_MOST_TIMES: Final = 20
_CONVERSATIONS_A_TIME: Final = 5
"""Of fewer the overlap of times would be small by chance alone."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to know before a difference is believed.

    Attributes:
        kind: ``time``, ``mix``, ``people`` or ``split``.
        words: what it is.
    """

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Two arms' calls, as ``insights/experiment_calls.sql`` answers them, by time.

    Attributes:
        names: of the control and of the other arm.
        calls: of both.
        is_treated: which are the other arm's.
        who: the cluster of each.
        mixed_by: columns whose mix is looked at: ``service`` and ``model``, less what the arms themselves are.
    """

    names: tuple[str, str]
    calls: pa.Table
    is_treated: NDArray[np.bool_]
    who: NDArray[np.int64]
    mixed_by: Sequence[str]


def cautions(sides: Sides, split: tuple[float, float] | None) -> tuple[Caution, ...]:
    """What to say of these arms.

    Args:
        sides: the two.
        split: which shares of people were meant to get them; None where nothing is known of it.
    """
    if sides.is_treated.all() or not sides.is_treated.any():
        return ()
    found = (_time(sides), *(_mix(sides, column) for column in sides.mixed_by), _people(sides), _split(sides, split))
    return tuple(each for each in found if each is not None)


def reweighted_difference(sides: Sides) -> float | None:
    """The difference of shares if both arms had the mix of services and models that they have together.

    Each arm's rated calls are weighed so that they stand for all calls of both. None where an arm has no rated call, or
    where there is nothing to be mixed. How long a call took is left alone: it may be what the arm does.
    """
    blank = [""] * sides.calls.num_rows
    columns = [
        sides.calls.column(name).to_pylist() if name in sides.mixed_by else blank for name in ("service", "model")
    ]
    if len(set(zip(*columns, strict=True))) < 2:
        return None
    positive = sides.calls.column("IsPositive").to_numpy().astype(float)
    judged = positive + sides.calls.column("IsNegative").to_numpy()
    ones, shares = np.ones(sides.calls.num_rows), []
    for side in (sides.is_treated, ~sides.is_treated):
        weight = call_weights(columns[0], columns[1], 0 * ones, judged * side, ones)
        if not weight.sum():
            return None
        shares.append(float(weight @ positive / weight.sum()))
    return shares[0] - shares[1]


def _time(sides: Sides) -> Caution | None:
    times = sides.calls.column("TimeUnixNano").to_numpy() / 1e9
    conversations = np.array(sides.calls.column("Conversation").to_pylist(), dtype=object)
    fewest = min(len(set(conversations[side])) for side in (sides.is_treated, ~sides.is_treated))
    parts = int(np.clip(fewest // _CONVERSATIONS_A_TIME, 2, _MOST_TIMES))
    edges = np.linspace(times.min(), times.max(), parts + 1)
    if edges[0] == edges[-1]:
        return None
    shares = [np.histogram(times[side], edges)[0] / side.sum() for side in (~sides.is_treated, sides.is_treated)]
    overlap = float(np.minimum(*shares).sum())
    if overlap >= _LEAST_OVERLAP:
        return None
    spans = [
        f"{name} from {_day(times[side].min())} to {_day(times[side].max())}"
        for name, side in zip(sides.names, (~sides.is_treated, sides.is_treated), strict=True)
    ]
    return Caution(
        "time",
        f"They ran at different times ({spans[0]}, {spans[1]}; {overlap:.0%} in common): "
        "whatever else changed meanwhile is in the difference, too",
    )


def _mix(sides: Sides, column: str) -> Caution | None:
    values, numbers = np.unique(np.array(sides.calls.column(column).to_pylist(), dtype=object), return_inverse=True)
    if len(values) < 2:
        return None
    shares = [
        np.bincount(numbers[side], minlength=len(values)) / side.sum() for side in (~sides.is_treated, sides.is_treated)
    ]
    shift = shares[1] - shares[0]
    if np.abs(shift).sum() / 2 < _LEAST_SHIFT or _p_of_mix(sides, numbers) > _SURE:
        return None
    most = int(np.argmax(np.abs(shift)))
    return Caution(
        "mix",
        f"They have different mixes of {column}s: {values[most] or 'none'} is {shares[0][most]:.0%} of "
        f"{sides.names[0]}'s calls and {shares[1][most]:.0%} of {sides.names[1]}'s",
    )


def _p_of_mix(sides: Sides, numbers: NDArray[np.int64]) -> float:
    """Of a chi-squared test that counts each cluster once on each side, with its first call."""
    keys = np.stack([sides.who, sides.is_treated], axis=1)
    _, firsts = np.unique(keys, axis=0, return_index=True)
    table = np.zeros((2, int(numbers.max()) + 1))
    np.add.at(table, (sides.is_treated[firsts].astype(int), numbers[firsts]), 1)
    table = table[:, table.sum(axis=0) > 0]
    return float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0


def _people(sides: Sides) -> Caution | None:
    on_both = np.intersect1d(sides.who[sides.is_treated], sides.who[~sides.is_treated])
    everyone = len(np.unique(sides.who))
    if len(on_both) / everyone < _LEAST_SHIFT:
        return None
    return Caution(
        "people",
        f"{len(on_both)} of {everyone} people or conversations had answers of both: what they thought of one may "
        "colour what they say of the other",
    )


def _split(sides: Sides, split: tuple[float, float] | None) -> Caution | None:
    if split is None:
        return None
    _, firsts = np.unique(sides.who, return_index=True)
    counts = np.bincount(sides.is_treated[firsts].astype(int), minlength=2)
    meant = np.array(split) / sum(split)
    p = float(stats.chisquare(counts, meant * counts.sum()).pvalue)
    if p > _SURE:
        return None
    return Caution(
        "split",
        f"{counts[0]} people or conversations had {sides.names[0]} first and {counts[1]} {sides.names[1]}, where "
        f"{meant[0]:.0%} and {meant[1]:.0%} were meant (p {p:.1g}): find out who is missing before believing anything",
    )


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%d %H:%M")

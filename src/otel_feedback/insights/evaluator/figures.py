"""How well scores agree with people: figures of many weighings of the same rows at once.

What each function returns takes ``weights``, one line a weighing and one entry a row, and answers a value a line. A
bootstrap is a thousand lines, the figure itself one line of ones. Negative is the side that is looked for: 1.0 in
``is_negative``, and higher scores say it is likelier. NaN where a weighing has one side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from otel_feedback.insights.evaluator.answers import Rows
from otel_feedback.insights.statistics import Numbers

DRAWS: Final = 1000
_AT_ONCE: Final = 100
_BINS: Final = 10

Weights: TypeAlias = NDArray[Any]
Measure: TypeAlias = Callable[[Weights], Numbers]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def told(self) -> list[float]:
        """As it stands in a manifest: value, low and high, to six places."""
        return [round(each, 6) for each in (self.value, self.low, self.high)]


class Bootstrap:
    """Groups of rows, drawn again and again with replacement (Davison and Hinkley 1997, 2.4: the percentile method)."""

    def __init__(self, groups: Rows, seed: int, draws: int = DRAWS) -> None:
        names, self._group_of = np.unique(groups, return_inverse=True)
        chance = np.random.default_rng(seed)
        size = len(names)
        self._counts = np.stack(
            [np.bincount(chance.integers(0, size, size), minlength=size) for _ in range(draws)]
        ).astype(np.uint16)

    def draws(self, measure: Measure) -> Numbers:
        """The measure of each draw."""
        return np.concatenate([measure(weights) for weights in self._weights()])

    def figure(self, measure: Measure) -> Figure:
        """The measure with its interval."""
        return self.interval(float(measure(np.ones((1, len(self._group_of))))[0]), self.draws(measure))

    @staticmethod
    def interval(value: float, draws: Numbers) -> Figure:
        """A value with the interval of its draws."""
        known = draws[np.isfinite(draws)]
        if not len(known):
            return Figure(value, float("nan"), float("nan"))
        low, high = np.quantile(known, (0.025, 0.975))
        return Figure(value, float(low), float(high))

    def _weights(self) -> Iterator[Weights]:
        for start in range(0, len(self._counts), _AT_ONCE):
            yield self._counts[start : start + _AT_ONCE, self._group_of].astype(np.float64)


def roc_auc(scores: Numbers, is_negative: Numbers, folds: Rows | None = None) -> Measure:
    """How often a disliked answer has the higher score of two, ties a half; only rows of one fold are compared."""
    places = np.zeros(len(scores), dtype=np.int64) if folds is None else folds
    sorted_folds = [_Sorted(scores, is_negative, np.flatnonzero(places == each)) for each in np.unique(places)]

    def measure(weights: Weights) -> Numbers:
        won = pairs = np.zeros(len(weights))
        for each in sorted_folds:
            negative, positive = each.sides(weights)
            below = np.cumsum(positive, axis=1) - positive / 2
            won = won + (negative * below).sum(axis=1)
            pairs = pairs + negative.sum(axis=1) * positive.sum(axis=1)
        return _quotient(won, pairs)

    return measure


def average_precision(scores: Numbers, is_negative: Numbers) -> Measure:
    """The precision at each score, averaged over the recall that it adds."""
    ordered = _Sorted(-scores, is_negative, np.arange(len(scores)))

    def measure(weights: Weights) -> Numbers:
        negative, positive = ordered.sides(weights)
        found, seen = np.cumsum(negative, axis=1), np.cumsum(negative + positive, axis=1)
        return _quotient((negative * _quotient(found, seen, 0.0)).sum(axis=1), negative.sum(axis=1))

    return measure


class _Sorted:
    """Rows by their scores; those of equal ones are one place."""

    def __init__(self, scores: Numbers, is_negative: Numbers, rows: Rows) -> None:
        self._rows = rows[np.argsort(scores[rows], kind="stable")]
        ordered = scores[self._rows]
        self._starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._is_negative = is_negative[self._rows]

    def sides(self, weights: Weights) -> tuple[Numbers, Numbers]:
        """What weighs at each place: negatives, positives."""
        here = weights[:, self._rows]
        negative = here * self._is_negative
        return tuple(np.add.reduceat(side, self._starts, axis=1) for side in (negative, here - negative))  # type: ignore[return-value]


def balanced_accuracy(is_called: NDArray[np.bool_], is_negative: Numbers) -> Measure:
    """The mean of the shares of negatives that are called so and of positives that are not."""

    def measure(weights: Weights) -> Numbers:
        cells = _Cells.of(weights, is_called, is_negative)
        return (cells.recall + _quotient(cells.true_positive, cells.true_positive + cells.false_negative)) / 2

    return measure


def kappa(is_called: NDArray[np.bool_], is_negative: Numbers) -> Measure:
    """Cohen's kappa: agreement beyond what the two shares give by chance."""

    def measure(weights: Weights) -> Numbers:
        cells = _Cells.of(weights, is_called, is_negative)
        total = weights.sum(axis=1)
        agreed = _quotient(cells.true_negative + cells.true_positive, total)
        called = _quotient(cells.true_negative + cells.false_negative, total)
        negative = _quotient(cells.true_negative + cells.missed, total)
        chance = called * negative + (1 - called) * (1 - negative)
        return _quotient(agreed - chance, 1 - chance, 0.0)

    return measure


def precision(is_called: NDArray[np.bool_], is_negative: Numbers) -> Measure:
    """The share of what is called negative that people called so."""
    return lambda weights: _Cells.of(weights, is_called, is_negative).precision


def recall(is_called: NDArray[np.bool_], is_negative: Numbers) -> Measure:
    """The share of what people called negative that is called so."""
    return lambda weights: _Cells.of(weights, is_called, is_negative).recall


@dataclass(frozen=True, slots=True)
class _Cells:
    """What weighs in the four cells; "true" is what is called as people called it."""

    true_negative: Numbers
    false_negative: Numbers
    missed: Numbers
    true_positive: Numbers

    @classmethod
    def of(cls, weights: Weights, is_called: NDArray[np.bool_], is_negative: Numbers) -> _Cells:
        called = is_called.astype(np.float64)
        sides = (called * is_negative, called * (1 - is_negative), (1 - called) * is_negative)
        cells = [weights @ each for each in (*sides, (1 - called) * (1 - is_negative))]
        return cls(*cells)

    @property
    def precision(self) -> Numbers:
        return _quotient(self.true_negative, self.true_negative + self.false_negative)

    @property
    def recall(self) -> Numbers:
        return _quotient(self.true_negative, self.true_negative + self.missed)


def brier(shares: Numbers, is_negative: Numbers) -> Measure:
    """The mean squared distance of the told probability from what came; 0.25 for who always says a half."""
    squares = (shares - is_negative) ** 2
    return lambda weights: _quotient(weights @ squares, weights.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Bin:
    """A tenth of the calls: what was told on average, and the share that came true."""

    told: float
    came: float
    calls: int


def reliability(shares: Numbers, is_negative: Numbers) -> list[Bin]:
    """What was told and what came, by tenths of the calls."""
    order = np.argsort(shares, kind="stable")
    parts = [each for each in np.array_split(order, _BINS) if len(each)]
    return [
        Bin(round(float(shares[each].mean()), 6), round(float(is_negative[each].mean()), 6), len(each))
        for each in parts
    ]


def calibration_error(shares: Numbers, is_negative: Numbers) -> Measure:
    """The expected calibration error: how far told and come are apart in the tenths, on average."""
    order = np.argsort(shares, kind="stable")
    parts = [each for each in np.array_split(order, _BINS) if len(each)]

    def measure(weights: Weights) -> Numbers:
        apart = sum(np.abs(weights[:, part] @ (shares[part] - is_negative[part])) for part in parts)
        return _quotient(np.asarray(apart), weights.sum(axis=1))

    return measure


def _quotient(part: Numbers, whole: Numbers, nothing: float = float("nan")) -> Numbers:
    return np.divide(part, whole, out=np.full(np.shape(part), nothing, dtype=np.float64), where=whole > 0)

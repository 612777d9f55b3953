"""Parts of the rated calls to learn from and to be tried on, so that nobody and nothing is on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from otel_feedback.insights.evaluator.answers import Answers, Rows
from otel_feedback.insights.statistics import Numbers


@dataclass(frozen=True, slots=True)
class Corpus:
    """Rated calls with what belongs together.

    Attributes:
        groups: for each call its group of people and conversations, which is never divided.
        same: for each call the number of its text; calls that say nearly the same have one.
    """

    answers: Answers
    groups: Rows
    same: Rows

    @property
    def is_negative(self) -> Numbers:
        """1.0 where a rating is negative."""
        return self.answers.is_negative

    def parts(self, rows: Rows, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
        """``count`` times some of these rows to learn from, and the others to be tried on; each is tried once.

        No group is on both sides, and what says nearly the same as a tried call is not learned from.
        """
        fold = fold_of(self.groups[rows], self.is_negative[rows], count, seed)
        for number in range(count):
            tried, rest = rows[fold == number], rows[fold != number]
            yield rest[~np.isin(self.same[rest], self.same[tried])], tried

    def some(self, rows: Rows, most: int, seed: int) -> Rows:
        """Whole groups of these rows, drawn until there are ``most`` rows, or the last one would go beyond it."""
        order = np.random.default_rng(seed).permutation(np.unique(self.groups[rows]))
        place = np.empty(int(self.groups.max()) + 1, dtype=np.int64)
        place[order] = np.arange(len(order))
        drawn = rows[np.argsort(place[self.groups[rows]], kind="stable")]
        kept = drawn[:most]
        return np.sort(kept)


def fold_of(groups: Rows, is_negative: Numbers, count: int, seed: int) -> Rows:
    """For each row the number of its fold: whole groups, the large ones first, where negatives and positives lack most.

    The same rows and seed give the same folds.
    """
    names, rows = np.unique(groups, return_inverse=True)
    negative = np.bincount(rows, weights=is_negative)
    sides = np.stack([negative, np.bincount(rows) - negative], axis=1)
    wanted = np.maximum(sides.sum(axis=0), 1) / count
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sides[order].sum(axis=1), kind="stable")]
    filled = np.zeros((count, 2))
    fold = np.zeros(len(names), dtype=np.int64)
    for group in order:
        after = (((filled + sides[group]) / wanted) ** 2 - (filled / wanted) ** 2).sum(axis=1)
        fold[group] = int(np.argmin(after))
        filled[fold[group]] += sides[group]
    return fold[rows]
